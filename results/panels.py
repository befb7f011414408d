"""The page that pictures are laid out on: small multiples and grids, in widths for print.

One column of a journal is 3.3 inches wide, a page's text 6.8.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .escaping import visible
from .lettering import shortened
from .picture import save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMN, PAGE = 3.3, 6.8  # inches
TITLE, TEXT, SMALL = 8.0, 7.0, 6.0  # points
LONGEST_NAME = 28  # characters of an encoder's name
_LONGEST_TITLE = 48
_LONGEST_ROW = 20
_NARROWEST = 0.75  # inches a panel of a grid
_A_LAYER = 0.16  # inches a layer in a grid
_MANY = 7  # encoders side by side whose names need small letters
_DPI = 200  # as in a PNG: letters of another resolution are not as wide
_TICKS = 9  # at most, of an axis of layers
_ROWS, _ROW = 3, 0.125  # of a legend, those that a page has room for, and the inches of one more
_SIGN, _HANDLE = 0.052, 0.45  # inches a character of a legend, and what stands before a text


@dataclass(frozen=True)
class Picture:
    """A figure, a sentence that says what it shows to who cannot see it, and what it leaves out."""

    figure: Figure
    summary: str
    left_out: tuple[str, ...] = ()

    def write(self, path: Path) -> None:
        """Into a PNG, PDF or SVG with the sentence in its metadata. The same bytes each time."""
        save(self.figure, path, description=visible(" ".join([self.summary, *self.left_out])))


def small_multiples(
    count: int, height: float, *, across: int = 2, alone: float = COLUMN
) -> tuple[Figure, list[Axes]]:
    """So many panels, each ``height`` inches high, at most so many side by side.

    One panel alone is ``alone`` inches wide.
    """
    across = min(across, count)
    down = math.ceil(count / across)
    width = alone if across == 1 else PAGE
    figure = _page(width, height * down + 0.5)
    grid = list(figure.subplots(down, across, squeeze=False).flat)
    for axes in grid[count:]:
        axes.set_axis_off()
    for axes in grid[:count]:
        axes.tick_params(labelsize=SMALL, width=0.6, length=2.5)
    return figure, grid[:count]


def encoder_grid(
    titles: Sequence[Sequence[str]],
    encoders: Sequence[str],
    layers: Sequence[int],
    height: float,
) -> tuple[Figure, list[list[Axes]]]:
    """Tasks downwards, encoders across, as wide as they have layers; one y axis for each row.

    ``titles`` are the lines beside each row.
    """
    widths = [max(_NARROWEST, _A_LAYER * count) for count in layers]
    fixed = sum(widths) + 0.6
    width = COLUMN if fixed <= COLUMN else max(PAGE, fixed)
    figure = _page(width, height * len(titles) + 0.7)
    grid = figure.subplots(
        len(titles),
        len(encoders),
        squeeze=False,
        sharex="col",
        sharey="row",
        width_ratios=widths,
    )
    heads = shortened(encoders, max(14, LONGEST_NAME - 3 * len(encoders)))
    for row, lines in zip(grid, titles, strict=True):
        text = "\n".join(_shortened(line, _LONGEST_ROW) for line in lines)
        row[0].set_ylabel(text, fontsize=TEXT)
        for axes in row:
            axes.tick_params(labelsize=SMALL, width=0.6, length=2.5)
    for axes, encoder in zip(grid[0], encoders, strict=True):
        axes.set_title(heads[encoder], fontsize=TEXT if len(encoders) < _MANY else SMALL)
    for axes, count in zip(grid[-1], layers, strict=True):
        layer_axis(axes, count)
    return figure, grid.tolist()


def title(axes: Axes, task: str, score: str) -> None:
    """A panel's title; a long task is shortened, and a score only where it leaves no room."""
    score = _shortened(score, _LONGEST_TITLE - _LONGEST_ROW // 2)
    task = _shortened(task, max(_LONGEST_TITLE - len(score), _LONGEST_ROW // 2))
    axes.set_title(f"{task}, {score}", fontsize=TITLE, loc="left")


def layer_axis(axes: Axes, layers: int) -> None:
    """An x axis of so many layers, from 0."""
    axes.set_xlabel("layer", fontsize=TEXT)
    axes.set_xlim(-0.5, layers - 0.5)
    axes.set_xticks(range(0, layers, math.ceil(layers / _TICKS)))


def legend(figure: Figure, entries: Sequence[tuple[Any, str]], *, across: int = 6) -> None:
    """Below all panels. Texts must be plain already."""
    longest = max(len(text) for _, text in entries)
    across = max(1, min(across, int(figure.get_figwidth() / (_SIGN * longest + _HANDLE))))
    rows = math.ceil(len(entries) / across)
    figure.set_figheight(figure.get_figheight() + max(0, rows - _ROWS) * _ROW)
    figure.legend(
        [artist for artist, _ in entries],
        [text for _, text in entries],
        loc="outside lower center",
        ncols=across,
        fontsize=SMALL,
        frameon=False,
        handlelength=2.6,
        columnspacing=1.2,
    )


def _page(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    engine: Any = figure.get_layout_engine()
    engine.set(w_pad=0.07, h_pad=0.05)
    return figure


def _shortened(text: str, longest: int) -> str:
    return shortened([text], longest)[text]
