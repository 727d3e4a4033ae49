"""`python -m local.permissions.replay DIRECTORY`: the recorded runs before the policy as it will be.

- Whatever a scenario needed is allowed.
- What is never needed is refused (`forbidden`), except what is known and accepted (`accepted`).
- Without any one condition, some forbidden call passes (`guards`).
- What belongs to the stack is closed to all other callers (`others`).
- With the service control policy that we ship, outsiders are refused more, and neither the function nor
  its users are (`scp`).
- Without any one action, or any one resource of a statement, some scenario is refused; `spare` lists
  what no scenario can need, and why.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local.permissions import accepted, backups, forbidden, guards, others, scp, spare
from local.permissions.calls import Call
from local.permissions.judge import Verdict, ask
from local.permissions.kinds import Recorded
from local.permissions.policy import NARROW, OPEN, Parameters, statements

Problems = list[str]


def main() -> int:
    recorded = Recorded(Path(sys.argv[1]))
    if not recorded.requests:
        print("nothing is recorded there: run the scenarios with --record first", file=sys.stderr)
        return 2
    asked = f"{recorded.requests} requests of {recorded.scenarios} scenarios"
    return told(
        (f"{asked}, of {len(recorded.kinds)} kinds, are allowed", needed(recorded)),
        (f"{len(forbidden.ALL)} forbidden calls are refused", refused()),
        (f"{len(accepted.ALL)} calls are accepted, and known to be", known()),
        (f"{len(others.ALL)} calls of others are refused", others.refused()),
        (f"docs/scp.json refuses {len(scp.DENIED)} calls", scp.denied()),
        (f"docs/scp.json leaves {len(scp.LEFT)} calls of the users' as they are", scp.left()),
        ("docs/scp.json leaves what the scenarios needed", needed(recorded, scp.document())),
        ("no condition is superfluous", guards.conditions()),
        ("no denial is superfluous", guards.denials()),
        ("no action is superfluous", spare.actions(recorded)),
        ("no resource of a statement is superfluous", spare.resources(recorded)),
        ("the role of backups has what it needs, and no more", backups.problems(Path(sys.argv[1]))),
    )


def told(*sections: tuple[str, Problems]) -> int:
    for what, problems in sections:
        print(f"{'FAIL' if problems else 'PASS'}  {what}")
        for problem in problems:
            print(f"        {problem}")
    return 1 if any(problems for _, problems in sections) else 0


def needed(recorded: Recorded, scp: dict[str, Any] | None = None) -> Problems:
    """A key that AWS does not have for an action is a mistake of the local AWS."""
    policy = statements()
    verdicts = ask(((policy, it) for it, _ in recorded.kinds), scp)
    return [
        f"{scenario}: {request}: {trouble}; with {request.context}"
        for (request, scenario), verdict in zip(recorded.kinds, verdicts, strict=True)
        if (trouble := mistake(verdict) or ("" if verdict.allowed else "refused"))
    ]


def refused() -> Problems:
    problems = []
    calls = judged([it for case in forbidden.ALL for it in (case.forbidden, case.lawful)], NARROW)
    pairs = zip(calls[::2], calls[1::2], strict=True)
    for case, (verdicts, lawful) in zip(forbidden.ALL, pairs, strict=True):
        if passes(verdicts):
            problems.append(f"allowed, but must not be: {case.name} ({case.why})")
        if not passes(lawful):
            problems.append(f"refused, but is the lawful counterpart of: {case.name}")
        problems += [f"{case.name}: {it}" for it in map(mistake, [*verdicts, *lawful]) if it]
    return problems


def known() -> Problems:
    verdicts = judged([it.call for it in accepted.ALL], OPEN)
    pairs = zip(accepted.ALL, verdicts, strict=True)
    return [f"no longer allowed, so remove it: {it.what}" for it, v in pairs if not passes(v)]


def judged(calls: list[Call], parameters: Parameters) -> list[list[Verdict]]:
    policy = statements(parameters)
    verdicts = iter(ask((policy, request) for call in calls for request in call))
    return [[next(verdicts) for _ in call] for call in calls]


def passes(verdicts: Iterable[Verdict]) -> bool:
    """A call passes if all its requests do."""
    return all(it.allowed for it in verdicts)


def mistake(verdict: Verdict) -> str:
    """The mistake in the question itself, if any."""
    unknown = f"AWS does not know {verdict.unknown} here" if verdict.unknown else ""
    return verdict.error or unknown


if __name__ == "__main__":
    sys.exit(main())
