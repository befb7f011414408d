"""The published losses: which run, and which epoch of the curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import pytest

from layerwise.core.errors import UsageError
from layerwise.encoders.search.estimators.published import Published, Reported
from layerwise.encoders.search.protocols import SearchSpace, Setting, Trial


class Results:
    """Two candidates: one with three runs and a curve of ten epochs, one with a run alone."""

    name = "results"

    def runs(self, candidate: str) -> Sequence[float]:
        return {"a": (4.0, math.inf, 5.0), "b": (6.0,)}[candidate]

    def curve(self, candidate: str) -> Sequence[float]:
        return {"a": tuple(range(10, 0, -1)), "b": ()}[candidate]


@pytest.fixture
def published() -> Published:
    return Published(Setting(cast(SearchSpace, Results())))


def test_each_seed_has_a_run_and_seed_0_the_first(published: Published) -> None:
    assert [published.estimate(Trial("a"), seed).losses for seed in range(4)] == [
        (4.0,),
        (math.inf,),
        (5.0,),
        (4.0,),
    ]
    assert published.estimate(Trial("a"), 5).details == {"run": 2, "runs": 3}


@pytest.mark.parametrize(
    ("fidelity", "epochs"), [(0.01, 1), (0.1, 1), (0.11, 2), (0.3, 3), (0.95, 10)]
)
def test_a_smaller_effort_is_a_part_of_the_curve(
    published: Published, fidelity: float, epochs: int
) -> None:
    found = published.estimate(Trial("a", fidelity), 1)
    assert found.losses == (11.0 - epochs,) and found.details == {"epochs": epochs}
    assert published.estimate(Trial("b", fidelity)).losses == (6.0,)


def test_what_is_reported_are_other_runs() -> None:
    reported = Reported(Setting(cast(SearchSpace, Results())))
    for seed in range(7):
        fresh = reported.fresh_seeds("a", seed, 5)
        runs = [reported.estimate(Trial("a"), each).details["run"] for each in [seed, *fresh]]
        assert sorted(runs) == [0, 1, 2]
    assert reported.estimate(Trial("a", 0.1), 2).losses == (5.0,)
    assert len(reported.fresh_seeds("a", 0, 1)) == 1
    assert reported.fresh_seeds("b", 0, 5) == reported.fresh_seeds("a", 0, 0) == []


def test_on_test_data_the_run_that_was_chosen_is_reported_where_it_is_the_only_one() -> None:
    class Tested(Results):
        def test_runs(self, candidate: str) -> Sequence[float]:
            return [loss + 0.5 for loss in self.runs(candidate)]

    reported = Reported(Setting(cast(SearchSpace, Tested())))
    assert reported.fresh_seeds("b", 4, 5) == [4] and reported.fresh_seeds("a", 4, 5) == [5, 6]
    assert reported.estimate(Trial("b"), 4).losses == (6.5,)
    assert reported.fresh_seeds("b", 4, 0) == []


def test_a_space_without_results_is_refused() -> None:
    class Open:
        name = "open"

    with pytest.raises(UsageError, match="the space open has no published results"):
        Published(Setting(cast(SearchSpace, Open())))
