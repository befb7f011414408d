"""The strategy that every other has to beat."""

from __future__ import annotations

import random

from ..protocols import Estimate, SearchSpace, Trial
from .unseen import ANYWHERE, draw_unseen


class RandomSearch:
    """Candidates as the space draws them, none twice; None when no new one is found any more."""

    def __init__(self, space: SearchSpace, seed: int = 0, evaluations: int | None = None) -> None:
        self._space = space
        self._generator = random.Random(seed)
        self._seen: set[str] = set()

    def ask(self) -> Trial | None:
        """A new candidate."""
        candidate = draw_unseen(lambda: self._space.sample(self._generator), self._seen, ANYWHERE)
        if candidate is None:
            return None
        self._seen.add(candidate)
        return Trial(candidate)

    def tell(self, trial: Trial, estimate: Estimate) -> None:
        """Nothing is learnt."""
