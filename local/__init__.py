"""The local AWS: the real template, the real binary, no account. Development only."""

# Everything that listens, listens here.
HOST = "127.0.0.1"
