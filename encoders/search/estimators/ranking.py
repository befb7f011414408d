"""The estimator ``renas``: some candidates are truly evaluated, the rest are ranked by those."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from ....core.errors import UsageError
from ....core.registry import load
from ..predictor.fit import LEAST, Loss, Model, RankingPredictor
from ..protocols import Estimate, Estimator, Setting, Trial
from ..require_cells import require_cells
from ..space.grammar import Cell, parse

Array = NDArray[Any]


class Ranking:
    """Fits a ranking predictor to what another estimator measured, and measures the best it finds.

    (ReNAS: Xu et al. 2021, arXiv 1910.01523, repeated.) The estimator ``truth`` evaluates the first
    ``first`` candidates. Then each is predicted, and one whose score is among the best ``share`` of
    the last ``batch`` candidates is evaluated in truth, at once, as nobody asks twice. After every
    ``batch`` candidates the predictor is fitted anew to all that was measured. Scores become losses
    by isotonic regression on scores of measured cells that a member of the predictor had not seen.

    What is measured is measured with the full effort, whatever the fidelity that is asked for.
    ``options`` go to ``truth``. Raises UsageError for a space whose candidates are not cells.
    """

    def __init__(
        self,
        setting: Setting,
        truth: str = "table",
        first: int = 40,
        batch: int = 20,
        share: float = 0.2,
        model: Model = "trees",
        loss: Loss = "pairwise",
        **options: Any,
    ) -> None:
        if truth == "renas":
            raise UsageError("cannot measure", where="truth renas", cure="take table or training")
        if first < LEAST or batch < 1 or not 0 <= share <= 1:
            raise UsageError(
                f"first {first}, batch {batch} and share {share:g} are not possible",
                where="--estimator renas",
                cure=f"take {LEAST} or more, 1 or more, and 0 to 1",
            )
        require_cells(setting.space, "--estimator renas")
        self.first, self.batch, self.share, self.model, self.loss = first, batch, share, model, loss
        self._truth: Estimator = load("estimator", truth)(setting, **options)
        self._told: dict[tuple[str, int], Estimate] = {}
        self._fit: _Fit | None = None
        self._fitted_to = 0

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        """The measured loss, or a predicted one with ``measured`` False; once told, it stays.

        ``details`` of a prediction are its score and the number of cells that were measured before.
        """
        asked = trial.candidate, seed
        if asked not in self._told:
            self._told[asked] = self._answer(parse(trial.candidate), trial, seed)
        return self._told[asked]

    def remember(self, trial: Trial, estimate: Estimate, seed: int = 0) -> None:
        """An answer of before, told again in the order of the answers when a search is resumed."""
        own = replace(estimate, losses=estimate.losses[:1])  # the loop may have added objectives
        self._told.setdefault((trial.candidate, seed), own)

    def _answer(self, cell: Cell, trial: Trial, seed: int) -> Estimate:
        fit = self._latest_fit()
        if fit is None:
            return self._truth.estimate(Trial(trial.candidate), seed)
        score = float(fit.predictor.predict([cell])[0])
        if score <= fit.bar:
            return self._truth.estimate(Trial(trial.candidate), seed)
        loss = float(fit.calibration.predict([score])[0])
        return Estimate((loss,), measured=False, details={"score": score, "known": fit.known})

    def _latest_fit(self) -> _Fit | None:
        """The fit to the last full batch and those before; None while all is measured."""
        batches, _ = divmod(len(self._told) - self.first, self.batch)
        if batches < 0:
            return None
        told = self.first + batches * self.batch
        if told != self._fitted_to:
            self._fit, self._fitted_to = self._fitted(told), told
        return self._fit

    def _fitted(self, told: int) -> _Fit | None:
        """None where there is nothing to rank by: all have diverged, or are alike."""
        answers = list(self._told.items())[:told]
        known = [(parse(text), each.losses[0]) for (text, _), each in answers if each.measured]
        losses = np.array([loss for _, loss in known])
        if len(set(losses)) == 1 or not np.isfinite(losses).any():
            return None
        predictor = RankingPredictor(self.model, self.loss, seed=told)
        predictor.fit([cell for cell, _ in known], losses.tolist())
        latest = predictor.predict([parse(text) for (text, _), _ in answers[-self.batch :]])
        return _Fit(predictor, losses, float(np.quantile(latest, self.share)))


class _Fit:
    """A fitted predictor, the map of its scores to losses, and the score worth a measurement."""

    def __init__(self, predictor: RankingPredictor, losses: Array, bar: float) -> None:
        self.predictor, self.bar, self.known = predictor, bar, len(losses)
        finite = np.isfinite(losses)
        self.calibration = IsotonicRegression(out_of_bounds="clip")
        self.calibration.fit(predictor.held_out[finite], losses[finite])
