"""What AWS does and moto does not.

moto answers every call at once and for good: a snapshot is `completed` when it is asked for, a
terminated instance is gone in the same breath, a retried launch is a second instance. Software
that waits, retries and races has to be tested against something that makes it wait, notices the
retry and lets it lose the race. That something is this package, on top of moto's storage.

Each module knows one thing and says in its first lines what AWS documents, with the page, and
what moto does instead. `install()` puts all of it in place; moto's own authentication and
authorization still run before any of it.
"""

import importlib

BEHAVIOURS = (
    "addresses",
    "attachments",
    "attributes",
    "bin",
    "clones",
    "classic",
    "events",
    "experiments",
    "fleet",
    "fleets",
    "images",
    "instances",
    "interfaces",
    "lattice",
    "launch_data",
    "managed",
    "moments",
    "names",
    "permissions",
    "queue",
    "queue_policies",
    "requests",
    "reservations",
    "roots",
    "run",
    "scaling",
    "scaling_calls",
    "sharing",
    "snapshots",
    "snapshot_calls",
    "spot",
    "tags",
    "targets",
    "templates",
    "versions",
    "volumes",
)


def install() -> None:
    """Each module puts itself in place when it is imported."""
    for name in ("quick", "gate"):
        importlib.import_module(f"local.aws.{name}").install()
    for name in BEHAVIOURS:
        importlib.import_module(f"local.aws.{name}")
