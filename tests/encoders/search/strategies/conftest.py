"""Small spaces, and a search in them."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Callable, Sequence

import pytest

from layerwise.encoders.search.protocols import Estimate, Strategy, Trial
from layerwise.encoders.search.space.sampling import RECURRENT, Space, sample_distinct
from layerwise.encoders.search.tables.nasbench_201 import NasBench201
from layerwise.encoders.search.tables.neighbourhood import CellTable

Answer = Callable[[Trial], Sequence[float]]
Run = Callable[[Strategy, Answer, int], list[Trial]]


@pytest.fixture(scope="session")
def thirty() -> CellTable:
    """Thirty different cells of up to 5 nodes."""
    cells = sample_distinct(Space(RECURRENT, most=5), random.Random(0), 30)
    return CellTable("thirty", [str(cell) for cell in cells])


class Watched(NasBench201):
    """Six digits, and the parents of all mutations that were asked for."""

    def __init__(self) -> None:
        super().__init__("digits", {}, {})
        self.parents: list[str] = []

    def mutate(self, candidate: str, generator: random.Random) -> str:
        self.parents.append(candidate)
        return super().mutate(candidate, generator)


@pytest.fixture
def digits() -> Watched:
    return Watched()


@pytest.fixture(scope="session")
def run() -> Run:
    """Asks and tells until there is nothing left or a number of questions is reached."""

    def questions(strategy: Strategy, answer: Answer, most: int) -> list[Trial]:
        asked = []
        while len(asked) < most and (trial := strategy.ask()) is not None:
            strategy.tell(trial, Estimate(tuple(answer(trial))))
            asked.append(trial)
        return asked

    return questions


@pytest.fixture(scope="session")
def hashed() -> Answer:
    """Losses that mean nothing, a sixth of them inf."""

    def losses(trial: Trial) -> Sequence[float]:
        digest = hashlib.sha256(trial.candidate.encode()).digest()
        return (math.inf if digest[0] % 6 == 0 else float(digest[1]),)

    return losses
