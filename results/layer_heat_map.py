"""Scores as numbers on colours: encoders downwards, layers across, one panel and scale a task."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .layer_scores import Panel, best_of, panels_of
from .lettering import shortened
from .palette import HEAT, ink_on
from .panels import COLUMN, PAGE, SMALL, TEXT, Picture, small_multiples, title
from .records import Record
from .render import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW = 0.17  # inches an encoder
_AROUND = 0.55  # inches above and below the rows
_FEW = 8  # layers up to which two panels stand side by side
_MANY = 26  # layers above which numbers have no room
_LONGEST = 20  # characters of an encoder's name
_CELL = 5.0  # points, a number
_FAILED = "×"


def layer_heat_map(records: Sequence[Record], *, metric: str | None = None) -> Picture:
    """The score of each layer of each encoder, its best layer's in bold, × where a unit failed.

    The colours of a panel go from the lowest score of its task to the highest, so that they
    compare encoders and not tasks. Raises DataError where nothing is measured, UsageError for a
    metric that no record has.
    """
    panels, left_out = panels_of(records, metric)
    layers = max(curve.layers for panel in panels for curve in panel.curves)
    names = shortened((curve.label for panel in panels for curve in panel.curves), _LONGEST)
    rows = max(len(panel.curves) for panel in panels)
    # One row of numbers needs the page's width where layers are many.
    figure, grid = small_multiples(
        len(panels),
        _AROUND + _ROW * rows,
        across=2 if layers <= _FEW else 1,
        alone=COLUMN if layers <= _FEW else PAGE,
    )
    for axes, panel in zip(grid, panels, strict=True):
        _draw(axes, panel, layers, names)
    figure.supxlabel(
        "layer; bold: best of the encoder; colours run from the panel's lowest score (dark) up",
        fontsize=SMALL,
    )
    best = "; ".join(f"{panel.title}: {found}" for panel in panels if (found := best_of(panel)))
    summary = (
        f"Scores of {len(names)} encoder{'s' * (len(names) > 1)} by layer as a heat map of "
        f"{len(panels)} task{'s' * (len(panels) > 1)}" + (f", the best being {best}." * bool(best))
    )
    return Picture(figure, summary, left_out)


def _draw(axes: Axes, panel: Panel, layers: int, names: Mapping[str, str]) -> None:
    values = np.full((len(panel.curves), layers), math.nan)
    for row, curve in enumerate(panel.curves):
        for layer, cell in curve.cells.items():
            values[row, layer] = math.nan if cell.value is None else cell.value
    image = axes.imshow(np.ma.masked_invalid(values), cmap=HEAT, aspect="auto")
    for row, curve in enumerate(panel.curves):
        for layer, cell in curve.cells.items():
            if cell.value is None:
                axes.text(layer, row, _FAILED, ha="center", va="center", fontsize=_CELL)
            elif layers <= _MANY:
                red, green, blue, _ = image.to_rgba(np.array([cell.value]))[0]
                axes.text(
                    layer,
                    row,
                    _digits(cell.value, panel.metric),
                    ha="center",
                    va="center",
                    fontsize=_CELL,
                    color=ink_on((red, green, blue)),
                    weight="bold" if cell.best else "normal",
                )
    title(axes, panel.task, panel.score)
    axes.set_xticks(range(0, layers, math.ceil(layers / _MANY)))
    axes.set_yticks(range(len(panel.curves)), [names[curve.label] for curve in panel.curves])
    axes.tick_params(labelsize=SMALL, length=0)
    axes.tick_params(axis="y", labelsize=TEXT - 0.5)
    for side in axes.spines.values():
        side.set_visible(False)


def _digits(value: float, metric: str) -> str:
    """At most three digits where there is room for no more: ``.931``, ``12.4``, ``2382``."""
    if abs(value) < 1:
        return number(value, metric).replace("0.", ".", 1)
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
