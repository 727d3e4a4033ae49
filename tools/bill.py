"""The stages of a proof, one after another, and what each has cost.

    python3 tools/bill.py check lint e2e

A stage is a target of the Makefile. The first that fails ends the run. The table comes all the same, and is
written to target/bill.txt.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

BILL = Path("target/bill.txt")


def cpu() -> float:
    """User and system seconds of everything that has ended so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(stage: str) -> tuple[str, float, float]:
    """The verdict, the seconds, the CPU-seconds."""
    print(f"\n=== {stage}", flush=True)
    began, used = time.monotonic(), cpu()
    status = subprocess.run(["make", stage], check=False).returncode
    return "ok" if status == 0 else "FAILED", time.monotonic() - began, cpu() - used


def table(rows: list[tuple[str, str, float, float]]) -> str:
    total = ("all", "", sum(it[2] for it in rows), sum(it[3] for it in rows))
    head = f"{'stage':<14} {'':<6} {'seconds':>8} {'CPU':>8}"
    body = (
        f"{name:<14} {verdict:<6} {s:8.0f} {c:8.0f}"
        for name, verdict, s, c in [*rows, total]
    )
    return "\n".join([head, *body])


def main() -> int:
    rows: list[tuple[str, str, float, float]] = []
    for stage in sys.argv[1:]:
        rows.append((stage, *run(stage)))
        if rows[-1][1] != "ok":
            break
    told = f"{table(rows)}\non {os.cpu_count()} CPUs"
    BILL.parent.mkdir(exist_ok=True)
    BILL.write_text(told + "\n")
    print(f"\n{told}", flush=True)
    failed = sum(verdict != "ok" for _, verdict, *_ in rows)
    print(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
