"""A square matrix over words for a terminal: numbers on shades, or shades where it is wide."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text

from .console import console
from .escaping import visible

_LONGEST = 14  # columns for a word
_SHADES = " ░▒▓█"
_STOPS = (
    (0.0, (0, 34, 78)),
    (0.25, (61, 78, 108)),
    (0.5, (123, 122, 119)),
    (0.75, (187, 172, 107)),
    (1.0, (254, 232, 56)),
)
"""Of the colours of cividis, as in the pictures."""


def to_terminal(
    values: NDArray[np.float64], words: Sequence[str], *, width: int = 100, styled: bool = False
) -> str:
    """The matrix (words, words) as lines of at most ``width`` columns.

    Columns are numbered as the rows are. Values run to 1; below 0 has the darkest shade.
    ``styled`` is for a terminal; without it there are no escape sequences.
    """
    numbers = [str(place + 1) for place in range(len(words))]
    digits = len(numbers[-1])
    names = [f"{n:>{digits}} {visible(word)}" for n, word in zip(numbers, words, strict=True)]
    head = min(max(map(cell_len, names)), digits + 1 + _LONGEST)
    for size in (5, max(2, digits + 1), 1):
        if head + size * len(words) <= width or size == 1:
            break
    top = " " * head + "".join(_heading(n, size, place) for place, n in enumerate(numbers))
    lines = [Text(top.rstrip() if not styled else top, style="dim")]
    for name, row in zip(names, values, strict=True):
        line = Text(set_cell_size(name, head))
        for value in row:
            line.append_text(_cell(float(value), size, styled))
        if not styled:
            line.rstrip()
        lines.append(line)
    return _printed(lines, width, styled)


def _heading(number: str, size: int, place: int) -> str:
    if size > len(number):
        return number.rjust(size)
    # One column a word has room for the tens' last digit only.
    return number[-1]


def _cell(value: float, size: int, styled: bool) -> Text:
    shade = min(max(value, 0.0), 1.0)
    if size == 5:
        text = f"{round(value, 2) + 0.0:.2f}".replace("0.", ".", 1).rjust(5)
    elif styled:
        text = " " * size
    else:
        return Text((_SHADES[min(int(5 * shade), 4)] * max(size - 1, 1)).rjust(size))
    if not styled:
        return Text(text)
    red, green, blue = _colour(shade)
    ink = "black" if shade > 0.5 else "white"
    return Text(text, style=Style.parse(f"{ink} on rgb({red},{green},{blue})"))


def _colour(shade: float) -> tuple[int, int, int]:
    for (low, dark), (high, light) in pairwise(_STOPS):
        if shade <= high:
            part = (shade - low) / (high - low)
            r, g, b = (round(a + part * (z - a)) for a, z in zip(dark, light, strict=True))
            return r, g, b
    return _STOPS[-1][1]


def _printed(lines: Sequence[Text], width: int, styled: bool) -> str:
    out = io.StringIO()
    page = console(out, width, colours="truecolor" if styled else None)
    for line in lines:
        page.print(line, no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)
    return out.getvalue()
