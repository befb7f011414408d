"""Fronts, crowding and the order of candidates with several losses."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence

import pytest
from scipy.stats import rankdata

from layerwise.encoders.search.front import (
    best_first,
    crowding,
    dominates,
    front_ranks,
    pareto_front,
    positions,
)


def peeled(losses: Sequence[Sequence[float]]) -> list[int]:
    """Ranks by their definition: take the front away, again and again."""
    ranks = [-1] * len(losses)
    left = set(range(len(losses)))
    for rank in itertools.count():
        if not left:
            return ranks
        front = {
            at
            for at in left
            if not any(
                all(a <= b for a, b in zip(losses[other], losses[at], strict=True))
                and tuple(losses[other]) != tuple(losses[at])
                for other in left
            )
        }
        for at in front:
            ranks[at] = rank
        left -= front
    raise AssertionError


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_ranks_are_those_of_peeling(seed: int, objectives: int) -> None:
    rng = random.Random(seed)
    # Few values, so that ties and equal candidates occur.
    losses = [tuple(float(rng.randrange(6)) for _ in range(objectives)) for _ in range(30)]
    assert front_ranks(losses) == peeled(losses)
    assert pareto_front(losses) == [at for at, rank in enumerate(peeled(losses)) if rank == 0]


def test_domination_is_a_strict_order() -> None:
    points = list(itertools.product(range(3), repeat=2))
    for first, second in itertools.product(points, repeat=2):
        expected = first != second and first[0] <= second[0] and first[1] <= second[1]
        assert dominates(first, second) == expected


def test_crowding_of_a_front_worked_by_hand() -> None:
    # Ranges 4 and 8: the inner ones have (3 - 0) / 4 + (8 - 2) / 8 and (4 - 1) / 4 + (4 - 0) / 8.
    front = [(0.0, 8.0), (1.0, 4.0), (3.0, 2.0), (4.0, 0.0)]
    assert crowding(front) == [math.inf, 0.75 + 0.75, 0.75 + 0.5, math.inf]
    assert crowding([(1.0, 2.0), (1.0, 2.0)]) == [0.0, 0.0]
    assert crowding([]) == []


def test_what_failed_is_last_and_on_no_front() -> None:
    losses = [(math.inf, 0.0), (2.0, 2.0), (math.nan, 1.0), (1.0, 3.0), (3.0, 3.0)]
    assert pareto_front(losses) == [1, 3]
    assert front_ranks(losses) == [2, 0, 2, 0, 1]
    assert best_first(losses) == [1, 3, 4, 0, 2]
    assert positions(losses) == [3.5, 0.5, 3.5, 0.5, 2.0]
    assert pareto_front([(math.inf, 1.0)]) == []


@pytest.mark.parametrize("seed", range(10))
def test_one_loss_goes_by_its_rank(seed: int) -> None:
    rng = random.Random(seed)
    losses = [(rng.choice([1.0, 2.0, 2.5, math.inf, rng.random()]),) for _ in range(25)]
    assert positions(losses) == [rank - 1 for rank in rankdata([each[0] for each in losses])]
    best = best_first(losses)
    assert [losses[at] for at in best] == sorted(losses)
    assert sorted(best) == list(range(25))


def test_on_one_front_the_lonelier_goes_first() -> None:
    losses = [(0.0, 10.0), (1.0, 9.0), (2.0, 8.0), (8.0, 1.0), (10.0, 0.0)]
    # Both ranges are 10; around 1, 2 and 3 the gaps are 2 + 2, 7 + 8 and 8 + 8.
    assert best_first(losses) == [0, 4, 3, 2, 1]
