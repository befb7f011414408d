"""Estimates without a training: a score of the cell with random weights, in a fraction of a second.

The loss is the negative score, in units of the score's own: it ranks cells and says nothing of
their cross-entropy.
"""

from __future__ import annotations

from typing import Any, Literal

from ....core.errors import UsageError
from ..protocols import Estimate, Setting, Trial
from ..require_cells import require_cells
from ..space.grammar import parse
from ..training_free.probe_batch import Spread, random_batch, text_batch
from ..training_free.recording import record
from ..training_free.scores import find, value

_WHERE = "training-free"


class TrainingFree:
    """Scores untrained cells: rank and reach, or another ``score``, such as hidden-covariance-1.

    All are in ``training_free.scores.SCORES``. ``layers`` untrained layers of ``width`` channels
    read the first ``batch`` stretches of ``time`` words of the setting's text, or random words
    where it has none. Neither the setting's own sizes nor a trial's fidelity change that: a score
    is at its best where it was measured.

    UsageError for an unknown score, for what is no size, and for a space of other things than
    cells; DataError for too little text.
    """

    def __init__(
        self,
        setting: Setting,
        *,
        score: str = "rank-and-reach",
        width: int = 32,
        layers: int = 3,
        batch: int = 64,
        time: int = 24,
        spread: Spread = "unit",
    ) -> None:
        for name, size, least in (
            ("width", width, 2),
            ("layers", layers, 1),
            ("batch", batch, 2),
            ("time", time, 4),
        ):
            if size < least:
                raise UsageError(f"{name} {size}", where=_WHERE, cure=f"take {least} or more")
        require_cells(setting.space, _WHERE)
        self._score = find(score, layers)
        self._width, self._layers, self._spread = width, layers, spread
        self._batch = (
            text_batch(setting.text, batch, time) if setting.text else random_batch(batch, time)
        )

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        """The negative score, inf where there is none, as for a cell whose states explode.

        The seed is that of weights and of words' vectors. DataError for a candidate that is no
        cell, or none of this width.
        """
        recording = record(
            parse(trial.candidate),
            self._batch,
            dim=self._width,
            layers=self._layers,
            seed=seed,
            spread=self._spread,
        )
        return Estimate((-value(self._score, recording),), measured=False)


def naswot(
    setting: Setting,
    *,
    score: Literal["naswot", "naswot-preactivation"] = "naswot",
    spread: Spread = "narrow",
    **options: Any,
) -> TrainingFree:
    """NASWOT: the kernel of an untrained cell's activation codes, as for NAS-Bench-NLP.

    ``naswot-preactivation`` has the signs of what is activated. ``options`` are those of
    ``TrainingFree``.
    """
    return TrainingFree(setting, score=score, spread=spread, **options)
