"""The two minutes as a picture, made of what a demo has printed.

    python -m local.demo --scenario rescue | tee docs/two-minutes.txt | python tools/picture.py >docs/two-minutes.svg

Nothing in it is drawn by hand: every edge is a line of the demo's timeline.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from html import escape

# What each moment is called in the demo's timeline: seconds, then this.
MOMENTS = {
    "left": r"traffic leaves",
    "asked": r"replacement asked for",
    "boots": r"new instance \S+ +running",
    "ends": r"(?<!new )instance \S+ +shutting-down",
    "ended": r"(?<!new )instance \S+ +terminated",
    "attached": r"volume attached",
    "moved": r"address moved",
    "back": r"traffic comes back",
}
SECOND = 4.6
LEFT, TOP, LANE, HEIGHT = 150, 46, 30, 20
WIDTH = 860
SHADES = {"old": "#4a6fa5", "new": "#2e7d5b", "between": "#d9dee5", "none": "#c0392b"}
DARK = "#24292f"


@dataclass(frozen=True)
class Bar:
    begin: float
    end: float
    shade: str
    text: str = ""


def moments(told: str) -> dict[str, float]:
    """When each moment came, in seconds since the notice."""
    found = {}
    for name, pattern in MOMENTS.items():
        match = re.search(rf"^ +([\d.]+) s  .*{pattern}", told, re.MULTILINE)
        if not match:
            raise ValueError(
                f"the demo's timeline has no line for {name!r} ({pattern})"
            )
        found[name] = float(match[1])
    return found


def lanes(at: dict[str, float]) -> dict[str, list[Bar]]:
    end = 150.0
    return {
        "old instance": [
            Bar(0, at["ends"], "old", "runs"),
            Bar(at["ends"], at["ended"], "between"),
        ],
        "replacement": [
            Bar(at["asked"], at["boots"], "between"),
            Bar(at["boots"], end, "new", f"runs from {at['boots']:.0f} s on"),
        ],
        "data volumes": [
            Bar(0, at["ended"], "old", "attached to the old instance"),
            Bar(at["ended"], at["attached"], "between"),
            Bar(at["attached"], end, "new"),
        ],
        "Elastic IP": [
            Bar(0, at["ends"], "old", "at the old instance"),
            Bar(at["ends"], at["moved"], "between", "nowhere"),
            Bar(at["moved"], end, "new"),
        ],
        "targets": [
            Bar(at["left"], at["back"], "between", "deregistered"),
            Bar(at["back"], end, "new"),
        ],
        "clients of targets see": [
            Bar(
                at["left"],
                at["back"],
                "none",
                f"no service for {at['back'] - at['left']:.0f} s",
            ),
            Bar(at["back"], end, "new"),
        ],
        "clients of the IP see": [
            Bar(0, at["ends"], "old", "the old instance"),
            Bar(
                at["ends"],
                at["moved"],
                "none",
                f"none for {at['moved'] - at['ends']:.0f} s",
            ),
            Bar(at["moved"], end, "new"),
        ],
    }


def svg(told: str) -> str:
    at = moments(told)
    drawn = lanes(at)
    height = TOP + LANE * len(drawn) + 34
    size = f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>',
        "<title>From the notice to back in service, by the second</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *marks(at, height),
    ]
    for row, (name, bars) in enumerate(drawn.items()):
        y = TOP + LANE * row
        parts.append(text(LEFT - 10, y + 14, name, "end", DARK))
        parts += [piece for bar in bars for piece in box(bar, y)]
    return "\n".join([*parts, "</svg>", ""])


def marks(at: dict[str, float], height: int) -> list[str]:
    """The moments that all lanes share."""
    named = {
        0.0: "notice",
        at["ends"]: f"{at['ends']:.0f} s",
        at["back"]: f"{at['back']:.0f} s",
    }
    bottom = height - 30
    lines = [
        f'<line x1="{x(t)}" y1="{TOP - 8}" x2="{x(t)}" y2="{bottom}" stroke="{DARK}" stroke-dasharray="2 3"/>'
        for t in named
    ]
    said = "seconds of AWS's time, as a demo on the local AWS has played them"
    return [
        *lines,
        *(text(x(t), TOP - 14, name, "middle", DARK) for t, name in named.items()),
        text(LEFT, height - 10, said, "start", "#57606a"),
    ]


def box(bar: Bar, y: int) -> list[str]:
    width = round((bar.end - bar.begin) * SECOND, 1)
    drawn = f'<rect x="{x(bar.begin)}" y="{y}" width="{width}" height="{HEIGHT}" fill="{SHADES[bar.shade]}"/>'
    if not bar.text:
        return [drawn]
    colour = DARK if bar.shade == "between" else "#ffffff"
    return [
        drawn,
        text(round(x(bar.begin) + width / 2, 1), y + 14, bar.text, "middle", colour),
    ]


def x(seconds: float) -> float:
    return round(LEFT + seconds * SECOND, 1)


def text(left: float, top: float, said: str, anchor: str, colour: str) -> str:
    return f'<text x="{left}" y="{top}" text-anchor="{anchor}" fill="{colour}">{escape(said)}</text>'


if __name__ == "__main__":
    sys.stdout.write(svg(sys.stdin.read()))
