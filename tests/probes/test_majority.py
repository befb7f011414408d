"""Majority baselines against a slow restatement of their rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.probes.majority import majority, majority_by_type, type_key

words = st.lists(st.text(max_size=3), min_size=1, max_size=3)


def test_majority_is_the_most_frequent_label_and_the_lower_one_of_equals():
    assert majority(np.array([2, 1, 1, 2, 0]), 3).tolist() == [1, 1, 1]
    assert majority(np.array([0]), 0).tolist() == []


def test_majority_by_type():
    types = ["run", "run", "run", "walk", "walk", "sky"]
    labels = np.array([1, 1, 0, 2, 0, 0])
    result = majority_by_type(types, labels, ["run", "walk", "sky", "Run"])
    # walk is a tie, which the overall majority 0 decides; Run is another type, and unseen.
    assert result.predictions.tolist() == [1, 0, 0, 0]
    assert result.seen == 0.75


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), min_size=1, max_size=30),
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=10),
    st.randoms(),
)
def test_the_rule_restated_and_the_order_of_training_ignored(train, test, random):
    labels = [label for _, label in train]

    def rule(kind):
        own = [label for other, label in train if other == kind] or labels
        return max(range(4), key=lambda c: (own.count(c), labels.count(c), -c))

    expected = [rule(kind) for kind in test]
    for _ in range(2):
        result = majority_by_type([t for t, _ in train], np.array([c for _, c in train]), test)
        assert result.predictions.tolist() == expected
        random.shuffle(train)


@settings(deadline=None)
@given(words, st.none() | words, words, st.none() | words)
def test_type_keys_are_equal_only_for_equal_words(first, second, other, another):
    same = (first, second) == (other, another)
    assert (type_key(first, second) == type_key(other, another)) == same


@pytest.mark.parametrize(
    "call",
    [
        lambda: majority(np.array([], int), 3),
        lambda: majority(np.array([-1, 0]), 3),
        lambda: majority(np.array([0.5]), 3),
        lambda: majority_by_type(["a"], np.array([0, 1]), ["a"]),
        lambda: majority_by_type(["a"], np.array([0]), []),
    ],
)
def test_what_cannot_be_predicted_is_refused(call):
    with pytest.raises(DataError):
        call()
