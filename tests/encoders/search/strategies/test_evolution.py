"""Aging evolution."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from layerwise.encoders.search.protocols import Trial
from layerwise.encoders.search.strategies.evolution import Evolution

Run = Callable[..., list[Trial]]


@pytest.mark.parametrize("objectives", [1, 2])
def test_the_oldest_dies_and_the_best_member_has_the_children(
    digits: Any, run: Run, hashed: Callable[[Trial], tuple[float, ...]], objectives: int
) -> None:
    def losses(trial: Trial) -> tuple[float, ...]:
        return tuple(hashed(trial)) * objectives

    strategy = Evolution(digits, seed=0, population=8, tournament=8)
    told: list[Trial] = run(strategy, losses, 8)
    assert not digits.parents
    for _ in range(60):
        assert strategy.population == [trial.candidate for trial in told[-8:]]
        digits.parents.clear()
        told += run(strategy, losses, 1)
        # A tournament of all members: the parent is the best of the last eight, whatever the
        # best of all was. One that failed has no child, as one of eight never did here.
        best = min(losses(trial) for trial in told[-9:-1])
        assert best[0] < math.inf
        assert {losses(Trial(parent)) for parent in digits.parents} == {best}


def test_a_tournament_is_a_draw_without_repetition(digits: Any, run: Run) -> None:
    # Of 10 members with the losses 0 to 9, the winner of 3 is k with C(9 - k, 2) / C(10, 3).
    strategy = Evolution(digits, seed=0, population=10, tournament=3)
    order = {trial.candidate: at for at, trial in enumerate(run(strategy, lambda _: (0.0,), 10))}
    strategy = Evolution(digits, seed=0, population=10, tournament=3)
    run(strategy, lambda trial: (float(order[trial.candidate]),), 10)
    digits.parents.clear()
    draws = 400
    for _ in range(draws):
        strategy.ask()  # without answers, the members stay
    for k in range(10):
        share = math.comb(9 - k, 2) / math.comb(10, 3)
        wins = sum(order[parent] == k for parent in digits.parents)
        total = len(digits.parents)
        assert abs(wins - total * share) < 4.5 * math.sqrt(total * share * (1 - share)) + 1e-9


def test_the_only_sound_member_has_all_children(digits: Any, run: Run) -> None:
    strategy = Evolution(digits, seed=0, population=6, tournament=1)
    asked: list[Trial] = []

    def losses(trial: Trial) -> tuple[float, ...]:
        asked.append(trial)
        return (5.0 if len(asked) == 3 else math.inf,)

    run(strategy, losses, 6)
    run(strategy, losses, 2)
    assert set(digits.parents) == {asked[2].candidate}
    run(strategy, losses, 20)
    assert len(strategy.population) == 6  # all failed by now, and the search went on


def test_children_of_two(digits: Any, run: Run) -> None:
    strategy = Evolution(digits, seed=0, population=10, tournament=2, crossover=1.0)
    run(strategy, lambda _: (1.0,), 10)
    for _ in range(20):
        members = strategy.population
        child = run(strategy, lambda _: (1.0,), 1)[0].candidate
        assert any(
            all(digit in pair for digit, pair in zip(child, zip(a, b, strict=True), strict=True))
            for a in members
            for b in members
        )
    assert not digits.parents
