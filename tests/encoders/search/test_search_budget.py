"""What a search may cost, in one word."""

from __future__ import annotations

import pytest

from layerwise.core.errors import UsageError
from layerwise.encoders.search.journal import Evaluation
from layerwise.encoders.search.search_budget import SearchBudget


@pytest.mark.parametrize(
    ("text", "evaluations", "seconds"),
    [
        ("200evals", 200, None),
        ("1eval", 1, None),
        ("30m", None, 1800.0),
        ("1h30m", None, 5400.0),
        ("90s", None, 90.0),
    ],
)
def test_it_reads_evaluations_and_times(
    text: str, evaluations: int | None, seconds: float | None
) -> None:
    budget = SearchBudget.parse(text)
    assert (budget.evaluations, budget.seconds) == (evaluations, seconds)
    assert SearchBudget.parse(str(budget)) == budget
    assert budget.total == (evaluations or seconds)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0evals", "'0evals' is nothing; such as 200evals"),
        ("200steps", "a search is not counted in steps; such as 200evals, 30m or 1h30m"),
        ("30", "30 of what?; such as 200evals, 30m or 1h30m"),
        ("soon", "'soon' is no budget; such as 200evals, 30m or 1h30m"),
        ("-3evals", "such as 200evals"),
    ],
)
def test_it_tells_what_it_cannot_read(text: str, told: str) -> None:
    with pytest.raises(UsageError) as raised:
        SearchBudget.parse(text)
    assert str(raised.value).startswith("--budget: ") and told in str(raised.value)


def test_what_is_spent_is_counted_or_timed() -> None:
    done = [Evaluation("search", 0, n, "c", (1.0,), seconds=0.75) for n in (1, 2)]
    assert SearchBudget(evaluations=5).spent(done) == 2
    assert SearchBudget(seconds=5).spent(done) == 1.5
