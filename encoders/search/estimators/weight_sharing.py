"""The loss of a candidate with weights that all candidates share, and none of its own."""

from __future__ import annotations

import math

from ....core.errors import UsageError
from ..protocols import Estimate, Setting, Trial
from ..supernet import Supernet
from .brief_training import BriefTraining


class WeightSharing:
    """Asks one shared network, trained once, which has the weights of every cell.

    It reads ``share`` of the setting's words. The fidelity of a trial changes nothing, since the
    candidate is not trained. A loss with shared weights is far above that of a training: only the
    ranks are meant. UsageError for a setting without text or a space of other things than cells,
    and for options that are none.
    """

    def __init__(
        self,
        setting: Setting,
        share: float = 1.0,
        held_out_words: int = 20_000,
        device: str = "cpu",
    ) -> None:
        where = "--estimator weight-sharing"
        if share <= 0:
            raise UsageError(f"a share of {share:g}", where=where, cure="take one above 0")
        self._share = share
        self._training = BriefTraining(setting, where, held_out_words, device)
        self._supernets: dict[int, Supernet] = {}

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        """The held-out loss, or the judge's, with the supernet of that seed.

        It is inf for none, and for a cell that could not be trained, its gradient not finite.
        ``details``: the share of the stacks' weights that are ``inherited``, the rest being drawn,
        and the ``steps`` of the supernet. DataError for a cell that has not the setting's width.
        """
        self._training.settings(trial.candidate)  # before the supernet is trained
        if seed not in self._supernets:
            words = self._training.setting.words * self._share
            self._supernets[seed] = Supernet(self._training, words, seed)
        supernet = self._supernets[seed]
        model, inherited = supernet.model(trial.candidate)
        details = {"inherited": round(inherited, 4), "steps": supernet.steps}
        trainable = supernet.can_be_trained(model)
        loss = self._training.judged(model) if trainable else math.inf
        return Estimate((loss,), measured=False, details=details)
