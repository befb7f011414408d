"""Choices against a brute-force count of every candidate, and the shape of their input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.probes.ranking import credits, reciprocal_ranks, representatives, starts_of

# Few values, so that there are ties.
Choice = list[tuple[int, bool]]
CHOICES = st.lists(
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=6),
    min_size=1,
    max_size=8,
)


def laid(choices: list[Choice]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    flat = [candidate for choice in choices for candidate in choice]
    groups = [number for number, choice in enumerate(choices) for _ in choice]
    return (
        np.array([score for score, _ in flat], dtype=float),
        np.array([right for _, right in flat]),
        np.array(groups),
    )


@given(CHOICES)
def test_the_highest_candidates_share_the_credit(choices: list[Choice]) -> None:
    expected = []
    for choice in choices:
        top = [right for score, right in choice if score == max(s for s, _ in choice)]
        expected.append(sum(top) / len(top))
    assert credits(*laid(choices)) == pytest.approx(expected)


@given(CHOICES)
def test_the_rank_of_the_best_right_candidate(choices: list[Choice]) -> None:
    expected = []
    for choice in choices:
        best = max((score for score, right in choice if right), default=None)
        if best is None:
            expected.append(0.0)
            continue
        above = sum(score > best for score, _ in choice)
        tied = sum(score == best and not right for score, right in choice)
        expected.append(1 / (1 + above + tied / 2))
    assert reciprocal_ranks(*laid(choices)) == pytest.approx(expected)


@given(CHOICES)
def test_a_choice_is_represented_by_its_first_right_candidate(choices: list[Choice]) -> None:
    _, right, groups = laid(choices)
    places = iter(range(len(groups)))
    expected = []
    for choice in choices:
        own = [next(places) for _ in choice]
        expected.append(next((p for p in own if right[p]), own[0]))
    assert representatives(right, groups).tolist() == expected


@pytest.mark.parametrize("groups", [[], [1, 1, 2], [0, 0, 2], [0, 1, 0]])
def test_choices_that_are_not_numbered_in_order_are_refused(groups: list[int]) -> None:
    with pytest.raises(DataError):
        starts_of(np.array(groups, dtype=np.int64))
