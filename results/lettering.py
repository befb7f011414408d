"""Names as text in pictures: on one line, no formula, of a length that fits, in signs that show."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from .escaping import visible


def shortened(names: Iterable[str], longest: int) -> dict[str, str]:
    """For each name its text for matplotlib, or the two ends of one of more than ``longest`` signs.

    A dollar sign begins no formula; what the font lacks, or what acts on its surroundings, is
    written as an escape. Names that would look the same are numbered.
    """
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):
        text = _drawable(name)
        if len(text) > longest:
            tail = longest // 2
            text = f"{text[: longest - tail - 1]}…{text[-tail:]}"
        own, number = text, 2
        while own in found.values():
            own, number = f"{text} ({number})", number + 1
        found[name] = own
    return {name: text.replace("$", r"\$") for name, text in found.items()}


def _drawable(text: str) -> str:
    known = _signs()
    return "".join(char if ord(char) in known else ascii(char)[1:-1] for char in visible(text))


@cache
def _signs() -> frozenset[int]:
    """The characters that the font of the pictures has."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties())).get_charmap())
