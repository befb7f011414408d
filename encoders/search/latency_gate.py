"""A latency budget: what is surely slower by a cost model is not asked about.

Surely is by the lower bound of the model's interval: a candidate is passed over where even that is
above the budget. The pass that is predicted is one text of 128 words through both stacks of the
setting, in one thread.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from ...core.errors import DataError, UsageError
from .cost_features import Features, Shape, cell_features
from .cost_model import CostModel
from .journal import SKIPPED
from .loop import Remembering, objectives_of
from .protocols import Estimate, Estimator, Setting, Trial
from .require_cells import require_cells
from .space.aliases import read_cell
from .space.grammar import Cell, parse
from .stack_depth import stack_depth

_FLAG = "--latency-budget"
_WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s)\s*")
_KNOWN = "rnn"  # a cell that any width can have


def milliseconds(text: str) -> float:
    """``5ms``, ``0.2s``. Raises UsageError for anything else, and for nothing."""
    found = _WRITTEN.fullmatch(text)
    value = float(found[1]) * (1000 if found[2] == "s" else 1) if found else 0.0
    if not value:
        raise UsageError(f"{text!r} is no time", where=_FLAG, cure="such as 5ms or 0.2s")
    return value


class LatencyGate:
    """An estimator that answers for what another would be asked, unless it is surely too slow.

    The answer for such a candidate is an estimate with losses of inf, with ``SKIPPED`` among its
    details: how long it would take, and in what its description is beyond what the model knows.
    Raises UsageError for a model of something else than milliseconds of cells, for one without
    intervals, and for candidates that are no cells.
    """

    def __init__(
        self, estimator: Estimator, model: CostModel, budget: float, setting: Setting
    ) -> None:
        require_cells(setting.space, _FLAG, "take the space cell or nasbench-nlp")
        kind, unit = model.facts.get("kind"), model.facts.get("unit")
        if (kind, unit) != ("cells", "ms"):
            raise UsageError(
                f"is a model of {model.facts.get('cost')} of {kind}, not of the latency of cells",
                where="--cost-model",
                cure="make one with `probe cost fit` from cells",
            )
        self._estimator, self._model = estimator, model
        self._budget, self._setting = budget, setting
        self.names: Sequence[str] = getattr(estimator, "names", ("",))
        if not model.interval([self._features(read_cell(_KNOWN))])[0][0] > 0:
            raise UsageError(
                "has too few measurements for intervals",
                where="--cost-model",
                cure="fit it to more",
            )

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        """What the estimator says, or that the candidate is skipped."""
        try:
            features = self._features(parse(trial.candidate))
        except DataError:
            return self._estimator.estimate(trial, seed)  # it says what is wrong
        low, high = (float(bound[0]) for bound in self._model.interval([features]))
        if low <= self._budget:
            return self._estimator.estimate(trial, seed)
        told = {
            "milliseconds": float(self._model.predict([features])[0]),
            "interval": [low, high],
            "beyond": self._model.outside(features),
        }
        return Estimate((math.inf,) * objectives_of(self), measured=False, details={SKIPPED: told})

    def remember(self, trial: Trial, estimate: Estimate, seed: int = 0) -> None:
        """Pass an answer on, if it is the estimator's own."""
        if isinstance(self._estimator, Remembering) and SKIPPED not in estimate.details:
            self._estimator.remember(trial, estimate, seed)

    def _features(self, cell: Cell) -> Features:
        setting = self._setting
        return cell_features(cell, Shape(dim=setting.dim, layers=stack_depth(cell, setting)))
