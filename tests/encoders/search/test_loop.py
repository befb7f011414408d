"""The loop asks, answers, records, resumes and stops as it says."""

from __future__ import annotations

import math
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from layerwise.core.errors import DataError, LayerwiseError, UsageError
from layerwise.encoders.search.journal import Evaluation, Journal
from layerwise.encoders.search.loop import search
from layerwise.encoders.search.protocols import Estimate, Trial
from layerwise.encoders.search.search_budget import SearchBudget


class Walk:
    """Asks for numbers around the best so far: what it asks follows from what it was told."""

    def __init__(self, seed: int, most: float = math.inf) -> None:
        self.generator = random.Random(seed)
        self.best: tuple[float, int] = (math.inf, 0)
        self.told: list[tuple[Trial, Estimate]] = []
        self.most = most

    def ask(self) -> Trial | None:
        if len(self.told) >= self.most:
            return None
        return Trial(str(self.best[1] + self.generator.randrange(-9, 10)), 0.5)

    def tell(self, trial: Trial, estimate: Estimate) -> None:
        self.told.append((trial, estimate))
        self.best = min(self.best, (estimate.losses[0], int(trial.candidate)))


class Distance:
    """How far a number is from 20; ``fail`` says what goes wrong with which evaluation."""

    def __init__(self, fail: Callable[[int], str] = lambda number: "") -> None:
        self.fail = fail
        self.asked: list[tuple[str, int]] = []

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        self.asked.append((trial.candidate, seed))
        if message := self.fail(len(self.asked)):
            raise ValueError(message)
        loss = abs(int(trial.candidate) - 20) + 0.1 * seed
        return Estimate((loss,), details={"pair": (1, 2), "curve": [0.1, loss]})


class Clock:
    """A second passes at each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def run(path: Path | None, evaluations: int = 12, **options: Any) -> list[Evaluation]:
    return search(
        options.pop("strategy", None) or Walk(5),
        options.pop("estimator", None) or Distance(),
        SearchBudget(evaluations=evaluations),
        options.pop("journal", None) or Journal(path, {"seed": 5}),
        clock=Clock(),
        **options,
    )


def test_it_records_what_was_asked_and_answered(tmp_path: Path) -> None:
    strategy, estimator = Walk(5), Distance()
    done = run(tmp_path / "j", strategy=strategy, estimator=estimator, repetition=2)
    assert [each.number for each in done] == list(range(1, 13))
    assert estimator.asked == [(each.candidate, 2) for each in done]
    assert [(t, e.losses) for t, e in strategy.told] == [(e.trial, e.losses) for e in done]
    assert all(e.seconds == 1.0 and e.fidelity == 0.5 and e.arm == "search" for e in done)
    assert Journal(tmp_path / "j", {"seed": 5}).of("search", 2) == done


def test_the_strategy_is_told_what_the_journal_says(tmp_path: Path) -> None:
    strategy = Walk(5)
    run(tmp_path / "j", 1, strategy=strategy)
    assert strategy.told[0][1].details["pair"] == [1, 2]  # a tuple is no JSON


@pytest.mark.parametrize("first", [1, 5, 11, 12])
def test_a_resumed_search_is_that_of_an_undisturbed_one(tmp_path: Path, first: int) -> None:
    run(tmp_path / "whole")
    run(tmp_path / "parts", first)
    estimator = Distance()
    assert run(tmp_path / "parts", estimator=estimator) == run(tmp_path / "whole")
    assert lines(tmp_path / "parts") == lines(tmp_path / "whole")
    assert len(estimator.asked) == 12 - first


def test_killed_by_the_system_it_goes_on(tmp_path: Path) -> None:
    run(tmp_path / "whole")
    for number in (1, 4, 12):
        path = tmp_path / f"killed {number}"

        class Deadly(Distance):
            def estimate(self, trial: Trial, seed: int = 0, number: int = number) -> Estimate:
                if len(self.asked) + 1 == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                return super().estimate(trial, seed)

        child = os.fork()
        if child == 0:
            try:
                run(path, estimator=Deadly())
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        assert len(lines(path)) == number  # the identity and the evaluations before
        run(path)
        assert lines(path) == lines(tmp_path / "whole")


def test_a_strategy_that_asks_otherwise_is_told(tmp_path: Path) -> None:
    run(tmp_path / "j", 3)
    with pytest.raises(DataError, match=r"evaluation 1 was of .* is asked; .*--again"):
        run(tmp_path / "j", strategy=Walk(6))
    with pytest.raises(DataError, match=r"evaluation 3 was of .* now nothing is asked"):
        run(tmp_path / "j", strategy=Walk(5, most=2))


def test_an_estimator_that_learns_is_told_its_answers_anew(tmp_path: Path) -> None:
    class Learning(Distance):
        def __init__(self) -> None:
            super().__init__()
            self.known = 0

        def remember(self, trial: Trial, estimate: Estimate, seed: int = 0) -> None:
            self.known += 1

        def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
            self.known += 1
            return Estimate((super().estimate(trial, seed).losses[0] / self.known,))

    whole = run(None, estimator=Learning())
    run(tmp_path / "j", 7, estimator=Learning())
    assert [e.losses for e in run(tmp_path / "j", estimator=Learning())] == [
        e.losses for e in whole
    ]


def test_a_budget_in_time_counts_recorded_seconds(tmp_path: Path) -> None:
    def timed(seconds: float) -> list[Evaluation]:
        budget = SearchBudget(seconds=seconds)
        return search(Walk(5), Distance(), budget, Journal(tmp_path / "j", {}), clock=Clock())

    # Each takes a second by the clock; the one under way at the end is finished.
    assert len(timed(3.5)) == 4
    assert len(timed(3.5)) == 4  # spent already
    assert len(timed(6.0)) == 6


def test_it_ends_with_its_strategy(tmp_path: Path) -> None:
    assert len(run(tmp_path / "j", strategy=Walk(5, most=4))) == 4


def test_a_failure_is_kept_and_the_search_goes_on(tmp_path: Path) -> None:
    broken = Distance(lambda number: f"no {number}" if number in (2, 3, 4, 5) else "")
    done = run(tmp_path / "j", estimator=broken)
    assert [each.error for each in done[1:5]] == [f"ValueError: no {n}" for n in (2, 3, 4, 5)]
    assert all(each.losses == (math.inf,) for each in done[1:5]) and not done[5].error
    assert run(tmp_path / "j") == done  # nothing is done again


def test_three_alike_in_a_row_end_it(tmp_path: Path) -> None:
    broken = Distance(lambda number: "the disk is full" if number > 2 else "")
    with pytest.raises(
        LayerwiseError, match=r"3 evaluations in a row failed alike: .*disk"
    ) as said:
        run(tmp_path / "j", estimator=broken)
    assert said.value.exit_code == 1 and len(lines(tmp_path / "j")) == 6
    assert len(run(tmp_path / "j")) == 12


def test_a_setting_that_cannot_be_served_is_no_failure_of_a_candidate(tmp_path: Path) -> None:
    class Unserved(Distance):
        def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
            raise UsageError("needs text", where="--text")

    with pytest.raises(UsageError, match="needs text"):
        run(tmp_path / "j", estimator=Unserved())
    assert len(lines(tmp_path / "j")) == 1


def test_losses_that_are_no_numbers_are_the_worst(tmp_path: Path) -> None:
    class Burst(Distance):
        def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
            return Estimate((math.nan, -math.inf))

    assert run(None, 1, estimator=Burst())[0].losses == (math.inf, math.inf)


def test_ctrl_c_between_two_evaluations_leaves_a_journal_to_go_on_with(tmp_path: Path) -> None:
    estimator = Distance()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "j", estimator=estimator, pressed=lambda: len(estimator.asked) == 5)
    assert len(lines(tmp_path / "j")) == 6
    assert run(tmp_path / "j") == run(None)
