"""Square matrices over words as pictures: one panel a layer, one scale for all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .escaping import visible
from .picture import check_ending, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = "cividis"
"""Told apart by the colour-blind, and from dark to light also in grey print (Nunez et al. 2018)."""

_CELL = 0.34  # inches a word
_LEAST, _MOST = 2.2, 9.0  # inches a panel
_WIDEST = 22.0  # inches in all
_NUMBERED = 14  # words up to which each cell tells its number
_LONGEST = 16  # characters of a word that are shown
_ACROSS = 4  # panels side by side, at most


@dataclass(frozen=True)
class Panel:
    """A matrix (words, words) and what it is of."""

    title: str
    values: NDArray[np.float64]


def write_heat_map(path: Path, panels: Sequence[Panel], words: Sequence[str], label: str) -> None:
    """Draw the panels as small multiples into a PNG, PDF or SVG, told by the file's ending.

    The scale goes from the lowest value, or 0, to 1, so that panels can be compared. The same
    input gives the same bytes.
    """
    check_ending(path)
    save(_figure(panels, words, label), path)


def _figure(panels: Sequence[Panel], words: Sequence[str], label: str) -> Figure:
    from matplotlib.figure import Figure

    lowest = min(0.0, *(float(panel.values.min()) for panel in panels))
    down = math.ceil(len(panels) / _ACROSS)
    across = math.ceil(len(panels) / down)
    side = min(max(_CELL * len(words), _LEAST), _MOST, _WIDEST / across) + 0.9  # with its words
    figure = Figure(figsize=(side * across + 0.8, side * down), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False)
    names = [_shortened(word) for word in words]
    image: Any = None
    for place, axes in enumerate(grid.flat):
        if place >= len(panels):
            axes.set_axis_off()
            continue
        image = _draw(axes, panels[place], names, lowest)
    figure.colorbar(image, ax=grid, label=label, shrink=0.8, aspect=30)
    return figure


def _draw(axes: Axes, panel: Panel, names: Sequence[str], lowest: float) -> Any:
    image = axes.imshow(panel.values, cmap=_COLOURS, vmin=lowest, vmax=1, interpolation="nearest")
    axes.set_title(_plain(visible(panel.title)), fontsize=10)
    places, size = range(len(names)), 8 if len(names) <= 30 else 5
    axes.set_xticks(places, names, rotation=90, fontsize=size)
    axes.set_yticks(places, names, fontsize=size)
    axes.tick_params(length=0)
    if len(names) <= _NUMBERED:
        middle = (lowest + 1) / 2
        for (row, column), value in np.ndenumerate(panel.values):
            colour = "white" if value < middle else "black"
            text = f"{round(float(value), 2) + 0.0:.2f}".replace("0.", ".", 1)
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=6)
    return image


def _shortened(word: str) -> str:
    text = visible(word)
    return _plain(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def _plain(text: str) -> str:
    # A dollar sign would begin a formula.
    return text.replace("$", r"\$")
