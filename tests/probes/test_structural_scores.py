"""Scores of predicted trees, against scipy, against all trees there are, and by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.stats import spearmanr

from layerwise.probes.structural_scores import (
    arcs_found,
    arcs_sought,
    length_weights,
    root_found,
    spanning_tree,
    spearman,
)

Arc = tuple[int, int]


def symmetric(seed: int, size: int, values: int | None = None) -> NDArray[np.float64]:
    """Distances, all different or, with ``values``, of so many kinds."""
    random = np.random.default_rng(seed)
    half = (
        random.random((size, size)) + 0.1
        if values is None
        else random.integers(values, size=(size, size))
    )
    upper = np.triu(half, 1)
    return np.asarray(upper + upper.T, dtype=np.float64)


def all_trees(size: int) -> set[frozenset[Arc]]:
    """Every labelled tree: those sets of size - 1 arcs that join all words."""
    found = set()
    for arcs in combinations(combinations(range(size), 2), size - 1):
        joined = {0}
        for _ in range(size):
            joined |= {w for arc in arcs if joined & set(arc) for w in arc}
        if len(joined) == size:
            found.add(frozenset(arcs))
    return found


TREES = {size: all_trees(size) for size in range(1, 6)}


def test_there_are_as_many_trees_as_cayley_says() -> None:
    assert [len(TREES[n]) for n in (2, 3, 4, 5)] == [1, 3, 16, 125]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 30))
def test_the_spanning_tree_is_that_of_scipy(seed: int, size: int) -> None:
    distances = symmetric(seed, size)
    expected = minimum_spanning_tree(distances).tocoo()
    pairs = zip(expected.row.tolist(), expected.col.tolist(), strict=True)
    found = spanning_tree(distances)
    assert found.shape == (size - 1, 2)
    assert {tuple(arc) for arc in found.tolist()} == {tuple(sorted(pair)) for pair in pairs}


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 4))
def test_of_all_trees_it_is_a_shortest_and_of_those_the_earliest(
    seed: int, size: int, values: int
) -> None:
    distances = symmetric(seed, size, values)

    def cost(tree: frozenset[Arc]) -> list[tuple[float, Arc]]:
        return sorted((float(distances[arc]), arc) for arc in tree)

    best = min(TREES[size], key=lambda tree: (sum(d for d, _ in cost(tree)), cost(tree)))
    assert {tuple(arc) for arc in spanning_tree(distances).tolist()} == best


def test_arcs_are_those_between_scored_words() -> None:
    # 0 <- 1 -> 2 -> 3, and 4 hangs on 2, which is not scored.
    heads, scored = np.array([1, -1, 1, 2, 2]), np.array([True, True, False, True, True])
    near = np.array([[0, 1, 9, 5, 5], [1, 0, 9, 5, 5], [9] * 5, [5, 5, 9, 0, 1], [5, 5, 9, 1, 0.0]])
    assert arcs_sought(heads, scored) == 1
    assert arcs_found(near, heads, scored) == (1, 1)
    assert arcs_found(near, heads, np.ones(5, dtype=bool)).sought == 4
    far = near.copy()
    far[0, 1] = far[1, 0] = 99
    assert arcs_found(far, heads, scored) == (0, 1)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 5))
def test_arcs_found_are_counted_as_sets(seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    distances = symmetric(seed, size)
    heads = np.array([-1, *(int(random.integers(0, word)) for word in range(1, size))])
    scored = random.random(size) < 0.7
    scored[:2] = True
    words = np.flatnonzero(scored).tolist()
    tree = min(
        (tree for tree in TREES[len(words)]),
        key=lambda tree: sum(distances[words[a], words[b]] for a, b in tree),
    )
    built = {(words[a], words[b]) for a, b in tree}
    gold = {(int(h), w) for w, h in enumerate(heads) if h >= 0 and scored[w] and scored[h]}
    assert arcs_found(distances, heads, scored) == (len(built & gold), len(gold))


VALUES = arrays(np.float64, (4, 7), elements=st.sampled_from([0.0, 1.0, 2.0, 2.5, 7.0]))


@settings(max_examples=200, deadline=None)
@given(VALUES, VALUES)
def test_rank_correlation_is_that_of_scipy(
    predicted: NDArray[np.float64], true: NDArray[np.float64]
) -> None:
    found = spearman(predicted, true)
    assert found.shape == (4,)
    for own, one, other in zip(found, predicted, true, strict=True):
        constant = len(set(one)) == 1 or len(set(other)) == 1
        assert own == pytest.approx(0 if constant else spearmanr(one, other)[0], abs=1e-12)
    assert float(spearman(predicted[0], true[0])) == found[0]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(3, 8) | st.integers(48, 53), st.floats(-1, 1)), min_size=1))
def test_every_length_counts_the_same(sentences: list[tuple[int, float]]) -> None:
    lengths, values = map(np.array, zip(*sentences, strict=True))
    weights = length_weights(lengths)
    groups: dict[int, list[float]] = {}
    for length, value in sentences:
        if 5 <= length <= 50:
            groups.setdefault(length, []).append(value)
    assert weights.sum() == pytest.approx(len(groups))
    if groups:
        expected = np.mean([np.mean(group) for group in groups.values()])
        assert np.average(values, weights=weights) == pytest.approx(expected, abs=1e-12)


def test_the_root_is_the_least_deep_scored_word() -> None:
    heads, scored = np.array([1, -1, 1]), np.array([True, True, False])
    for depths, expected in [
        ([1, 0.5, 0.1], 1),  # the last is not scored
        ([0.4, 0.5, 0.1], 0),
        ([0.5, 0.5, 0.1], 0.5),
    ]:
        assert root_found(np.array(depths), heads, scored) == expected
    assert root_found(np.array([1, 0, 2]), heads, np.array([True, False, True])) == 0


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_two_words_are_joined_in_two_of_n_trees(size: int) -> None:
    """What the baseline of random trees stands on."""
    for arc in combinations(range(size), 2):
        share = sum(arc in tree for tree in TREES[size]) / len(TREES[size])
        assert share == pytest.approx(2 / size)
