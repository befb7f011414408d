"""The loss of a full training, told from the first part of its curve."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ....core.errors import DataError, UsageError, did_you_mean
from ..protocols import Estimate, Setting, Table, Trial
from .brief_training import BriefTraining
from .extrapolation import EXTRAPOLATIONS


class LearningCurve:
    """Extrapolates from the first part of a training, or of a published curve, to its end.

    The part is ``share`` times ``trial.fidelity``.
    A setting with text is trained on, with the learning rate of the full training, and measured at
    ``points`` places; without, the curve that a table has published is read. ``extrapolation``
    names one of ``EXTRAPOLATIONS``; without, it is what ranks better: the square-root law for
    published curves, the last loss for trainings, whose falling learning rate bends their curves.

    On the 341 curves of NAS-Bench-NLP's WikiText-2 runs, seen for 5 / 10 / 25 of 50 epochs,
    Kendall's tau to the final test loss is .797 / .858 / .917 by the square-root law,
    .767 / .832 / .934 by the last loss and .731 / .755 / .829 by the power law. On trainings of 12
    cells on 40,000 words, seen for 2 / 5 of 10 points, tau to the last point is 0 / .39 by the
    square-root law, .61 / .91 by the last loss and .61 / .45 by the power law.
    UsageError for a name or a number that is none, for neither text nor a table, and for a judge:
    its curve is not drawn.
    """

    def __init__(
        self,
        setting: Setting,
        share: float = 0.2,
        points: int = 10,
        extrapolation: str | None = None,
        held_out_words: int = 20_000,
        device: str = "cpu",
    ) -> None:
        where = "--estimator learning-curve"
        if extrapolation is not None and extrapolation not in EXTRAPOLATIONS:
            raise UsageError(
                f"no such extrapolation: {extrapolation!r}",
                where=where,
                cure=did_you_mean(extrapolation, EXTRAPOLATIONS),
            )
        if not 0 < share <= 1 or points < 1:
            raise UsageError(
                f"{points} points on a share of {share:g}",
                where=where,
                cure="take a share in (0, 1] and 1 point or more",
            )
        if setting.judge is not None:
            raise UsageError(
                "what a judge says has no learning curve",
                where=where,
                cure="take --estimator training or low-fidelity",
            )
        self._share, self._points = share, points
        self._table: Table | None = None
        if isinstance(setting.space, Table) and not setting.text:
            self._table = setting.space
            self._extrapolate = EXTRAPOLATIONS[extrapolation or "square-root"]
        else:
            self._extrapolate = EXTRAPOLATIONS[extrapolation or "last"]
            self._training = BriefTraining(setting, where, held_out_words, device)

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        """The loss foretold for the whole training; inf for what diverged in the part seen.

        ``details``: ``last``, the last loss seen, the ``share`` seen and, of a training, what
        ``FullTraining`` tells. DataError for a candidate without a published curve.
        """
        share = self._share * trial.fidelity
        if self._table is not None:
            return self._published(self._table.curve(trial.candidate), share, trial.candidate)
        words = self._training.setting.words
        course = self._training.run(trial.candidate, words, seed, self._points, share)
        end = self._training.steps(words) * self._training.words_a_step
        times = [point.words for point in course.curve]
        losses = [point.loss for point in course.curve]
        foretold = self._foretold(times, losses, end) if math.isfinite(course.loss) else math.inf
        seen = {"last": losses[-1] if losses else None, "share": share}
        return Estimate((foretold,), measured=False, details={**course.details(), **seen})

    def _published(self, curve: Sequence[float], share: float, candidate: str) -> Estimate:
        if not curve:
            raise DataError(
                "no learning curve was published",
                where=candidate,
                cure="take --estimator table, or give --text FILE",
            )
        epochs = max(math.ceil(share * len(curve) - 1e-9), 1)
        losses = [float(loss) for loss in curve[:epochs]]
        loss = self._foretold(range(1, epochs + 1), losses, len(curve))
        details = {"epochs": epochs, "last": losses[-1], "share": share}
        return Estimate((loss,), measured=False, details=details)

    def _foretold(self, times: Sequence[float], losses: Sequence[float], end: float) -> float:
        if not all(map(math.isfinite, losses)):
            return math.inf
        if times[-1] >= end:
            return losses[-1]
        foretold = self._extrapolate(times, losses, end)
        return foretold if math.isfinite(foretold) else math.inf
