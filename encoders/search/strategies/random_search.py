"""The strategy that every other has to beat."""

from __future__ import annotations

import random

from ..protocols import Estimate, SearchSpace, Trial
from .unseen import Unseen


class RandomSearch:
    """Candidates as the space draws them, none twice; None when no new one is found any more."""

    def __init__(self, space: SearchSpace, seed: int = 0, evaluations: int | None = None) -> None:
        self._unseen = Unseen(space, random.Random(seed))

    def ask(self) -> Trial | None:
        """A new candidate."""
        candidate = self._unseen.anywhere()
        return None if candidate is None else Trial(candidate)

    def tell(self, trial: Trial, estimate: Estimate) -> None:
        """Nothing is learnt."""
