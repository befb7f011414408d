"""Many candidates at little effort, the best of them at more, the best of those at all of it."""

from __future__ import annotations

import random
from collections.abc import Callable

from ..front import Losses, best_first, failed
from ..protocols import Estimate, SearchSpace, Trial
from .option import require
from .unseen import Unseen


def rung_sizes(first: int, eta: int, rungs: int) -> list[int]:
    """How many candidates each rung asks about: a floor of an ``eta``-th of those before."""
    sizes = [first]
    while len(sizes) < rungs:
        sizes.append(sizes[-1] // eta)
    return sizes


class SuccessiveHalving:
    """Brackets of successive halving (Jamieson and Talwalkar 2016, arXiv 1502.07943, figure 1).

    A bracket's first rung asks about random candidates at fidelity eta^-(rungs - 1); each rung
    hands its best ``eta``-th on to the next at ``eta`` times the fidelity, up to 1: so each costs
    about as much as any other. (The paper halves; thirds are Hyperband's, Li et al. 2018, arXiv
    1603.06560.)

    Without ``evaluations``, a bracket has eta^(rungs - 1) candidates and the search goes on with
    new brackets. With them, the first bracket is as large as so many questions allow, with fewer
    rungs where not one candidate would climb them all; where candidates that failed, which are
    never promoted, leave questions over, another bracket has these.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        evaluations: int | None = None,
        *,
        eta: int = 3,
        rungs: int = 4,
    ) -> None:
        require(eta >= 2, "eta", eta, "take 2 or more")
        require(rungs >= 1, "rungs", rungs, "take 1 or more")
        self._unseen = Unseen(space, random.Random(seed))
        self._eta = eta
        self._rungs = rungs
        self._left = evaluations
        self._brackets: list[_Bracket] = []

    def ask(self) -> Trial | None:
        """The next question of the first bracket that has one, or of a new bracket."""
        for bracket in self._brackets:
            if trial := bracket.ask(self._unseen.anywhere):
                return self._counted(trial)
        bracket = self._new_bracket()
        trial = bracket.ask(self._unseen.anywhere)
        if trial is None:
            return None
        self._brackets.append(bracket)
        return self._counted(trial)

    def tell(self, trial: Trial, estimate: Estimate) -> None:
        """Fill the bracket that asked."""
        for bracket in self._brackets:
            bracket.tell(trial, estimate)
        self._brackets = [bracket for bracket in self._brackets if not bracket.over]

    def _counted(self, trial: Trial) -> Trial:
        if self._left is not None:
            self._left = max(self._left - 1, 0)
        return trial

    def _new_bracket(self) -> _Bracket:
        rungs = self._rungs
        if not self._left:
            return _Bracket(rung_sizes(self._eta ** (rungs - 1), self._eta, rungs), self._eta)
        while rungs > 1 and sum(self._eta**rung for rung in range(rungs)) > self._left:
            rungs -= 1
        first = 1
        while sum(rung_sizes(first + 1, self._eta, rungs)) <= self._left:
            first += 1
        return _Bracket(rung_sizes(first, self._eta, rungs), self._eta)


class _Bracket:
    """Rungs of these sizes. A rung is asked once all answers of the one before are there."""

    def __init__(self, sizes: list[int], eta: int) -> None:
        self._sizes = sizes
        self._eta = eta
        self._rung = 0
        self._waiting: list[str] = []  # those that were promoted to this rung
        self._asked: set[str] = set()
        self._told: list[tuple[str, Losses]] = []
        self.over = False

    @property
    def _fidelity(self) -> float:
        return float(self._eta) ** (self._rung + 1 - len(self._sizes))

    def ask(self, new: Callable[[], str | None]) -> Trial | None:
        """A question of the present rung, or None while answers are waited for or at the end."""
        candidate = None
        if self._rung:
            candidate = self._waiting.pop(0) if self._waiting else None
        elif len(self._asked) < self._sizes[0]:
            candidate = new()
            if candidate is None:  # the space is exhausted: this is all that the rung gets
                self._sizes = rung_sizes(len(self._asked), self._eta, len(self._sizes))
                self._climb()
                return self.ask(new) if self._rung and not self.over else None
        if candidate is None:
            return None
        self._asked.add(candidate)
        return Trial(candidate, self._fidelity)

    def tell(self, trial: Trial, estimate: Estimate) -> None:
        """An answer to a question of this rung; others are left alone."""
        if trial.candidate in self._asked and trial.fidelity == self._fidelity:
            self._told.append((trial.candidate, estimate.losses))
            self._climb()

    def _climb(self) -> None:
        """Promote once the rung is asked and told in full."""
        asked_all = not self._waiting if self._rung else len(self._asked) >= self._sizes[0]
        if not asked_all or len(self._told) < len(self._asked):
            return
        sound = [(candidate, losses) for candidate, losses in self._told if not failed(losses)]
        if self._rung + 1 < len(self._sizes) and sound:
            order = best_first([losses for _, losses in sound])
            self._rung += 1
            self._waiting = [sound[at][0] for at in order[: self._sizes[self._rung]]]
        else:
            self._waiting = []
        self._asked, self._told = set(), []
        self.over = not self._waiting
