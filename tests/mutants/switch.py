"""All bugs in one build, each behind a switch: the function it is in gets a twin with the bug.

A function begins `if crate::planted::is(7) { return twin_7(...) }`; the twin follows it. One build then
serves every bug, `PLANTED=7` chooses. It rests on the source being formatted by rustfmt: a function ends
at the first brace of its own indent. A function that returns an opaque type, and a trait's method, can
have no twin: a bug in one is to be made elsewhere.
"""

import re
from dataclasses import dataclass

from mutants import Mutant

FUNCTION = re.compile(
    r"^( *)(?:pub(?:\(\w+\))? )?(?:const )?(async )?fn (\w+)", re.MULTILINE
)
# Read once, at the first decision that has a twin.
SWITCH = """
pub mod planted {
    //! Which bug is on.
    static ON: std::sync::OnceLock<Option<u32>> = std::sync::OnceLock::new();
    pub fn is(number: u32) -> bool {
        let read = || std::env::var("PLANTED").ok()?.parse().ok();
        *ON.get_or_init(read) == Some(number)
    }
}
"""


@dataclass(frozen=True)
class Function:
    """Where a function is, by offsets, and how it is called."""

    name: str
    start: int
    name_at: int
    body: int
    end: int
    call: str


def around(text: str, at: int) -> Function | None:
    """The function that `at` is in; none if it can have no twin."""
    for found in reversed(list(FUNCTION.finditer(text, 0, at))):
        indent = found[1]
        end = re.compile(rf"^{indent}}}$", re.MULTILINE).search(text, found.end())
        body = re.compile(r"\{$", re.MULTILINE).search(text, found.end())
        if end and body and body.end() <= at < end.end():
            break
    else:
        return None
    signature = text[found.end() : body.start()]
    names = arguments(signature)
    if names is None or re.search(r"\) -> .*\bimpl\b", signature):
        return None
    owner = (
        re.findall(r"^impl\b.*$", text[: found.start()], re.MULTILINE) if indent else []
    )
    if owner and " for " in owner[-1]:
        return None
    way = "self." if "self" in names else "Self::" if indent else ""
    call = f"{way}{{}}({', '.join(it for it in names if it != 'self')})"
    call += ".await" if found[2] else ""
    return Function(
        found[3], found.start(), found.start(3), body.end(), end.end(), call
    )


def arguments(signature: str) -> list[str] | None:
    """Their names; none if one is a pattern."""
    plain = signature.replace("->", "  ")
    depth, parts, begin, angle = 0, [], None, 0
    for at, letter in enumerate(plain):
        if letter in "<>" and begin is None:
            angle += 1 if letter == "<" else -1
        elif letter == "(" and begin is None and angle == 0:
            begin = at + 1
        elif begin is not None and letter in "(<[":
            depth += 1
        elif begin is not None and letter in ")>]":
            depth -= 1
            if depth < 0:
                parts.append(plain[begin:at])
                break
        elif begin is not None and letter == "," and depth == 0:
            parts.append(plain[begin:at])
            begin = at + 1
    names = [
        it.split(":")[0].strip().removeprefix("mut ") for it in parts if it.strip()
    ]
    names = [
        "self" if re.fullmatch(r"&?(?:'\w+ )?(?:mut )?self", it) else it for it in names
    ]
    return names if all(re.fullmatch(r"\w+", it) for it in names) else None


def switched(text: str, bugs: list[tuple[int, Mutant]]) -> tuple[str, list[int]]:
    """The file with a twin for each bug that can have one, and the numbers of those."""
    twins: dict[Function, list[tuple[int, str]]] = {}
    for number, bug in bugs:
        at = text.find(bug.before)
        function = around(text, at) if text.count(bug.before) == 1 else None
        if function is None or at + len(bug.before) > function.end:
            continue
        twin = text[function.start : at] + bug.after
        twin += text[at + len(bug.before) : function.end]
        cut = function.name_at - function.start + len(function.name)
        twin = f"{twin[:cut]}_{number}{twin[cut:]}"
        twins.setdefault(function, []).append((number, twin))
    for function in sorted(twins, key=lambda it: it.start, reverse=True):
        calls = "".join(
            f"\nif crate::planted::is({n}) {{ return {function.call.format(f'{function.name}_{n}')}; }}"
            for n, _ in twins[function]
        )
        copies = "".join(f"\n\n{twin}" for _, twin in twins[function])
        text = (
            text[: function.body]
            + calls
            + text[function.body : function.end]
            + copies
            + text[function.end :]
        )
    return text, [n for all_of in twins.values() for n, _ in all_of]
