"""Budgets: what is written is what is spent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.core.errors import UsageError
from layerwise.encoders.budget import Budget


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("4000steps", 4000, "steps"),
        ("4000 steps", 4000, "steps"),
        ("1.5ksteps", 1500, "steps"),
        ("10Mwords", 10_000_000, "words"),
        ("2.5Mwords", 2_500_000, "words"),
        ("1Gwords", 10**9, "words"),
        ("123words", 123, "words"),
        ("20m", 1200, "seconds"),
        ("1h30m", 5400, "seconds"),
        ("1h 30m 5s", 5405, "seconds"),
        ("0.5h", 1800, "seconds"),
        ("90s", 90, "seconds"),
    ],
)
def test_every_unit_is_read(text: str, amount: int, unit: str) -> None:
    found = Budget.parse(text)
    assert (found.amount, found.unit) == (amount, unit)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "'' is no budget; such as 4000steps"),
        ("soon", "'soon' is no budget"),
        ("-5m", "'-5m' is no budget"),
        ("4000", "4000 of what\\?; did you mean 4000steps, 4000words, 4000m\\?"),
        ("20min", "no such unit: 'min'; known:"),
        ("20minutes", "no such unit: 'minutes'"),
        ("4000step", "no such unit: 'step'; did you mean steps"),
        ("10mwords", "no such unit: 'mwords'; did you mean .*words"),
        ("4e3steps", "no such unit: 'e'"),
        ("1h20steps", "adds up no times"),
        ("30m1h", "adds up no times"),
        ("1m1m", "adds up no times"),
        ("1ksteps1ksteps", "adds up no times"),
        ("0steps", "'0steps' is nothing"),
        ("0.1s", "is nothing"),
    ],
)
def test_anything_else_is_told_with_the_cure(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=f"^--budget: .*{what}"):
        Budget.parse(text)


@settings(deadline=None)
@given(st.integers(1, 10**12), st.sampled_from(["steps", "words", "seconds"]))
def test_its_text_is_read_as_itself(amount: int, unit: Any) -> None:
    budget = Budget(amount, unit)
    assert Budget.parse(str(budget)) == budget


def test_its_text_is_short() -> None:
    texts = ("4000steps", "10Mwords", "1h30m", "20m", "1h5s")
    assert [str(Budget.parse(text)) for text in texts] == list(texts)


def test_words_are_whole_steps_and_none_too_few() -> None:
    for words, steps in ((1, 1), (2048, 1), (2049, 2), (20_480, 10)):
        assert Budget(words, "words").total(2048) == steps
    assert Budget(7, "steps").total(2048) == 7
    assert Budget(7, "seconds").total(2048) == 7


def test_time_is_spent_by_the_clock_and_the_rest_by_steps() -> None:
    assert Budget(60, "seconds").spent(5, 12.5) == 12.5
    assert Budget(60, "steps").spent(5, 12.5) == Budget(60, "words").spent(5, 12.5) == 5
