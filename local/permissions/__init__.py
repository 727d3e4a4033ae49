"""The function's role, put to the test: what the scenarios needed must be allowed, what no scenario needs
must not be, and no action may be superfluous.
"""
