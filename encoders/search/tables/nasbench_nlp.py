"""The trained cells of NAS-Bench-NLP as a space (Klyuchnikov et al. 2020, arXiv 2006.07116).

The losses on Penn Treebank are those that Serianni and Kalita published (ACL 2023).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from ....core.errors import DataError, UsageError, did_you_mean
from ..space.canonical import canonical
from ..space.grammar import parse
from ..space.validity import is_valid
from .neighbourhood import CellTable
from .parquet import read_columns

Runs = dict[str, list[float]]


def nasbench_nlp(argument: str = "") -> NasBenchNLP:
    """The cells that were trained on Penn Treebank, or ``wt2``: those on WikiText-2.

    UsageError for another argument, DataError where the table is not.
    """
    if argument not in _TABLES:
        raise UsageError(
            f"no such corpus: {argument!r}",
            where=f"nasbench-nlp:{argument}",
            cure=did_you_mean(argument, filter(None, _TABLES)) + ", or nasbench-nlp alone for PTB",
        )
    return _TABLES[argument]()


class NasBenchNLP(CellTable):
    """Cells and the losses of all of their trainings, in nats a word.

    Recipes that are one cell once dead nodes are dropped are one candidate, and share their runs.
    """

    def __init__(
        self, name: str, runs: Runs, tested: Runs, curves: Mapping[str, Sequence[float]]
    ) -> None:
        super().__init__(name, sorted(runs))
        self._runs, self._tested, self._curves = runs, tested, curves

    def runs(self, candidate: str) -> Sequence[float]:
        """The loss of each training after its last epoch, inf for those that diverged.

        On WikiText-2 on validation data, on Penn Treebank on test data: no others were published.
        """
        return tuple(self._runs[candidate])

    def test_runs(self, candidate: str) -> Sequence[float]:
        """The same on test data, in the order of ``runs``: what a search reports and never sees."""
        return tuple(self._tested[candidate])

    def curve(self, candidate: str) -> Sequence[float]:
        """The loss on validation data after each of 50 epochs on WikiText-2, the mean of the runs.

        The mean is over those that did not diverge; where all did, the longest of them, and inf
        from there on. Empty on Penn Treebank.
        """
        return tuple(self._curves.get(candidate, ()))


@cache
def _penn_treebank() -> NasBenchNLP:
    table = read_columns("ptb_runs.parquet", ["arch", "ptb_test_loss_final"])
    written = _canonical_cells(set(table["arch"]))
    runs: Runs = defaultdict(list)
    for arch, loss in zip(table["arch"], table["ptb_test_loss_final"], strict=True):
        if arch in written:
            runs[written[arch]].append(_finite_or_inf(loss))
    return NasBenchNLP("nasbench-nlp", dict(runs), dict(runs), {})


@cache
def _wikitext() -> NasBenchNLP:
    table = read_columns("wt2_runs.parquet", ["arch", "val_losses", "test_losses"])
    written = _canonical_cells(set(table["arch"]))
    validated: dict[str, list[list[float]]] = defaultdict(list)
    tested: dict[str, list[list[float]]] = defaultdict(list)
    rows = zip(table["arch"], table["val_losses"], table["test_losses"], strict=True)
    for arch, on_validation, on_test in rows:
        if arch in written:
            validated[written[arch]].append([_finite_or_inf(loss) for loss in on_validation])
            tested[written[arch]].append([_finite_or_inf(loss) for loss in on_test])
    epochs = max(len(curve) for curves in validated.values() for curve in curves)
    return NasBenchNLP(
        "nasbench-nlp:wt2",
        {cell: [_last(curve, epochs) for curve in curves] for cell, curves in validated.items()},
        {cell: [_last(curve, epochs) for curve in curves] for cell, curves in tested.items()},
        {cell: _mean(curves, epochs) for cell, curves in validated.items()},
    )


_TABLES: dict[str, Callable[[], NasBenchNLP]] = {"": _penn_treebank, "wt2": _wikitext}


def _canonical_cells(wanted: set[str]) -> dict[str, str]:
    """The canonical cell of each architecture, but for those whose output no word reaches."""
    table = read_columns("archs.parquet", ["arch", "cell"])
    found = {}
    for arch, text in zip(table["arch"], table["cell"], strict=True):
        if arch in wanted:
            cell = canonical(parse(text))
            if is_valid(cell):
                found[arch] = str(cell)
    if not found:
        raise DataError("holds no cell of the runs", where="archs.parquet", cure="get it anew")
    return found


def _finite_or_inf(loss: float | None) -> float:
    return loss if loss is not None and math.isfinite(loss) else math.inf


def _last(curve: list[float], epochs: int) -> float:
    """What the training came to: one that stopped before the last epoch diverged."""
    return curve[-1] if len(curve) == epochs else math.inf


def _mean(curves: list[list[float]], epochs: int) -> list[float]:
    whole = [curve for curve in curves if _last(curve, epochs) < math.inf]
    if whole:
        return [float(loss) for loss in np.mean(whole, axis=0)]
    longest = max(curves, key=len)
    return longest + [math.inf] * (epochs - len(longest))
