"""From a candidate to the first better neighbour, and anew from where there is none."""

from __future__ import annotations

import random

from ..front import Losses, dominates, failed
from ..protocols import Estimate, SearchSpace, Trial
from .option import require
from .unseen import Unseen


class LocalSearch:
    """First-improvement hill climbing with restarts (cf. White et al. 2021, arXiv 2005.02960).

    From a candidate at random, new neighbours are asked about one by one, and the first that is
    better (with several objectives: that dominates) is the next to stand on. After ``patience``
    neighbours in a row that were no better, or when no new neighbour is found, the search begins
    anew at random. A candidate that failed is never stood on.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        evaluations: int | None = None,
        *,
        patience: int = 30,
    ) -> None:
        require(patience >= 1, "patience", patience, "take 1 neighbour or more")
        self._space = space
        self._generator = random.Random(seed)
        self._patience = patience
        self._unseen = Unseen(space, self._generator)
        self._standing: str | None = None
        self._losses: Losses = ()
        self._no_better = 0

    def ask(self) -> Trial | None:
        """A new neighbour, or a new candidate at random."""
        candidate = None
        if self._standing is not None:
            if self._no_better < self._patience:
                standing = self._standing
                candidate = self._unseen.near(lambda: self._space.mutate(standing, self._generator))
            if candidate is None:
                self._standing = None
        if candidate is None:
            candidate = self._unseen.anywhere()
        return None if candidate is None else Trial(candidate)

    def tell(self, trial: Trial, estimate: Estimate) -> None:
        """Step to what is better."""
        if failed(estimate.losses):
            self._no_better += 1
        elif self._standing is None or dominates(estimate.losses, self._losses):
            self._standing, self._losses = trial.candidate, estimate.losses
            self._no_better = 0
        else:
            self._no_better += 1
