"""The loss curve of trainings as a picture, drawn from their logs in JSONL.

A log's lines are those of ``probe pretrain``: ``loss`` is a cross-entropy in nats a word, which a
perplexity on held-out text is the exponential of. Colours are those of Okabe and Ito (2008), which
the colour-blind can tell apart, and lines differ in their dashes too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from .picture import check_ending, save

By = Literal["words", "steps", "minutes"]

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES = ("-", "--", "-.", ":")
_AXES = {
    "words": "words read (millions)",
    "steps": "steps",
    "minutes": "training time (minutes)",
}


@dataclass(frozen=True)
class Curve:
    """A log's points: places along the axis and cross-entropies in nats a word, line by line.

    ``sampled`` tells that the training loss is one of a sampled softmax, which compares with
    nothing.
    """

    name: str
    train: list[tuple[float, float]]
    held_out: list[tuple[float, float]]
    sampled: bool


def read_curve(log: Path, name: str, by: By = "words") -> Curve:
    """The curve of a log; a line cut off by a kill is passed. Raises DataError for an empty one."""
    lines: dict[int, dict[str, Any]] = {}
    try:
        for line in log.read_text(encoding="utf-8").splitlines():
            try:
                found = json.loads(line)
                lines[found["step"]] = found  # of a step done twice the later counts
            except (ValueError, KeyError, TypeError):
                continue
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("no log can be read here", where=str(log)) from error
    ordered = [lines[step] for step in sorted(lines)]
    sampled = any("sampled_loss" in line for line in ordered)
    train = [
        (_place(line, by, log), float(line[key]))
        for line in ordered
        for key in ("loss", "sampled_loss")
        if key in line
    ]
    held_out = [
        (_place(line, by, log), math.log(measured["mean"]))
        for line in ordered
        # In logs of version 0.1 the perplexities stand in the line itself.
        if "mean" in (measured := line.get("held_out", line))
    ]
    if not train:
        raise DataError("holds no line of a training", where=str(log))
    return Curve(name, train, held_out, sampled)


def draw(curves: Sequence[Curve], outputs: Sequence[Path], by: By = "words") -> None:
    """Lay the curves over one another, in every file; its ending decides the format."""
    # Figures of their own rather than pyplot's, which would be the process's.
    from matplotlib.figure import Figure

    for output in outputs:
        check_ending(output)
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for i, curve in enumerate(curves):
        colour, dash = _COLOURS[i % len(_COLOURS)], _DASHES[i % len(_DASHES)]
        label = "train (sampled softmax)" if curve.sampled else "train"
        axes.plot(*_columns(curve.train), dash, color=colour, alpha=0.45, linewidth=1)
        axes.lines[-1].set_label(f"{curve.name}, {label}")
        if curve.held_out:
            axes.plot(*_columns(curve.held_out), dash, color=colour, marker="o", markersize=4)
            axes.lines[-1].set_label(f"{curve.name}, held-out")
    axes.set_xlabel(_AXES[by])
    axes.set_ylabel("cross-entropy (nats a word)")
    both_ways: Any = (np.exp, _log)
    perplexity = axes.secondary_yaxis("right", functions=both_ways)
    perplexity.set_ylabel("perplexity")
    if len(round_numbers := _round_numbers(*np.exp(axes.get_ylim()))) > 1:
        perplexity.set_yticks(round_numbers)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    for output in outputs:
        save(figure, output)


def _place(line: dict[str, Any], by: By, log: Path) -> float:
    key, unit = {"words": ("words_seen", 1e6), "steps": ("step", 1), "minutes": ("seconds", 60)}[by]
    if key not in line:
        raise DataError(f"has no {key!r}", where=str(log), cure="take --by steps")
    return float(line[key]) / unit


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def _log(perplexity: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithm, of an axis that begins at 0 until its limits are set."""
    return np.log(np.maximum(perplexity, 1e-9))


def _round_numbers(low: float, high: float) -> list[float]:
    """1, 2, 5, 10, 20, 50 and so on, from low to high."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    numbers = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5)]
    return [number for number in numbers if low <= number <= high]
