"""Winners are measured anew by seeds that did not choose them."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from scipy import stats

from layerwise.core.errors import UsageError
from layerwise.encoders.search.confirmation import confirm, mean_of, winner
from layerwise.encoders.search.journal import Evaluation, Journal
from layerwise.encoders.search.protocols import Estimate, Trial


def evaluation(number: int, loss: float, **options: object) -> Evaluation:
    return Evaluation("search", 0, number, f"c{number}", (loss,), **options)  # type: ignore[arg-type]


class Noisy:
    """All candidates are worth 1; what is told is that and the noise of the seed."""

    def __init__(self) -> None:
        self.asked: list[tuple[Trial, int]] = []

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        self.asked.append((trial, seed))
        noise = random.Random(f"{trial.candidate} {seed}").gauss(0, 0.1)
        return Estimate((1 + noise,))


class TestWinner:
    def test_it_is_the_first_of_the_lowest(self) -> None:
        done = [evaluation(1, 2.0), evaluation(2, 1.0), evaluation(3, 1.0)]
        assert winner(done).number == 2

    def test_losses_of_small_effort_cannot_win_over_those_of_full(self) -> None:
        done = [evaluation(1, 0.5, fidelity=0.1), evaluation(2, 3.0), evaluation(3, 2.0)]
        assert winner(done).number == 3
        assert winner(done[:1]).number == 1

    def test_predictions_cannot_win_over_measurements(self) -> None:
        done = [evaluation(1, 0.5, measured=False), evaluation(2, 3.0)]
        assert winner(done).number == 2
        assert winner(done[:1]).number == 1

    def test_a_failure_wins_only_where_all_failed(self) -> None:
        failed = evaluation(1, math.inf, error="ValueError: no")
        assert winner([failed]).number == 1
        assert winner([failed, evaluation(2, math.inf)]).number == 2


def test_each_new_seed_measures_the_winner_at_full_effort() -> None:
    truth, journal = Noisy(), Journal(None, {})
    won = evaluation(4, 0.5, fidelity=0.3)
    found = confirm(won, truth, range(7, 10), journal)
    assert truth.asked == [(Trial("c4", 1.0), seed) for seed in (7, 8, 9)]
    assert [each.seed for each in found] == [7, 8, 9]
    assert journal.of("confirm search", 0) == found
    assert confirm(won, truth, range(7, 10), journal) == found and len(truth.asked) == 3


def test_another_winner_is_measured_by_itself() -> None:
    truth, journal = Noisy(), Journal(None, {})
    confirm(evaluation(4, 0.5), truth, range(7, 9), journal)
    found = confirm(evaluation(5, 0.4), truth, range(7, 9), journal)
    assert [(each.candidate, each.number) for each in found] == [("c5", 3), ("c5", 4)]


def test_what_chose_is_too_low_and_what_confirms_is_not() -> None:
    """200 candidates of one worth: the best found is below it, its new values are not."""
    truth = Noisy()
    done = [evaluation(n, truth.estimate(Trial(f"c{n}"), 0).losses[0]) for n in range(1, 201)]
    won = winner(done)
    anew = mean_of(
        [each.losses[0] for each in confirm(won, truth, range(1, 41), Journal(None, {}))]
    )
    assert won.losses[0] < 0.8
    assert abs(anew.mean - 1) < 4 * 0.1 / 40**0.5  # four standard errors


def test_a_table_has_only_the_runs_that_did_not_choose() -> None:
    class Table(Noisy):
        def fresh_seeds(self, candidate: str, seed: int, most: int) -> list[int]:
            return [each for each in range(3) if each != seed][:most]

    found = confirm(evaluation(1, 0.5, seed=1), Table(), range(50, 60), Journal(None, {}))
    assert [each.seed for each in found] == [0, 2]


def test_a_failure_counts_and_a_setting_that_cannot_be_served_does_not() -> None:
    class Broken(Noisy):
        error: Exception = ValueError("burst")

        def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
            raise self.error

    broken = Broken()
    found = confirm(evaluation(1, 0.5), broken, [3], Journal(None, {}))
    assert found[0].losses == (math.inf,) and found[0].error == "ValueError: burst"
    broken.error = UsageError("needs text")
    with pytest.raises(UsageError, match="needs text"):
        confirm(evaluation(1, 0.5), broken, [4], Journal(None, {}))


def test_it_stops_between_two_seeds() -> None:
    truth, journal = Noisy(), Journal(None, {})
    with pytest.raises(KeyboardInterrupt):
        confirm(
            evaluation(1, 0.5), truth, [3, 4, 5], journal, pressed=lambda: len(truth.asked) == 2
        )
    assert len(journal.of("confirm search", 0)) == 2


def test_the_mean_has_students_interval() -> None:
    values = np.random.default_rng(0).normal(size=7)
    found = mean_of(values.tolist())
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert found.mean == pytest.approx(values.mean()) and found.size == 7
    assert found.interval == pytest.approx((expected.low, expected.high))
    assert mean_of([2.0]) == (2.0, None, 1)
    assert mean_of([2.0, math.inf]) == (math.inf, None, 2)
