"""Self-attentive pooling against a loop, and on a task that only attention can solve."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from layerwise.probes.attention_pooling import AttentivePooling
from layerwise.probes.spans import pool_spans

WORDS, DIM, CLASSES = 12, 3, 3
VECTORS = np.random.default_rng(0).normal(size=(WORDS, DIM)).astype(np.float32)

spans = st.integers(0, WORDS - 1).flatmap(
    lambda start: st.tuples(st.just(start), st.integers(start + 1, WORDS))
)


def pooling_by(weights: list[float]) -> AttentivePooling:
    pooling = AttentivePooling()
    pooling.weights_ = np.array(weights)
    return pooling


def by_hand(vectors: NDArray[np.floating], start: int, end: int, u: list[float]) -> list[float]:
    words = [[float(value) for value in vectors[i]] for i in range(start, end)]
    shares = [math.exp(sum(a * b for a, b in zip(u, word, strict=True))) for word in words]
    return [
        sum(share * word[d] for share, word in zip(shares, words, strict=True)) / sum(shares)
        for d in range(DIM)
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@settings(max_examples=50, deadline=None)
@given(
    chosen=st.lists(spans, min_size=1, max_size=8),
    u=st.lists(st.floats(-20, 20), min_size=DIM, max_size=DIM),
)
def test_pooling_is_what_a_loop_over_the_words_gives(
    dtype: type, chosen: list[tuple[int, int]], u: list[float]
) -> None:
    vectors = VECTORS.astype(dtype)
    got = pooling_by(u).pool(vectors, np.array(chosen))
    assert got.dtype == np.float32
    expected = [by_hand(vectors, start, end, u) for start, end in chosen]
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


def test_a_span_of_one_word_is_the_word_itself() -> None:
    chosen = np.stack([np.arange(WORDS), np.arange(1, WORDS + 1)], axis=1)[::-1]
    np.testing.assert_array_equal(pooling_by([3, -700, 0.1]).pool(VECTORS, chosen), VECTORS[::-1])


def test_huge_scores_pick_one_word() -> None:
    got = pooling_by([1e6, 0, 0]).pool(VECTORS, np.array([[2, 9]]))
    np.testing.assert_array_equal(got[0], VECTORS[2 + VECTORS[2:9, 0].argmax()])


def test_weights_of_0_are_the_mean() -> None:
    chosen = np.array([[0, 12], [3, 5], [4, 5]])
    got = pooling_by([0, 0, 0]).pool(VECTORS, chosen)
    np.testing.assert_allclose(got, pool_spans(VECTORS, chosen, "mean"), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("span", [(3, 3), (5, 4), (-1, 2), (0, 13)])
def test_a_span_that_is_empty_or_outside_is_an_error(span: tuple[int, int]) -> None:
    chosen = np.array([(0, 1), span])
    with pytest.raises(ValueError, match="empty or outside"):
        pooling_by([0, 0, 0]).pool(VECTORS, chosen)
    with pytest.raises(ValueError, match="empty or outside"):
        AttentivePooling().fit(VECTORS, chosen, np.array([0, 1]), 2)


def test_a_label_outside_the_classes_is_an_error() -> None:
    with pytest.raises(ValueError, match="outside the 2 classes"):
        AttentivePooling().fit(VECTORS, np.array([[0, 2]]), np.array([2]), 2)


def marked(seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Spans of 3 to 8 words of noise; the label is what the one word with a marker says."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(3, 9, size=600)
    starts = np.cumsum(lengths) - lengths
    vectors = generator.normal(size=(lengths.sum(), 10)).astype(np.float32)
    vectors[:, 0] = 5
    words = starts + generator.integers(0, lengths)
    vectors[words, 0] = 5.1  # its scale and place must not matter
    labels = vectors[words, 1 : 1 + CLASSES].argmax(axis=1)
    return vectors, np.stack([starts, starts + lengths], axis=1), labels


@pytest.mark.parametrize("with_dev", [False, True])
def test_attention_finds_the_one_word_that_decides(with_dev: bool) -> None:
    vectors, chosen, labels = marked(0)
    unseen, unseen_spans, gold = marked(1)
    pooling = AttentivePooling().fit(
        vectors, chosen, labels, CLASSES, marked(2) if with_dev else None
    )

    def accuracy(train: NDArray[np.float32], test: NDArray[np.float32]) -> float:
        return float(LogisticRegression(max_iter=1000).fit(train, labels).score(test, gold))

    mean = accuracy(pool_spans(vectors, chosen, "mean"), pool_spans(unseen, unseen_spans, "mean"))
    ours = accuracy(pooling.pool(vectors, chosen), pooling.pool(unseen, unseen_spans))
    assert mean < 0.6
    assert ours > 0.9


def test_fitting_twice_gives_the_same_weights_and_leaves_the_vectors_alone() -> None:
    vectors, chosen, labels = marked(0)
    before = vectors.copy()
    once, twice = (AttentivePooling(steps=20).fit(vectors, chosen, labels, 3) for _ in range(2))
    np.testing.assert_array_equal(once.weights_, twice.weights_)
    np.testing.assert_array_equal(vectors, before)


def test_words_outside_all_spans_do_not_matter() -> None:
    vectors, chosen, labels = marked(0)
    expected = AttentivePooling(steps=20).fit(vectors, chosen, labels, CLASSES).weights_
    beside = np.concatenate([vectors, np.full((5, vectors.shape[1]), 1e4, dtype=np.float32)])
    got = AttentivePooling(steps=20).fit(beside, chosen, labels, CLASSES).weights_
    np.testing.assert_array_equal(got, expected)


def test_spans_of_one_word_and_constant_dimensions_teach_nothing() -> None:
    vectors, _, _ = marked(0)
    vectors[:, 4] = 3
    chosen = np.stack([np.arange(300), np.arange(1, 301)], axis=1)
    labels = (vectors[:300, 1] > 0).astype(np.int64)
    np.testing.assert_array_equal(
        AttentivePooling(steps=20).fit(vectors, chosen, labels, 2).weights_, 0
    )
    chosen[:, 1] += 3
    assert AttentivePooling(steps=20).fit(vectors, chosen, labels, 2).weights_[4] == 0


def test_dev_labels_that_training_does_not_have_do_not_count() -> None:
    vectors, chosen, labels = marked(0)
    dev_vectors, dev_spans, dev_labels = marked(2)
    odd = np.arange(len(dev_labels)) % 2 == 1
    expected = AttentivePooling(steps=20).fit(
        vectors, chosen, labels, CLASSES, (dev_vectors, dev_spans[odd], dev_labels[odd])
    )
    hidden = np.where(odd, dev_labels, -1)
    got = AttentivePooling(steps=20).fit(
        vectors, chosen, labels, CLASSES, (dev_vectors, dev_spans, hidden)
    )
    np.testing.assert_array_equal(got.weights_, expected.weights_)
