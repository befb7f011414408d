"""Windows: no word lost, none too long, each kept where it has most context."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.encoders.windows import Window, plan_batches, plan_windows

pieces_and_size = st.tuples(
    st.lists(st.integers(0, 9), max_size=60), st.integers(min_value=1, max_value=25)
)


def context(pieces: list[int], window: Window, word: int) -> float:
    """The oracle: count positions to the left and right; a document's edge is no loss."""
    left = float(sum(pieces[window.start : word])) if window.start > 0 else float("inf")
    right = float(sum(pieces[word + 1 : window.end])) if window.end < len(pieces) else float("inf")
    return min(left, right)


@settings(max_examples=600, deadline=None)
@given(pieces_and_size)
def test_windows_tile_fit_and_keep_each_word_where_it_has_most_context(
    case: tuple[list[int], int],
) -> None:
    pieces, size = case
    windows = plan_windows(pieces, size)
    position = 0
    for window in windows:
        assert window.keep_start == position < window.keep_end
        assert window.start <= window.keep_start and window.keep_end <= window.end
        assert sum(pieces[window.start : window.end]) <= size or window.end == window.start + 1
        position = window.keep_end
    assert position == len(pieces)
    for window in windows:
        for word in range(window.keep_start, window.keep_end):
            best = max(context(pieces, w, word) for w in windows if w.start <= word < w.end)
            assert context(pieces, window, word) == best


@settings(max_examples=300, deadline=None)
@given(pieces_and_size)
def test_windows_move_on_and_only_giants_exceed_the_size(case: tuple[list[int], int]) -> None:
    pieces, size = case
    windows = plan_windows(pieces, size)
    for a, b in itertools.pairwise(windows):
        assert a.start < b.start and a.end < b.end
    giants = [i for i, n in enumerate(pieces) if n > size]
    assert giants == [w.start for w in windows if sum(pieces[w.start : w.end]) > size]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=200), st.integers(20, 40))
def test_a_word_inside_a_long_document_keeps_about_a_quarter_window_of_context(
    pieces: list[int], size: int
) -> None:
    for window in plan_windows(pieces, size):
        for word in range(window.keep_start, window.keep_end):
            # Half a window of overlap, halved at the border, less one word at each border.
            assert context(pieces, window, word) >= size // 4 - 5


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_what_fits_is_one_window(pieces: list[int]) -> None:
    size = max(1, sum(pieces))
    assert plan_windows(pieces, size) == [Window(0, len(pieces), 0, len(pieces))]


def test_no_words_no_windows() -> None:
    assert plan_windows([], 5) == []


def test_a_giant_stands_alone() -> None:
    assert plan_windows([1, 1, 9, 1], 4) == [
        Window(0, 2, 0, 2),
        Window(2, 3, 2, 3),
        Window(3, 4, 3, 4),
    ]


def test_words_of_one_position_overlap_by_half() -> None:
    windows = plan_windows(np.ones(20, dtype=np.int64), 8)
    assert [(w.start, w.end) for w in windows] == [(0, 8), (4, 12), (8, 16), (12, 20)]
    assert [(w.keep_start, w.keep_end) for w in windows] == [(0, 6), (6, 10), (10, 14), (14, 20)]


@pytest.mark.parametrize(("pieces", "size"), [([1], 0), ([1, -1], 3)])
def test_senseless_arguments(pieces: list[int], size: int) -> None:
    with pytest.raises(ValueError):
        plan_windows(pieces, size)


def test_a_hundred_thousand_words_are_planned_at_once() -> None:
    windows = plan_windows(np.random.default_rng(0).integers(0, 5, 100_000), 510)
    assert windows[-1].keep_end == 100_000


def cheapest(sizes: list[int], most: int, start: int) -> int:
    """The oracle: the cost of the best of all ways to cut."""
    costs = []
    for cuts in itertools.product((False, True), repeat=max(0, len(sizes) - 1)):
        edges = [0, *(i + 1 for i, cut in enumerate(cuts) if cut), len(sizes)]
        batches = [sizes[a:b] for a, b in itertools.pairwise(edges)]
        if all(len(b) == 1 or len(b) * b[0] <= most for b in batches):
            costs.append(sum(start + len(b) * b[0] for b in batches))
    return min(costs)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=9), st.integers(1, 60), st.integers(0, 30))
def test_batches_tile_fit_and_cost_least(sizes: list[int], most: int, start: int) -> None:
    sizes = sorted(sizes, reverse=True)
    batches = [sizes[batch] for batch in plan_batches(sizes, most, start)]
    assert list(itertools.chain(*batches)) == sizes
    assert all(batches)
    assert all(len(b) == 1 or len(b) * b[0] <= most for b in batches)
    assert sum(start + len(b) * b[0] for b in batches) == cheapest(sizes, most, start)


def test_batches_without_windows() -> None:
    assert plan_batches([], 1024, 24) == []


def test_where_starting_is_dear_batches_are_full_and_where_it_is_free_nothing_is_padded() -> None:
    sizes = [9, 9, 8, 7, 7, 7, 3]
    assert plan_batches(sizes, 1000, 10_000) == [slice(0, 7)]
    free = [sizes[batch] for batch in plan_batches(sizes, 1000, 0)]
    assert all(len(set(batch)) == 1 for batch in free)
