"""The weights of scalar mixes: which layers a task draws on, tasks downwards, encoders across.

Weights are shares that sum to 1 (Peters et al. 2018, "Deep contextualized word representations",
equation 1). The problem is not convex: whiskers go from the lowest to the highest weight that any
starting point gave. The line is the centre of gravity (Tenney et al. 2019, "BERT Rediscovers the
Classical NLP Pipeline", section 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.errors import DataError
from .layer_scores import asking, is_mix
from .ordering import natural
from .palette import COLOURS
from .panels import SMALL, Picture, encoder_grid, legend
from .records import Record
from .variants import variants

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEIGHT = 1.1  # inches a row


@dataclass(frozen=True)
class Mix:
    """The weights (layers,) of the mix of all layers, those of each start, and their centre."""

    task: str
    encoder: str
    weights: tuple[float, ...]
    starts: tuple[tuple[float, ...], ...]
    centre: float


def mix_weights(records: Sequence[Record]) -> Picture:
    """Bars for the weights of the mixes of all layers. Raises DataError where there is none.

    Single layers are in no mix's plot, nor are mixes of some of the layers.
    """
    found, left_out = mixes_of(records)
    tasks = sorted({mix.task for mix in found}, key=natural)
    depth = {mix.encoder: len(mix.weights) for mix in found}
    titles = [[task] for task in tasks]
    figure, grid = encoder_grid(titles, list(depth), list(depth.values()), _HEIGHT)
    for row, task in zip(grid, tasks, strict=True):
        for axes, encoder in zip(row, depth, strict=True):
            axes.set_ylim(0, 1)
            for mix in found:
                if (mix.task, mix.encoder) == (task, encoder):
                    _draw(axes, mix)
    legend(figure, _entries(found))
    centres = "; ".join(f"{m.encoder}, {m.task}: {m.centre:.2f}" for m in found)
    return Picture(
        figure,
        f"Weights of the layers in {len(found)} scalar mix{'es' * (len(found) > 1)}, their centres "
        f"of gravity being {centres}.",
        left_out,
    )


def mixes_of(records: Sequence[Record]) -> tuple[list[Mix], tuple[str, ...]]:
    """The mixes of all layers, by encoder and task, and lines that say what is none."""
    mixes = [record for record in records if is_mix(record)]
    if not mixes:
        raise DataError("no weights of mixes here", cure=f"`probe mix {asking(records)}` fits them")
    whole = [record for record in mixes if record.key.layer == record.layers - 1]
    found = [
        _mix(record, f"{record.key.encoder} ({label})" if label else record.key.encoder)
        for record, (label, _) in zip(whole, variants(whole), strict=True)
        if record.status == "ok"
    ]
    if not found:
        raise DataError(
            "no mix of all layers here that was fitted", cure="`probe mix` tells what went wrong"
        )
    found.sort(key=lambda mix: (natural(mix.encoder), natural(mix.task)))
    left_out = []
    if failed := len(whole) - len(found):
        left_out.append(f"{failed} that failed; `probe mix` tells why")
    if partly := len(mixes) - len(whole):
        left_out.append(f"{partly} of mixes of some of the layers")
    return found, tuple(f"not drawn: {line}" for line in left_out)


def _mix(record: Record, encoder: str) -> Mix:
    chosen: Any = record.chosen
    try:
        weights = tuple(map(float, chosen["weights"]))
        starts = tuple(tuple(map(float, start["weights"])) for start in chosen["starts"])
        if {len(each) for each in (weights, *starts)} != {record.layers}:
            raise ValueError(f"not one for each of {record.layers} layers")
        return Mix(record.key.task, encoder, weights, starts, record.scores["centre_of_gravity"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"the record of a mix has no weights ({type(error).__name__}: {error})",
            where=f"{record.key.encoder}, {record.key.task}, id {record.id}",
            cure="`probe mix` makes records that have them",
        ) from error


def _draw(axes: Axes, mix: Mix) -> None:
    layers = range(len(mix.weights))
    axes.bar(layers, mix.weights, width=0.75, color=COLOURS[5], edgecolor="black", linewidth=0.5)
    if len(mix.starts) > 1:
        ends = list(zip(*mix.starts, strict=True))
        axes.vlines(layers, list(map(min, ends)), list(map(max, ends)), color="black", linewidth=1)
    axes.axhline(1 / len(layers), color="0.35", linewidth=0.7, linestyle=":")
    axes.axvline(mix.centre, color=COLOURS[1], linewidth=1)
    axes.text(
        0.98,
        0.95,
        f"{mix.centre:.2f}",
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=SMALL,
        color=COLOURS[1],
    )


def _entries(found: Sequence[Mix]) -> list[tuple[Any, str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    entries: list[tuple[Any, str]] = [
        (Patch(facecolor=COLOURS[5], edgecolor="black", linewidth=0.5), "weight in the mix"),
        (Line2D([], [], color=COLOURS[1], linewidth=1), "centre of gravity"),
        (Line2D([], [], color="0.35", linewidth=0.7, linestyle=":"), "all weights alike"),
    ]
    if any(len(mix.starts) > 1 for mix in found):
        spread = Line2D([], [], color="black", linewidth=1)
        entries.append((spread, "lowest to highest over starting points"))
    return entries
