"""What the local AWS claims AWS does, each claim beside the sentence it rests on.

What stands in quotation marks is AWS's wording, from its API reference, its guides or the error itself;
the rest says in our words what AWS documents. `TRAP n` is the number in the project's list of what
naive implementations get wrong.
"""
