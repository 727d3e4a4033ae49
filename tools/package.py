"""What is handed on: the zip that Lambda takes, its bill of materials, and the checksums of both.

    python3 tools/package.py target/lambda/bootstrap x86_64

The zip is made here because cargo-lambda's says when the binary was made: the same binary gives the same zip.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import zipfile
from pathlib import Path

from sbom import bill

TARGETS = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}
# The C library of Amazon Linux 2023: https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html
NEWEST_GLIBC = (2, 34)
# The oldest time that a zip can name.
LONG_AGO = (1980, 1, 1, 0, 0, 0)
EXECUTABLE = 0o100755


def pack(binary: Path, archive: Path) -> None:
    entry = zipfile.ZipInfo("bootstrap", LONG_AGO)
    entry.external_attr = EXECUTABLE << 16
    entry.create_system = 3
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr(entry, binary.read_bytes(), compresslevel=9)


def glibc(binary: bytes) -> tuple[int, ...]:
    """The newest symbols of the C library that it asks for."""
    found = re.findall(rb"GLIBC_(\d+(?:\.\d+)+)", binary)
    versions = (tuple(int(part) for part in it.split(b".")) for it in found)
    return max(versions, default=(0,))


def checksums(files: list[Path]) -> str:
    """As `sha256sum --check` reads them."""
    lines = (
        f"{hashlib.sha256(it.read_bytes()).hexdigest()}  {it.name}\n" for it in files
    )
    return "".join(lines)


def main() -> int:
    folder, architecture = Path(sys.argv[1]), sys.argv[2]
    archive, materials = folder / "bootstrap.zip", folder / "bootstrap.cdx.json"
    asked = glibc((folder / "bootstrap").read_bytes())
    version = ".".join(map(str, asked))
    if asked > NEWEST_GLIBC:
        print(f"bootstrap asks for GLIBC {version}; Lambda has 2.34", file=sys.stderr)
        return 1
    pack(folder / "bootstrap", archive)
    materials.write_text(json.dumps(bill(TARGETS[architecture]), indent=1) + "\n")
    sums = checksums([archive, materials])
    (folder / "SHA256SUMS").write_text(sums)
    print(f"{folder}:\n{sums}", end="")
    size, unpacked = archive.stat().st_size, (folder / "bootstrap").stat().st_size
    print(f"{architecture}: zip {size:,} bytes, unpacked {unpacked:,}, GLIBC {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
