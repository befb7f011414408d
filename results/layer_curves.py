"""Layer curves: what each layer of each encoder knows, one panel a task.

Bands are the scores' intervals. Encoders of one layer and the baselines are horizontal lines; one
that would press the curves together is named at the edge with its score instead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .layer_scores import Curve, Panel, best_of, panels_of
from .lettering import shortened
from .palette import Look, looks
from .panels import LONGEST_NAME, SMALL, TEXT, Picture, layer_axis, legend, small_multiples, title
from .records import Record
from .render import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST_BESIDE = 20  # characters of a name beside a panel
_HEIGHT = 1.9  # inches a panel
_STRETCH = 0.3  # by which baselines may lengthen the axis that the curves need
_LINE = 0.065  # of the axis' length, a line of small text
_GREY = "0.35"
_RING: dict[str, Any] = {
    "marker": "o",
    "markersize": 7,
    "markerfacecolor": "none",
    "markeredgecolor": "black",
    "markeredgewidth": 0.7,
    "linestyle": "none",
}


class Line(NamedTuple):
    """A horizontal line and its name, plain."""

    name: str
    low: float
    high: float


def layer_curves(
    records: Sequence[Record], *, metric: str | None = None, relative: bool = False
) -> Picture:
    """Scores by layer with their intervals, the best layer of each trained encoder ringed.

    ``relative`` puts layer l of L at l / L, so that encoders of different depth can be compared.
    A twin with random weights is dashed in its encoder's colour. Raises DataError where nothing
    is measured, UsageError for a metric that no record has.
    """
    panels, left_out = panels_of(records, metric)
    curves = [curve for panel in panels for curve in panel.curves]
    styles = looks(curve.family for curve in curves if curve.layers > 1)
    names = shortened(styles, LONGEST_NAME)
    lines = [curve.label for curve in curves if curve.layers == 1]
    lines += [level.name for panel in panels for level in panel.levels]
    beside = shortened(lines, _LONGEST_BESIDE)
    figure, grid = small_multiples(len(panels), _HEIGHT)
    for axes, panel in zip(grid, panels, strict=True):
        _draw(axes, panel, styles, beside, relative)
    if styles:
        drawn = any(cell.interval for curve in curves for cell in curve.cells.values())
        confidence = {r.interval.confidence for r in records if drawn and r.interval is not None}
        legend(figure, _entries(curves, styles, names, confidence))
    best = "; ".join(f"{panel.title}: {found}" for panel in panels if (found := best_of(panel)))
    encoders = len({curve.label for curve in curves})
    summary = (
        f"Scores by layer of {encoders} encoder{'s' * (encoders > 1)} on {len(panels)} "
        f"task{'s' * (len(panels) > 1)}" + (f", the best being {best}." if best else ".")
    )
    return Picture(figure, summary, left_out)


def _draw(
    axes: Axes,
    panel: Panel,
    styles: Mapping[str, Look],
    names: Mapping[str, str],
    relative: bool,
) -> None:
    title(axes, panel.task, panel.score)
    deep = [curve for curve in panel.curves if curve.layers > 1]
    for curve in deep:
        _curve(axes, curve, styles[curve.family]._replace(twin=curve.twin), relative)
    lines = [
        Line(names[curve.label], value, value)
        for curve in panel.curves
        if curve.layers == 1 and (value := curve.cells[0].value) is not None
    ] + [Line(names[level.name], level.low, level.high) for level in panel.levels]
    _lines(axes, lines, panel.metric, *_span(deep, lines))
    if relative:
        axes.set_xlabel("depth (0: context-free, 1: last layer)", fontsize=TEXT)
        axes.set_xlim(-0.05, 1.05)
    else:
        layer_axis(axes, max((curve.layers for curve in deep), default=1))
    axes.grid(axis="y", alpha=0.25, linewidth=0.5)


def _curve(axes: Axes, curve: Curve, look: Look, relative: bool) -> None:
    layers = sorted(curve.cells)
    cells = [curve.cells[layer] for layer in layers]
    x = [layer / (curve.layers - 1) if relative else float(layer) for layer in layers]
    # A failed layer is a gap in the line.
    y = [math.nan if cell.value is None else cell.value for cell in cells]
    low, high = (
        [cell.interval[end] if cell.interval else math.nan for cell in cells] for end in (0, 1)
    )
    behind = 0.5 if look.twin else 0.0
    alpha = 0.06 if look.twin else 0.12
    axes.fill_between(x, low, high, color=look.colour, alpha=alpha, linewidth=0, zorder=2 - behind)
    axes.plot(x, y, **look.line(), zorder=3 - behind)
    best = [(a, b) for a, b, cell in zip(x, y, cells, strict=True) if cell.best]
    if best and not curve.twin:
        axes.plot(*zip(*best, strict=True), **_RING, zorder=4)


def _span(curves: Sequence[Curve], lines: Sequence[Line]) -> tuple[float, float]:
    """The ends of the y axis: all of the curves, and the lines that are near them."""
    values = [
        value
        for curve in curves
        for cell in curve.cells.values()
        for value in (cell.value, *(cell.interval or ()))
        if value is not None
    ] or [value for line in lines for value in (line.low, line.high)]
    low, high = min(values), max(values)
    room = _STRETCH * (high - low)
    near = [v for line in lines for v in (line.low, line.high) if low - room <= v <= high + room]
    low, high = min([low, *near]), max([high, *near])
    edge = 0.06 * (high - low) or 0.05
    return low - edge, high + edge


def _lines(axes: Axes, lines: Sequence[Line], metric: str, low: float, high: float) -> None:
    """Draw those within the axis; name each at the right, one below the other."""
    axes.set_ylim(low, high)
    places = []
    for line in sorted(lines, key=lambda line: (line.low + line.high, line.name)):
        text, middle = line.name, (line.low + line.high) / 2
        if not low <= middle <= high:
            ends = dict.fromkeys(number(end, metric) for end in (line.low, line.high))
            text += f" {'–'.join(ends)} {'↓' if middle < low else '↑'}"
        elif line.low < line.high:
            axes.axhspan(line.low, line.high, color=_GREY, alpha=0.15, linewidth=0, zorder=1)
        else:
            axes.axhline(middle, color=_GREY, linewidth=0.7, linestyle=":", zorder=1)
        places.append((text, min(max(middle, low), high)))
    heights = spread([y for _, y in places], (high - low) * _LINE, low, high)
    right = axes.get_yaxis_transform()
    for (text, y), height in zip(places, heights, strict=True):
        axes.plot(
            [1, 1.03], [y, height], color=_GREY, linewidth=0.5, transform=right, clip_on=False
        )
        axes.text(1.04, height, text, fontsize=SMALL, color=_GREY, va="center", transform=right)


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The places, in rising order, moved so that neighbours are ``gap`` apart within the ends.

    Where the ends are too near for that, the gap is as large as it can be.
    """
    if len(places) > 1:
        gap = min(gap, (high - low) / (len(places) - 1))
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + gap) if moved else max(place, low))
    ceiling = high
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], ceiling)
        ceiling = moved[i] - gap
    return moved


def _entries(
    curves: Sequence[Curve],
    styles: Mapping[str, Look],
    names: Mapping[str, str],
    confidence: set[float],
) -> list[tuple[Any, str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    trained = {curve.family for curve in curves if not curve.twin}
    twins = {curve.family for curve in curves if curve.twin}
    entries: list[tuple[Any, str]] = []
    for family, look in styles.items():
        alone = family not in trained
        text = f"{names[family]}, random weights" if alone else names[family]
        entries.append((Line2D([], [], **look._replace(twin=alone).line()), text))
    if twins & trained:
        dashed = Look(_GREY, "o", twin=True)
        entries.append((Line2D([], [], **dashed.line()), "the same with random weights"))
    if any(cell.best for c in curves if not c.twin for cell in c.cells.values()):
        entries.append((Line2D([], [], **_RING), "best layer"))
    if confidence:
        text = " and ".join(f"{100 * share:g} %" for share in sorted(confidence))
        entries.append((Patch(color=_GREY, alpha=0.25, linewidth=0), f"{text} interval"))
    return entries
