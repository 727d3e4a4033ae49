"""Whether Lambda can run a binary: it is for the architecture that is asked for, and for a C library as old as Lambda's.

    python3 tools/fits.py .aws-sam/build/Function/bootstrap arm64

`sam build` looks at neither: for x86_64 it builds for whatever machine this is.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

# Of an ELF file's header, https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
MACHINES = {"arm64": 183, "x86_64": 62}
# The C library of Amazon Linux 2023: https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html
NEWEST_GLIBC = (2, 34)


def glibc(binary: bytes) -> tuple[int, ...]:
    """The newest symbols of the C library that it asks for."""
    found = re.findall(rb"GLIBC_(\d+(?:\.\d+)+)", binary)
    versions = (tuple(int(part) for part in it.split(b".")) for it in found)
    return max(versions, default=(0,))


def told(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def misfit(binary: bytes, architecture: str) -> str | None:
    """Why Lambda cannot run it."""
    machine = int.from_bytes(binary[18:20], "little")
    if binary[:4] != b"\x7fELF" or machine != MACHINES[architecture]:
        return f"it is not for {architecture} (ELF machine {machine}, not {MACHINES[architecture]})"
    if glibc(binary) > NEWEST_GLIBC:
        return (
            f"it asks for GLIBC {told(glibc(binary))}; Lambda has {told(NEWEST_GLIBC)}"
        )
    return None


def main() -> int:
    path, architecture = Path(sys.argv[1]), sys.argv[2]
    binary = path.read_bytes()
    wrong = misfit(binary, architecture)
    if wrong:
        print(f"{path}: Lambda cannot run it, {wrong}", file=sys.stderr)
        return 1
    print(f"{path}: {architecture}, {len(binary):,} bytes, GLIBC {told(glibc(binary))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
