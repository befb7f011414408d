"""Regularised evolution: the oldest die, whatever they are worth."""

from __future__ import annotations

import random
from collections import deque

from ..front import Losses, best_first, failed
from ..protocols import Estimate, SearchSpace, Trial
from .option import require
from .unseen import Unseen


class Evolution:
    """Aging evolution (Real et al. 2019, arXiv 1802.01548, algorithm 1).

    The first ``population`` candidates are random. Then each question is a mutation of the best of
    ``tournament`` members, drawn without repetition, and its answer takes the place of the oldest
    member. ``crossover`` is the share of children that are crossed from the winners of two
    tournaments (0 in the paper). Unlike in the paper, no candidate is asked about twice: a child
    that was is drawn anew, and after 100 such draws a candidate at random. Members that failed age
    like others, and win no tournament while there is another member.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        evaluations: int | None = None,
        *,
        population: int = 20,
        tournament: int = 5,
        crossover: float = 0.0,
    ) -> None:
        require(population >= 1, "population", population, "take 1 member or more")
        require(
            1 <= tournament <= population, "tournament", tournament, "1 to as many as the members"
        )
        require(0 <= crossover <= 1, "crossover", crossover, "take a share from 0 to 1")
        self._space = space
        self._generator = random.Random(seed)
        self._tournament = tournament
        self._crossover = crossover
        self._first = population
        self._unseen = Unseen(space, self._generator)
        self._members: deque[tuple[str, Losses]] = deque(maxlen=population)

    @property
    def population(self) -> list[str]:
        """The candidates that may have children, the oldest first."""
        return [candidate for candidate, _ in self._members]

    def ask(self) -> Trial | None:
        """A child, or a candidate at random."""
        candidate = None
        if len(self._unseen) >= self._first and self._members:
            candidate = self._unseen.near(self._child)
        if candidate is None:
            candidate = self._unseen.anywhere()
        return None if candidate is None else Trial(candidate)

    def tell(self, trial: Trial, estimate: Estimate) -> None:
        """The candidate joins, and the oldest of a full population dies."""
        self._members.append((trial.candidate, estimate.losses))

    def _child(self) -> str:
        if self._crossover and self._generator.random() < self._crossover:
            return self._space.cross(self._winner(), self._winner(), self._generator)
        return self._space.mutate(self._winner(), self._generator)

    def _winner(self) -> str:
        sound = [member for member in self._members if not failed(member[1])]
        members = sound or list(self._members)
        drawn = self._generator.sample(members, min(self._tournament, len(members)))
        return drawn[best_first([losses for _, losses in drawn])[0]][0]
