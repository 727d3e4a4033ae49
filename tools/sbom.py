"""The bill of materials of the shipped function, as CycloneDX: every crate, with licence and checksum.

    python3 tools/sbom.py x86_64-unknown-linux-gnu

Made of what cargo and Cargo.lock say alone. Ready-made generators add the time, a random number and this
machine's folders; here the same sources give the same bytes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

FUNCTION = "spot-rescue-function"
Crate = tuple[str, str]
Json = dict[str, Any]


def say(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def tree(target: str, edges: str) -> set[Crate]:
    """cargo's own word on what is built: `cargo metadata` would show features that only tests switch on."""
    command = (
        f"cargo tree --locked --package {FUNCTION} --target {target} --edges {edges}"
    )
    lines = say(*command.split(), "--prefix", "none", "--format", "{p}").splitlines()
    return {
        (name, version.removeprefix("v")) for name, version, *_ in map(str.split, lines)
    }


def purl(crate: Crate) -> str:
    return "pkg:cargo/{}@{}".format(*crate)


def component(package: Json, checksum: str | None, linked: bool) -> Json:
    """One crate. What only takes part in the build is not in the function: `excluded`."""
    crate = package["name"], package["version"]
    return {
        "type": "application" if package["name"] == FUNCTION else "library",
        "bom-ref": purl(crate),
        "name": package["name"],
        "version": package["version"],
        "scope": "required" if linked else "excluded",
        **({"hashes": [{"alg": "SHA-256", "content": checksum}]} if checksum else {}),
        "licenses": [{"expression": package["license"].replace("/", " OR ")}],
        "purl": purl(crate),
    }


def relations(metadata: Json, crates: set[Crate]) -> list[Json]:
    """Which package needs which."""
    names = {it["id"]: (it["name"], it["version"]) for it in metadata["packages"]}
    found = []
    for node in metadata["resolve"]["nodes"]:
        used = [
            it
            for it in node["deps"]
            if any(k["kind"] != "dev" for k in it["dep_kinds"])
        ]
        needs = {names[it["pkg"]] for it in used} & crates
        if names[node["id"]] in crates:
            found.append(
                {"ref": purl(names[node["id"]]), "dependsOn": sorted(map(purl, needs))}
            )
    return sorted(found, key=lambda it: it["ref"])


def bill(target: str) -> Json:
    linked, crates = tree(target, "normal,no-proc-macro"), tree(target, "normal,build")
    metadata = json.loads(
        say(*["cargo", "metadata", "--locked", "--format-version", "1"])
    )
    packages = {(it["name"], it["version"]): it for it in metadata["packages"]}
    lock = tomllib.loads(Path("Cargo.lock").read_text())["package"]
    sums = {(it["name"], it["version"]): it.get("checksum") for it in lock}
    parts = [component(packages[it], sums[it], it in linked) for it in sorted(crates)]
    rustc = say(os.environ.get("RUSTC", "rustc"), "--version").strip()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": next(it for it in parts if it["name"] == FUNCTION),
            "properties": [
                {"name": "rustc", "value": rustc},
                {"name": "target", "value": target},
            ],
        },
        "components": [it for it in parts if it["name"] != FUNCTION],
        "dependencies": relations(metadata, crates),
    }


if __name__ == "__main__":
    print(json.dumps(bill(sys.argv[1]), indent=1))
