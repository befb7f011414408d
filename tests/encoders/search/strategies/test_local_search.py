"""Hill climbing by the first better neighbour."""

from __future__ import annotations

import math
from typing import Any

from layerwise.encoders.search.protocols import Estimate
from layerwise.encoders.search.strategies.local_search import LocalSearch


def error(candidate: str) -> float:
    return float(sum(digit != "3" for digit in candidate))


def test_every_step_is_to_the_first_better_neighbour(digits: Any) -> None:
    strategy = LocalSearch(digits, seed=0)
    standing = strategy.ask()
    assert standing
    strategy.tell(standing, Estimate((error(standing.candidate),)))
    stood, loss = standing.candidate, error(standing.candidate)
    while loss:
        digits.parents.clear()
        trial = strategy.ask()
        assert trial
        assert set(digits.parents) == {stood}
        strategy.tell(trial, Estimate((error(trial.candidate),)))
        if error(trial.candidate) < loss:
            stood, loss = trial.candidate, error(trial.candidate)
    assert stood == "333333"


def test_it_begins_anew_after_some_patience(digits: Any) -> None:
    strategy = LocalSearch(digits, seed=0, patience=5)
    first = strategy.ask()
    assert first
    strategy.tell(first, Estimate((0.0,)))
    for _ in range(5):
        digits.parents.clear()
        trial = strategy.ask()
        assert trial and set(digits.parents) == {first.candidate}
        strategy.tell(trial, Estimate((1.0,)))
    digits.parents.clear()
    anew = strategy.ask()
    assert anew and not digits.parents
    strategy.tell(anew, Estimate((2.0,)))  # worse than the first, but stood on
    strategy.ask()
    assert set(digits.parents) == {anew.candidate}


def test_all_neighbours_are_asked_once_before_it_gives_up(digits: Any) -> None:
    strategy = LocalSearch(digits, seed=0, patience=1000)
    first = strategy.ask()
    assert first
    strategy.tell(first, Estimate((0.0,)))
    near = set()
    for _ in range(24):
        trial = strategy.ask()
        assert trial
        near.add(trial.candidate)
        strategy.tell(trial, Estimate((1.0,)))
    # 24 neighbours, each missed by the 100 draws for a new one only rarely.
    distances = [sum(a != b for a, b in zip(each, first.candidate, strict=True)) for each in near]
    assert distances.count(1) >= 23


def test_what_failed_or_dominates_not_is_never_stood_on(digits: Any) -> None:
    strategy = LocalSearch(digits, seed=1)
    answers = [(math.inf, 0.0), (3.0, 3.0), (2.0, 4.0), (math.inf, 1.0), (3.0, 2.0)]
    expected = [None, None, 1, 1, 1, 4]  # the answer that each question's parent had
    asked: list[str] = []
    for at, losses in enumerate([*answers, (9.0, 9.0)]):
        digits.parents.clear()
        trial = strategy.ask()
        assert trial
        parent = expected[at]
        assert set(digits.parents) == (set() if parent is None else {asked[parent]})
        strategy.tell(trial, Estimate(losses))
        asked.append(trial.candidate)
