"""Rungs of candidates."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest

from layerwise.encoders.search.protocols import Trial
from layerwise.encoders.search.strategies.successive_halving import SuccessiveHalving, rung_sizes

Run = Callable[..., list[Trial]]


@pytest.mark.parametrize(
    ("first", "eta", "rungs"), [(27, 3, 4), (81, 3, 5), (64, 2, 7), (50, 3, 4)]
)
def test_sizes_are_those_of_the_paper(first: int, eta: int, rungs: int) -> None:
    # Hyperband's algorithm 1, line 5: n_i = floor(n * eta^-i).
    assert rung_sizes(first, eta, rungs) == [math.floor(first / eta**i) for i in range(rungs)]


def test_a_bracket_is_the_best_third_of_each_rung_at_thrice_the_fidelity(
    digits: Any, run: Run, hashed: Callable[[Trial], Sequence[float]]
) -> None:
    asked = run(SuccessiveHalving(digits, seed=0), hashed, 80)
    for bracket in (asked[:40], asked[40:]):  # 27 + 9 + 3 + 1, and anew
        rungs = [bracket[:27], bracket[27:36], bracket[36:39], bracket[39:]]
        for at, rung in enumerate(rungs):
            assert {trial.fidelity for trial in rung} == {3.0 ** (at - 3)}
            # Equal effort: 27 candidates at 1/27 are one full evaluation.
            assert sum(trial.fidelity for trial in rung) == pytest.approx(1)
        for lower, upper in pairwise(rungs):
            best = sorted(lower, key=lambda trial: hashed(trial)[0])[: len(upper)]
            assert [t.candidate for t in upper] == [t.candidate for t in best]
    assert not {t.candidate for t in asked[:27]} & {t.candidate for t in asked[40:67]}


@pytest.mark.parametrize("evaluations", [1, 2, 4, 12, 13, 39, 40, 41, 100, 200])
def test_a_planned_bracket_is_as_large_as_it_can_be(
    digits: Any, run: Run, evaluations: int
) -> None:
    asked = run(
        SuccessiveHalving(digits, evaluations=evaluations),
        lambda trial: (float(trial.candidate),),
        evaluations,
    )
    rungs = next(r for r in (4, 3, 2, 1) if (3**r - 1) // 2 <= evaluations)
    largest = max(
        n for n in range(1, evaluations + 1) if sum(rung_sizes(n, 3, rungs)) <= evaluations
    )
    sizes = Counter(trial.fidelity for trial in asked[: sum(rung_sizes(largest, 3, rungs))])
    assert [sizes[3.0 ** (at + 1 - rungs)] for at in range(rungs)] == rung_sizes(largest, 3, rungs)
    assert len(asked) == evaluations  # a small bracket has what is left over
    assert asked[-1].fidelity == 1


def test_what_failed_is_not_promoted(digits: Any, run: Run) -> None:
    asked: list[Trial] = []

    def losses(trial: Trial) -> Sequence[float]:
        asked.append(trial)
        return (1.0 if len(asked) in (2, 5) or trial.fidelity > 0.5 else math.inf,)

    run(SuccessiveHalving(digits, rungs=2, eta=3), losses, 8)
    # Of three at a third one is sound and goes on, twice.
    assert [trial.fidelity for trial in asked] == [
        pytest.approx(f) for f in (1 / 3, 1 / 3, 1 / 3, 1) * 2
    ]
    assert asked[3].candidate == asked[1].candidate
    assert asked[7].candidate == asked[4].candidate


def test_a_rung_is_promoted_once_all_its_answers_are_there(digits: Any) -> None:
    strategy = SuccessiveHalving(digits, rungs=2)
    trials = [strategy.ask() for _ in range(4)]
    assert all(trial and trial.fidelity < 1 for trial in trials)  # the fourth opens a bracket
