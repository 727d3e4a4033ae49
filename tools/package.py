"""What is handed on: the zip that Lambda takes, its bill of materials, and the checksums of both.

    python3 tools/package.py target/lambda/bootstrap x86_64

The zip is made here because cargo-lambda's says when the binary was made: the same binary gives the same zip.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from pathlib import Path

from fits import glibc, misfit, told
from sbom import bill

TARGETS = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}
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


def checksums(files: list[Path]) -> str:
    """As `sha256sum --check` reads them."""
    lines = (
        f"{hashlib.sha256(it.read_bytes()).hexdigest()}  {it.name}\n" for it in files
    )
    return "".join(lines)


def main() -> int:
    folder, architecture = Path(sys.argv[1]), sys.argv[2]
    archive, materials = folder / "bootstrap.zip", folder / "bootstrap.cdx.json"
    binary = (folder / "bootstrap").read_bytes()
    wrong = misfit(binary, architecture)
    if wrong:
        print(f"bootstrap: Lambda cannot run it, {wrong}", file=sys.stderr)
        return 1
    pack(folder / "bootstrap", archive)
    materials.write_text(json.dumps(bill(TARGETS[architecture]), indent=1) + "\n")
    sums = checksums([archive, materials])
    (folder / "SHA256SUMS").write_text(sums)
    print(f"{folder}:\n{sums}", end="")
    size, version = archive.stat().st_size, told(glibc(binary))
    print(
        f"{architecture}: zip {size:,} bytes, unpacked {len(binary):,}, GLIBC {version}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
