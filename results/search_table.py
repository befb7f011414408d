"""What a search found, as lines of text: its arms side by side, its front, its winner."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .escaping import visible

_DASH = "–"


def number(value: float | None, digits: int = 4) -> str:
    """A loss or a time in four digits; what diverged is ``inf``, what is not known a dash."""
    if value is None:
        return _DASH
    if not math.isfinite(value):
        return "inf"
    if value and abs(value) >= 10**digits:
        return f"{value:,.0f}"
    return f"{value:#.{digits}g}"


def with_interval(value: float | None, interval: tuple[float, float] | None) -> str:
    """``4.461 [4.455, 4.467]``, or the value alone."""
    if interval is None:
        return number(value)
    return f"{number(value)} [{number(interval[0])}, {number(interval[1])}]"


def grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns in a line each, the first flush left, the others flush right, below their heads."""
    texts = [[visible(text) for text in row] for row in (head, *rows)]
    widths = [max(len(row[place]) for row in texts) for place in range(len(head))]
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    lines = [
        "  ".join(
            text.rjust(width) if place else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in texts
    ]
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"
