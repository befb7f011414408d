"""What every strategy keeps in every space."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from layerwise.core.errors import UsageError
from layerwise.encoders.search.cell_space import CellSpace
from layerwise.encoders.search.protocols import Estimate, SearchSpace, Strategy, Trial
from layerwise.encoders.search.space.sampling import RECURRENT, Space
from layerwise.encoders.search.strategies.differentiable import Differentiable
from layerwise.encoders.search.strategies.evolution import Evolution
from layerwise.encoders.search.strategies.local_search import LocalSearch
from layerwise.encoders.search.strategies.random_search import RandomSearch
from layerwise.encoders.search.strategies.successive_halving import SuccessiveHalving
from layerwise.encoders.search.strategies.tpe import TPE

STRATEGIES: dict[str, Callable[..., Strategy]] = {
    "random": RandomSearch,
    "local": LocalSearch,
    "evolution": Evolution,
    "crossing": lambda *args, **options: Evolution(*args, crossover=0.5, **options),
    "tpe": TPE,
    "halving": SuccessiveHalving,
    "differentiable": Differentiable,
}

Run = Callable[[Strategy, Callable[[Trial], Sequence[float]], int], list[Trial]]
Answer = Callable[[Trial], Sequence[float]]


@pytest.fixture(params=["digits", "thirty", "cells"])
def space(request: pytest.FixtureRequest) -> SearchSpace:
    if request.param == "cells":
        return CellSpace("cells", Space(RECURRENT, most=5))
    found: SearchSpace = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=STRATEGIES)
def make(request: pytest.FixtureRequest) -> Callable[..., Strategy]:
    return STRATEGIES[request.param]


def two(trial: Trial) -> Sequence[float]:
    """Two objectives, of which one cannot be had of a third."""
    generator = random.Random(trial.candidate)
    size = float(len(trial.candidate)) + generator.random()
    return (math.inf if generator.random() < 1 / 3 else generator.random(), size)


def test_only_new_candidates_of_the_space_are_asked(
    make: Callable[..., Strategy], space: SearchSpace, run: Run, hashed: Answer
) -> None:
    asked = run(make(space, seed=3), hashed, 25)
    assert len(asked) == 25
    assert all(space.read(trial.candidate) == trial.candidate for trial in asked)
    assert len(set(asked)) == 25
    assert all(0 < trial.fidelity <= 1 for trial in asked)


def test_the_same_answers_give_the_same_questions(
    make: Callable[..., Strategy], space: SearchSpace, run: Run, hashed: Answer
) -> None:
    state = random.getstate()
    first = run(make(space, seed=4, evaluations=20), hashed, 20)
    assert random.getstate() == state
    assert run(make(space, seed=4, evaluations=20), hashed, 20) == first
    assert run(make(space, seed=5, evaluations=20), hashed, 20) != first


@pytest.mark.parametrize(
    "answer",
    [lambda trial: (1.0,), lambda trial: (math.inf,), lambda trial: (1.0, 1.0), two],
    ids=["alike", "all failed", "two alike", "two"],
)
def test_answers_that_tell_nothing_end_no_search(
    make: Callable[..., Strategy], space: SearchSpace, run: Run, answer: Answer
) -> None:
    assert len(set(run(make(space), answer, 22))) == 22


def test_all_of_a_small_space_is_asked_once_and_then_nothing(
    make: Callable[..., Strategy], thirty: SearchSpace, run: Run, hashed: Answer
) -> None:
    strategy = make(thirty, seed=1)
    asked = run(strategy, hashed, 200)
    assert len(set(asked)) == len(asked) < 200
    assert len({trial.candidate for trial in asked}) == 30
    assert strategy.ask() is None


def test_questions_need_no_answer_at_once(
    make: Callable[..., Strategy], space: SearchSpace, hashed: Answer
) -> None:
    strategy = make(space, seed=2)
    asked: list[Trial] = []
    for _ in range(6):
        several = [trial for _ in range(4) if (trial := strategy.ask())]
        for trial in several:
            strategy.tell(trial, Estimate(tuple(hashed(trial))))
        asked += several
    assert len(set(asked)) == len(asked) == 24


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("local", {"patience": 0}),
        ("evolution", {"population": 0}),
        ("evolution", {"tournament": 21}),
        ("evolution", {"population": 3}),
        ("tpe", {"startup": 0}),
        ("halving", {"eta": 1}),
        ("halving", {"rungs": 0}),
        ("differentiable", {"batch": 1}),
        ("differentiable", {"learning_rate": 0.0}),
    ],
)
def test_options_out_of_range_are_refused(
    name: str, options: dict[str, Any], digits: SearchSpace
) -> None:
    with pytest.raises(UsageError, match="is not possible; "):
        STRATEGIES[name](digits, **options)
