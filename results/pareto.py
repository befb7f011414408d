"""What a layer knows against the time to reach it, and the front that no other layer beats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.errors import DataError, UsageError
from . import speed, table
from .label_places import Box, Point, place
from .layer_scores import Curve, Panel, is_ensemble, is_mix, panels_of
from .lettering import shortened
from .palette import Look, looks
from .panels import PAGE, SMALL, Picture, legend, small_multiples, title
from .records import Record
from .render import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEIGHT, _ALONE = 3.0, 3.6  # inches a panel, and one alone
_LONGEST = 20  # characters of an encoder's name at a point
_LONGEST_MACHINE = 48
_LETTER = 5.5  # points
_POINT, _AWAY = 3.5, 5.0  # points: half a marker's side, and from it to its label
_FAR = 60.0  # points that the label of a layer on the front may be away
_WIDE = 30.0  # times the fastest, above which an axis has fewer numbers
_LEADER: dict[str, Any] = {"arrowstyle": "-", "linewidth": 0.5, "color": "0.4", "shrinkB": 1.5}
_FRONT: dict[str, Any] = {"color": "0.6", "linewidth": 2.5, "alpha": 0.6, "zorder": 2}


class Layer(NamedTuple):
    """One layer of an encoder: milliseconds to reach it, and its score."""

    curve: Curve
    layer: int
    time: float
    score: float


class Measured(NamedTuple):
    """A panel's layers, each with its time; ``machine`` says on what it was measured."""

    panel: Panel
    machine: str
    layers: tuple[Layer, ...]


def pareto(records: Sequence[Record], *, metric: str | None = None) -> Picture:
    """A panel a task and machine: scores against milliseconds, on a logarithmic axis.

    Times are medians at the smallest size that was timed. Layers of the Pareto front are named,
    with a line to the name where that had to go further; others where there is room beside them.
    Raises DataError where no encoder that has scores was timed, UsageError for a metric that no
    record has or that has no better end.
    """
    measured, left_out = _measured(records, metric)
    curves = [layer.curve for each in measured for layer in each.layers]
    styles = looks(curve.family for curve in curves)
    names = shortened((curve.label for curve in curves), _LONGEST)
    titles = shortened(styles, _LONGEST)
    alone = len(measured) == 1
    figure, grid = small_multiples(len(measured), _ALONE if alone else _HEIGHT, alone=PAGE)
    machines = shortened((each.machine for each in measured), _LONGEST_MACHINE)
    for axes, each in zip(grid, measured, strict=True):
        _draw(axes, each, styles)
        title(axes, each.panel.task, each.panel.score)
        axes.set_xlabel(f"ms to reach the layer, {machines[each.machine]}", fontsize=SMALL)
    legend(figure, _entries(styles, titles))
    # Labels are placed on the page as it is laid out.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes, each in zip(grid, measured, strict=True):
        _name(axes, each, names)
    return Picture(figure, _summary(measured), left_out)


def front(layers: Sequence[Layer], lower_is_better: bool) -> list[Layer]:
    """Those that no other is at least as fast and as good as, and better in one; fastest first.

    Of layers alike in both, the first stands for all.
    """
    sign = -1.0 if lower_is_better else 1.0
    found: list[Layer] = []
    for layer in sorted(layers, key=lambda layer: (layer.time, -sign * layer.score)):
        if not found or sign * layer.score > sign * found[-1].score:
            found.append(layer)
    return found


def _measured(
    records: Sequence[Record], metric: str | None
) -> tuple[list[Measured], tuple[str, ...]]:
    panels, left_out = panels_of(records, metric)
    if unranked := [panel.metric for panel in panels if not table.is_ranked(panel.metric)]:
        raise UsageError(f"more {unranked[0]} is not better", where="--metric", cure="take another")
    times = _times(records)
    measured = []
    for panel in panels:
        for machine, by_layer in times.items():
            layers = tuple(
                Layer(curve, layer, time, cell.value)
                for curve in panel.curves
                for layer, cell in sorted(curve.cells.items())
                if cell.value is not None
                and (time := by_layer.get((curve.name, curve.variant, layer))) is not None
            )
            if layers:
                measured.append(Measured(panel, machine, layers))
    timed = {layer.curve.label for each in measured for layer in each.layers}
    lacking = {
        curve.label: curve.name
        for panel in panels
        for curve in panel.curves
        if curve.label not in timed
    }
    asked = " ".join(f"-e {name}" for name in dict.fromkeys(lacking.values()))
    cure = f"`probe time {asked}` measures them"
    if not measured:
        raise DataError("no times of these encoders here", cure=f"{cure}; give that folder too")
    if lacking:
        left_out = (*left_out, f"not drawn: {len(lacking)} encoders without times; {cure}")
    return measured, left_out


def _times(records: Sequence[Record]) -> Mapping[str, Mapping[tuple[str, str, int], float]]:
    """For each size and machine that was timed, milliseconds by name, variant and layer."""
    scores, costs = speed.split(records)
    singles = [record for record in scores if not (is_mix(record) or is_ensemble(record))]
    built = table.build(singles)
    joined = speed.beside(built, [*singles, *costs])
    weights = {record.key.fingerprint for record in singles}
    devices = {str(c.key.settings["device"]) for c in costs if c.key.fingerprint in weights}
    found = {}
    for index in range(len(built.columns), len(joined.columns)):
        name = joined.columns[index].metric.partition("(")[2].removesuffix(")")
        if len(joined.columns) == len(built.columns) + 1:
            name = ", ".join([name, *devices])
        found[name] = {
            (row.name, row.variant, row.layer): value
            for row in joined.rows
            if row.layer is not None and (value := row.cells[index].value) is not None
        }
    return found


def _draw(axes: Axes, measured: Measured, styles: Mapping[str, Look]) -> None:
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    by_curve: dict[str, list[Layer]] = {}
    for layer in measured.layers:
        by_curve.setdefault(layer.curve.label, []).append(layer)
    for layers in by_curve.values():
        curve = layers[0].curve
        look = styles[curve.family]._replace(twin=curve.twin).line() | {"linewidth": 0.6}
        axes.plot([one.time for one in layers], [one.score for one in layers], **look, zorder=3)
    times = [layer.time for layer in measured.layers]
    first, last = min(times), max(times)
    if first > 0:  # what took less than the clock can tell has no logarithm
        axes.set_xscale("log")
        subs = (1, 2, 5) if last / first > _WIDE else (1, 1.5, 2, 3, 5, 7)
        axes.xaxis.set_major_locator(LogLocator(subs=subs))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
    end = last * 1.6 or 1.0
    axes.set_xlim(first / 1.25, end)
    best = front(measured.layers, table.lower_is_better(measured.panel.metric))
    axes.step(
        [*(one.time for one in best), end],
        [*(one.score for one in best), best[-1].score],
        where="post",
        **_FRONT,
    )
    axes.margins(y=0.12)
    axes.grid(alpha=0.25, linewidth=0.5)


def _name(axes: Axes, measured: Measured, names: Mapping[str, str]) -> None:
    """Write ``encoder@layer`` at the points of the front, at others where there is room."""
    from matplotlib.figure import Figure
    from matplotlib.patheffects import withStroke

    figure = axes.figure
    assert isinstance(figure, Figure)
    point = figure.dpi / 72  # pixels
    best = front(measured.layers, table.lower_is_better(measured.panel.metric))
    ordered = [*best, *(layer for layer in measured.layers if layer not in best)]
    spots = axes.transData.transform([(layer.time, layer.score) for layer in ordered])
    texts = [f"{names[layer.curve.label]}@{layer.layer}" for layer in ordered]
    points = []
    for place_, ((x, y), text) in enumerate(zip(spots, texts, strict=True)):
        drawn = axes.text(0, 0, text, fontsize=_LETTER)
        size = drawn.get_window_extent()
        drawn.remove()
        reach = _FAR if place_ < len(best) else _AWAY
        points.append(Point(x, y, size.width, size.height, reach * point))
    half = _POINT * point
    taken = [Box(x - half, y - half, x + half, y + half) for x, y in spots]
    frame = axes.get_window_extent()
    boxes = place(points, Box(*frame.extents), taken, _AWAY * point)
    back = axes.transData.inverted()
    halo = [withStroke(linewidth=1.5, foreground="white")]  # over the lines that it crosses
    for layer, spot, text, box in zip(ordered, spots, texts, boxes, strict=True):
        if box is None:
            continue
        x, y = back.transform(((box.left + box.right) / 2, (box.bottom + box.top) / 2))
        axes.annotate(
            text,
            (layer.time, layer.score),
            xytext=(float(x), float(y)),
            fontsize=_LETTER,
            ha="center",
            va="center",
            color="black" if layer in best else "0.35",
            arrowprops=_LEADER if box.distance(*spot) > 1.5 * _AWAY * point else None,
            path_effects=halo,
            zorder=5,
        )


def _entries(styles: Mapping[str, Look], names: Mapping[str, str]) -> list[tuple[Any, str]]:
    from matplotlib.lines import Line2D

    entries: list[tuple[Any, str]] = [
        (Line2D([], [], **look.line()), names[family]) for family, look in styles.items()
    ]
    return [*entries, (Line2D([], [], **_FRONT), "Pareto front")]


def _summary(measured: Sequence[Measured]) -> str:
    parts = []
    for each in measured:
        best = front(each.layers, table.lower_is_better(each.panel.metric))
        points = ", ".join(
            f"{one.curve.label}@{one.layer} ({number(one.time, 'ms')} ms, "
            f"{number(one.score, each.panel.metric)})"
            for one in best
        )
        parts.append(f"{each.panel.title}: {points}")
    size = next(iter(dict.fromkeys(each.machine for each in measured)))
    return (
        f"Scores against milliseconds to reach a layer ({size}); no layer is both faster and "
        f"better than, on {'; on '.join(parts)}."
    )
