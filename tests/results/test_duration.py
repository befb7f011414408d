"""Times as people say them."""

from __future__ import annotations

import pytest

from layerwise.results.duration import duration


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0251, "0.025 s"),
        (9.9, "9.9 s"),
        (59.7, "1 min 0 s"),
        (75, "1 min 15 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_a_time_is_told_in_its_unit(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown
