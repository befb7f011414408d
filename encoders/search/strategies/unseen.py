"""Candidates that were not asked about before."""

from __future__ import annotations

import random
from collections.abc import Callable, Container

from ..protocols import SearchSpace

NEAR = 100
"""How often a small change is drawn before the neighbourhood counts as seen."""

ANYWHERE = 5_000
"""How often a candidate is drawn at random before the space counts as seen."""


class Unseen:
    """Draws candidates of a space with ``generator``, and gives each of them once."""

    def __init__(self, space: SearchSpace, generator: random.Random) -> None:
        self._space = space
        self._generator = generator
        self._given: set[str] = set()

    def __len__(self) -> int:
        """How many were given."""
        return len(self._given)

    def near(self, draw: Callable[[], str]) -> str | None:
        """One that ``draw`` gives by a small change; None where all of 100 draws were given."""
        return self._kept(draw_unseen(draw, self._given, NEAR))

    def anywhere(self) -> str | None:
        """One at random; None where all of 5,000 draws were given."""
        return self._kept(
            draw_unseen(lambda: self._space.sample(self._generator), self._given, ANYWHERE)
        )

    def _kept(self, candidate: str | None) -> str | None:
        if candidate is not None:
            self._given.add(candidate)
        return candidate


def draw_unseen(draw: Callable[[], str], seen: Container[str], tries: int) -> str | None:
    """The first that ``draw`` gives and that is not ``seen``; None after so many ``tries``."""
    for _ in range(tries):
        candidate = draw()
        if candidate not in seen:
            return candidate
    return None
