"""The loss of a candidate that is trained: in full, or on a share of the words."""

from __future__ import annotations

from ....core.errors import UsageError
from ..protocols import Estimate, Setting, Trial
from .brief_training import BriefTraining


class FullTraining:
    """Trains a biLM of the candidate, in full unless the strategy asks for less.

    It reads ``trial.fidelity`` of the setting's words. ``points`` are the measurements of its
    curve, each on ``held_out_words`` words. The learning rate falls to the end of the trial's own
    words. UsageError for a setting without text or a space of other things than cells, and for
    options that are none.
    """

    _name = "training"

    def __init__(
        self,
        setting: Setting,
        points: int = 5,
        held_out_words: int = 20_000,
        device: str = "cpu",
    ) -> None:
        where = f"--estimator {self._name}"
        if points < 1:
            raise UsageError(f"{points} points of a curve", where=where, cure="take 1 or more")
        self._points = points
        self._training = BriefTraining(setting, where, held_out_words, device)

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        """The held-out loss, inf if it diverged. DataError for a cell that has not this width.

        ``details``: the ``parameters`` of both stacks, the ``words`` read, the ``seconds`` and the
        ``curve`` of words and cross-entropies.
        """
        return self._trained(trial.candidate, trial.fidelity, seed)

    def _trained(self, candidate: str, share: float, seed: int) -> Estimate:
        words = self._training.setting.words * share
        course = self._training.run(candidate, words, seed, self._points)
        return Estimate((course.loss,), details=course.details())


class LowFidelity(FullTraining):
    """Trains on a share of the words, a tenth, with a schedule of their own.

    (Elsken et al. 2019, arXiv 1808.05377, section 4.) The loss is higher than that of a full
    training: only the ranks are meant, so it is no measured one.
    """

    _name = "low-fidelity"

    def __init__(
        self,
        setting: Setting,
        share: float = 0.1,
        points: int = 1,
        held_out_words: int = 20_000,
        device: str = "cpu",
    ) -> None:
        if not 0 < share < 1:
            raise UsageError(
                f"a share of {share:g}", where=f"--estimator {self._name}", cure="between 0 and 1"
            )
        super().__init__(setting, points, held_out_words, device)
        self._share = share

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        """As ``FullTraining`` does it, on fewer words."""
        brief = self._trained(trial.candidate, trial.fidelity * self._share, seed)
        return Estimate(brief.losses, measured=False, details=brief.details)
