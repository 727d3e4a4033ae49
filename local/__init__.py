"""The local AWS: the real template, the real binary, no account. Development only."""
