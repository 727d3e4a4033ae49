"""The function's role, put to the test: what the scenarios needed must be allowed, what nobody needs
must not be, and no action may be superfluous.
"""
