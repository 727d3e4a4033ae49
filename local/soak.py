"""`make soak`: hundreds of rescues while calls fail, and then the books are checked.

    python -m local.soak --rescues 500 --faults 0.1

One server for all of it. A number of instances is interrupted at once, round after round: what has
been rescued is interrupted again, so every lineage is a long chain. Every few rounds a zone has no
capacity and everything moves to another one. After each round:

    lost        a data volume that the living replacement does not have and no report named
    duplicated  a lineage with more than one living member
    orphaned    a volume, snapshot, template, target or address that is not in use and has no end

The exit status is 0 only if all three are 0 and everything serves again.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from local.audit import Books, Findings
from local.checks import EXPIRES
from local.control import warning
from local.function import BINARY
from local.scenarios.capacity import NONE_LEFT
from local.stage import SWEEP_SECONDS, Overdue, Stage
from local.world import ZONES, as_dict

END = "back-in-service"
# How many intervals of the schedule a round may take.
SWEEPS = 3
MOVES_EVERY = 5
TWICE_EVERY = 3


@dataclass
class Soak:
    stage: Stage
    rng: random.Random
    faults: float
    seed: int
    findings: Findings = field(default_factory=Findings)
    rescues: int = 0
    told: Counter[str] = field(default_factory=Counter)
    untold: int = 0
    swept: int = 0

    def prepare(self, instances: int) -> None:
        """Instances that may go to any zone, each with a rescue prepared."""
        stage, world = self.stage, self.stage.world
        world.build()
        # On-Demand Instances are not interrupted: without a breaker every chain stays on Spot.
        subnets = " ".join(world.subnets[it] for it in ZONES)
        tags = {"spot-rescue:subnets": subnets, "spot-rescue:breaker": "off"}
        self.lineages = world.launch(instances, tags=tags)
        running = lambda: set(world.states(self.lineages).values()) == {"running"}
        stage.until("the instances to run", running, 120)
        for instance in self.lineages:
            world.serve(instance)
        stage.settle(3000)
        stage.sweep()
        prepared = lambda: len(world.templates()) == instances
        stage.until("the rescues to be prepared", prepared, 600)
        stage.settle(3000)
        self.books = Books(world, self.lineages)
        key = stage.deployment.role.access_key
        stage.control.chaos(self.faults, key, seed=self.seed)

    def round(self, number: int, count: int) -> None:
        """Interrupts the owners of so many lineages and waits until all is quiet again."""
        stage = self.stage
        owners = self.books.owners(self.books.read())
        victims = dict(self.rng.sample(sorted(owners.items()), min(count, len(owners))))
        seen = len(stage.log.lines)
        stage.control.capacity("*", "*", "*", None)
        if number % MOVES_EVERY == 0:
            for zone in {it["Placement"]["AvailabilityZone"] for it in victims.values()}:
                stage.control.capacity(zone, "*", "*", NONE_LEFT)
        stage.control.interrupt([it["InstanceId"] for it in victims.values()])
        if number % TWICE_EVERY == 0:
            for it in victims.values():
                zone = it["Placement"]["AvailabilityZone"]
                stage.control.event(warning(it["InstanceId"], zone))
        found = self._finished([it["InstanceId"] for it in victims.values()], seen)
        outcomes = self._outcomes(seen)
        self.told.update(it["outcome"] for it in outcomes)
        back = {it["rescue"] for it in outcomes if it["outcome"] == END}
        self.untold += len(set(victims) - back)
        self.rescues += len(victims)
        self.findings.add(found)
        for line in found.lines():
            print(f"    {line}", flush=True)
        self._a_day_later()

    def _outcomes(self, seen: int) -> list[dict]:
        return [it for it in list(self.stage.log.lines)[seen:] if "outcome" in it]

    def _finished(self, victims: list[str], seen: int) -> Findings:
        """Everything wrong once nothing changes any more; the sweep comes as always."""
        stage = self.stage
        gone = lambda: set(stage.world.states(victims).values()) <= {"terminated"}
        stage.until("the interrupted to end", gone, SWEEP_SECONDS)
        for n in range(SWEEPS):
            if n:
                self.swept += 1
                stage.sweep()
            with contextlib.suppress(Overdue):
                stage.settle(SWEEP_SECONDS)
            outcomes = self._outcomes(seen)
            lost = {it["rescue"] for it in outcomes if it.get("volumes", {}).get("lost")}
            found = self.books.audit(lost)
            if not found.lines():
                break
        return found

    def _a_day_later(self) -> None:
        """Safety copies go when a day is over; a sweep would do the same, a day from now."""
        world = self.stage.world
        for it in world.volumes():
            if it["State"] == "available" and EXPIRES in as_dict(it.get("Tags", [])):
                with contextlib.suppress(ClientError):
                    world.ec2.delete_volume(VolumeId=it["VolumeId"])
        for it in world.snapshots():
            if EXPIRES in as_dict(it.get("Tags", [])):
                with contextlib.suppress(ClientError):
                    world.ec2.delete_snapshot(SnapshotId=it["SnapshotId"])


def main() -> int:
    options = arguments()
    if not BINARY.exists():
        print(f"{BINARY} is missing: run `make build` first", file=sys.stderr)
        return 2
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, Stage.abandon)
    with Stage(options.functions) as stage:
        soak = Soak(stage, random.Random(options.seed), options.faults, options.seed)
        passed = run(soak, options)
        if not passed:
            stage.dump()
            print(f"logs and journal: {stage.directory}")
    if passed:
        stage.forget()
    return 0 if passed else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--rescues", type=int, default=500)
    parser.add_argument("--faults", type=float, default=0.1, help="share of disturbed calls")
    parser.add_argument("--at-once", type=int, default=25, help="instances per round")
    parser.add_argument("--functions", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def run(soak: Soak, options: argparse.Namespace) -> bool:
    began = time.monotonic()
    soak.prepare(min(options.at_once, options.rescues))
    print(f"{len(soak.lineages)} instances are protected after {time.monotonic() - began:.0f} s")
    number = 0
    while soak.rescues < options.rescues:
        number += 1
        start = time.monotonic()
        soak.round(number, options.rescues - soak.rescues)
        print(
            f"round {number}: {soak.rescues} rescues, {time.monotonic() - start:.0f} s, "
            f"lost/duplicated/orphaned = {soak.findings.counts()}",
            flush=True,
        )
    chaos = soak.stage.control.chaos_done()
    letters = soak.stage.dead_letters()
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(chaos["attempts"].items()))
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(soak.told.items()))
    print(f"\n{soak.rescues} rescues in {time.monotonic() - began:.0f} s; outcomes: {outcomes}")
    print(f"{chaos['disturbed']} of {chaos['calls']} calls disturbed; attempts hit: {kinds}")
    print(f"{soak.untold} outcomes were not told; {soak.swept} sweeps were needed")
    print(f"{letters} messages in the dead-letter queue")
    print(f"not fully back in service: {len(soak.findings.incomplete)}")
    print(f"lost/duplicated/orphaned = {soak.findings.counts()}")
    return not soak.findings.lines()


if __name__ == "__main__":
    sys.exit(main())
