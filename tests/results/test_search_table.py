"""Numbers and columns of what a search prints."""

from __future__ import annotations

import math

import pytest

from layerwise.results.search_table import grid, number, with_interval


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (4.60712, "4.607"),
        (0.052, "0.05200"),
        (-0.003756, "-0.003756"),
        (110.0, "110.0"),
        (53632.0, "53,632"),
        (0.0, "0.000"),
        (math.inf, "inf"),
        (math.nan, "inf"),
        (None, "–"),
    ],
)
def test_a_number_has_four_digits(value: float | None, shown: str) -> None:
    assert number(value) == shown


def test_an_interval_stands_behind_its_mean() -> None:
    assert with_interval(4.5, (4.25, 4.75)) == "4.500 [4.250, 4.750]"
    assert with_interval(math.inf, None) == "inf"


def test_columns_are_aligned_and_texts_are_harmless() -> None:
    lines = grid(("strategy", "n"), [("a", "100"), ("b\x1b[31m", "2")]).splitlines()
    assert lines == ["strategy     n", "─" * 14, "a          100", "b\\x1b[31m    2"]
