"""What layers know beside what a probe memorises on them: a score and that of its control.

Selectivity is the distance between the two (Hewitt and Liang 2019, "Designing and Interpreting
Probes with Control Tasks", section 2); code lengths are set against those of the control in the
same way (Voita and Titov 2020, "Information-Theoretic Probing with Minimum Description Length",
section 4).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.errors import DataError, UsageError, did_you_mean
from .layer_scores import Curve, Panel, always, asking, best_of, main_score, scored
from .palette import CONTROL, SCORE, Look
from .panels import Picture, encoder_grid, legend
from .records import Record
from .table import lower_is_better

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CODES = ("codelength_bits", "compression")
_HEIGHT = 1.15  # inches a row
_SHADE = "0.9"


class Names(NamedTuple):
    """What the legend calls the lines and what is between them."""

    score: str
    control: str
    between: str


_Values = Mapping[tuple[str, str, int], float]
"""A score by task, label of the encoder, layer."""


def selectivity(records: Sequence[Record]) -> Picture:
    """The score and the control's by layer, tasks downwards, encoders across.

    The distance between them is shaded; a twin with random weights is dashed, in the panel of its
    encoder. Raises DataError where no control was fitted.
    """
    controls = scored(records, _control)
    if not controls.panels:
        raise DataError(
            "no scores of control tasks here",
            cure=f"`probe run {asking(records)} --controls 1` fits them",
        )
    controlled = {panel.task for panel in controls.panels}
    scores, left_out = scored(records, main_score)
    panels = [panel for panel in scores if panel.task in controlled]
    bare = [panel.task for panel in scores if panel.task not in controlled]
    if bare:
        left_out = (*left_out, f"not drawn: {len(bare)} without controls: {', '.join(bare)}")
    gaps, _ = scored(records, always("selectivity"))
    names = Names("score", "its control", "selectivity")
    figure = _figure(panels, _values(controls.panels), {}, {}, names)
    return Picture(
        figure,
        f"{_extent('Scores and scores of their control', panels)}{_best('selectivity', gaps)}.",
        left_out,
    )


def code_length(records: Sequence[Record], *, metric: str = "codelength_bits") -> Picture:
    """The online code's length in bits by layer and the control's, or the task's compression.

    The band of a length goes from that of its shortest order of the data to its longest. Raises
    DataError where no code was measured, UsageError for another metric.
    """
    if metric not in CODES:
        raise UsageError(
            f"{metric} is no measure of a code", where="--metric", cure=did_you_mean(metric, CODES)
        )
    panels, left_out = scored(records, always(metric))
    if not panels:
        raise DataError(
            "no code lengths here",
            cure=f"`probe run {asking(records)} --codelength` measures them",
        )
    control, low, high = (
        _values(scored(records, always(name)).panels)
        for name in (f"control_{metric}", f"{metric}_lowest", f"{metric}_highest")
    )
    less = " (lower is better)" if lower_is_better(metric) else ""
    names = Names(f"{metric}{less}", "that of its control", "difference")
    figure = _figure(panels, control, low, high, names)
    what = "Code lengths" if metric == CODES[0] else "Compression by online codes"
    return Picture(figure, f"{_extent(what, panels)}{_best('layer', panels)}.", left_out)


def _control(record: Record) -> str:
    return f"control_{record.metric}"


def _values(panels: Sequence[Panel]) -> _Values:
    return {
        (panel.task, curve.label, layer): cell.value
        for panel in panels
        for curve in panel.curves
        for layer, cell in curve.cells.items()
        if cell.value is not None
    }


def _figure(
    panels: Sequence[Panel], control: _Values, low: _Values, high: _Values, names: Names
) -> Any:
    layers: dict[str, int] = defaultdict(int)
    for panel in panels:
        for curve in panel.curves:
            layers[curve.family] = max(layers[curve.family], curve.layers)
    titles = [(panel.task, panel.metric) for panel in panels]
    figure, grid = encoder_grid(titles, list(layers), list(layers.values()), _HEIGHT)
    for row, panel in zip(grid, panels, strict=True):
        for axes, family in zip(row, layers, strict=True):
            axes.grid(axis="y", alpha=0.25, linewidth=0.5)
            for curve in panel.curves:
                if curve.family == family:
                    _draw(axes, panel.task, curve, control, low, high)
    legend(figure, _entries(panels, bool(control), names))
    return figure


def _draw(
    axes: Axes, task: str, curve: Curve, control: _Values, low: _Values, high: _Values
) -> None:
    layers = sorted(curve.cells)
    own = [math.nan if (value := curve.cells[i].value) is None else value for i in layers]

    def at(values: _Values) -> list[float]:
        return [values.get((task, curve.label, layer), math.nan) for layer in layers]

    if control:
        if not curve.twin:
            axes.fill_between(layers, at(control), own, color=_SHADE, linewidth=0, zorder=1)
            if curve.layers == 1:  # nothing to shade between two points
                axes.plot([0, 0], [*at(control), *own], color=_SHADE, linewidth=4, zorder=1)
        axes.plot(layers, at(control), **_control_look(curve.twin).line())
    if low:
        axes.fill_between(layers, at(low), at(high), color=SCORE, alpha=0.15, linewidth=0)
    axes.plot(layers, own, **_score_look(curve.twin).line())


def _score_look(twin: bool) -> Look:
    return Look(SCORE, "o", twin)


def _control_look(twin: bool) -> Look:
    return Look(CONTROL, "s", twin)


def _entries(panels: Sequence[Panel], with_control: bool, names: Names) -> list[tuple[Any, str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    entries: list[tuple[Any, str]] = []
    twins = {curve.twin for panel in panels for curve in panel.curves}
    for twin in sorted(twins):
        note = ", random weights" if twin else ""
        entries.append((Line2D([], [], **_score_look(twin).line()), names.score + note))
        if with_control:
            entries.append((Line2D([], [], **_control_look(twin).line()), names.control + note))
    if with_control:
        entries.append((Patch(color=_SHADE, linewidth=0), names.between))
    return entries


def _extent(what: str, panels: Sequence[Panel]) -> str:
    encoders = len({curve.label for panel in panels for curve in panel.curves})
    return (
        f"{what} by layer of {encoders} encoder{'s' * (encoders > 1)} on "
        f"{len(panels)} task{'s' * (len(panels) > 1)}"
    )


def _best(what: str, panels: Sequence[Panel]) -> str:
    found = "; ".join(f"{panel.task}: {best_of(panel)}" for panel in panels)
    return f", the best {what} being {found}" if found else ""
