"""Colours, markers and dashes of pictures: told apart by the colour-blind, and in grey print.

The colours are those of Okabe and Ito (2008, "Color universal design"), without yellow, which is
too light for a line on white. Each colour has a marker, so that nothing rests on hue alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
SCORE, CONTROL = COLOURS[:2]
"""Of what is measured, and of the control that it is set against."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "h")
HEAT = "cividis"
"""From dark to light also in grey print (Nunez et al. 2018)."""

_DASHED = (0, (4, 1.5))


class Look(NamedTuple):
    """How a line is drawn; that of a twin with random weights is dashed, its markers hollow."""

    colour: str
    marker: str
    twin: bool = False

    def line(self) -> dict[str, Any]:
        """For ``Axes.plot``."""
        return {
            "color": self.colour,
            "marker": self.marker,
            "markersize": 3.0,
            "markeredgewidth": 0.7,
            "markerfacecolor": "white" if self.twin else self.colour,
            "linewidth": 0.9 if self.twin else 1.2,
            "linestyle": _DASHED if self.twin else "-",
        }


def looks(families: Iterable[str]) -> dict[str, Look]:
    """A look for each name, in order; the first 56 are all different."""
    return {
        name: Look(COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)])
        for i, name in enumerate(dict.fromkeys(families))
    }


def ink_on(colour: tuple[float, float, float]) -> str:
    """Black or white, whichever stands out more from an sRGB colour of parts in [0, 1].

    By the contrast ratio of WCAG 2.2, (lighter + 0.05) / (darker + 0.05) of relative luminances.
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    luminance = sum(part * c for part, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "black" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "white"
