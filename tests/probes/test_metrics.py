"""Scores against scikit-learn, and what they do where little or nothing can be scored."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import sklearn.metrics as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError, UsageError
from layerwise.probes import metrics


@st.composite
def labelled(draw, unseen=True):
    """(gold, predicted, clusters, classes)."""
    classes = draw(st.integers(1, 5))
    size = draw(st.integers(1, 40))

    def some(low, high):
        return np.array(draw(st.lists(st.integers(low, high), min_size=size, max_size=size)))

    lowest = metrics.UNSEEN if unseen else 0
    return some(lowest, classes - 1), some(0, classes - 1), some(-3, 9), classes


@settings(deadline=None)
@given(labelled())
def test_tallies_add_up_to_scikit_learns_confusion(case):
    gold, predicted, clusters, classes = case
    tallies = metrics.tallies_by_cluster(gold, predicted, clusters, classes)
    assert tallies.shape == (len(set(clusters.tolist())), 3, classes + 1)
    for one, cluster in zip(tallies, np.unique(clusters), strict=True):
        inside = clusters == cluster
        confusion = oracle.confusion_matrix(
            np.where(gold[inside] < 0, classes, gold[inside]),
            predicted[inside],
            labels=range(classes + 1),
        )
        assert np.array_equal(one, [confusion.diagonal(), confusion.sum(1), confusion.sum(0)])


@settings(deadline=None)
@given(labelled(), st.data())
def test_scores_equal_scikit_learns(case, data):
    gold, predicted, _, classes = case
    positive = data.draw(st.integers(0, classes - 1))
    raw = data.draw(
        st.lists(st.integers(0, 3), min_size=len(gold) * classes, max_size=len(gold) * classes)
    )
    probabilities = np.array(raw, dtype=float).reshape(len(gold), classes) + 1e-3
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    scores = metrics.scores(gold, predicted, probabilities, classes, positive)
    present = sorted(set(gold.tolist()))
    expected = {
        "accuracy": oracle.accuracy_score(gold, predicted),
        "macro_f1": oracle.f1_score(
            gold, predicted, average="macro", labels=present, zero_division=0
        ),
    }
    found, hit = predicted == positive, gold == positive
    expected["precision"] = oracle.precision_score(hit, found, zero_division=0)
    expected["recall"] = oracle.recall_score(hit, found, zero_division=0)
    expected["f1"] = oracle.f1_score(hit, found, zero_division=0)
    if hit.any():
        expected["average_precision"] = oracle.average_precision_score(
            hit, probabilities[:, positive]
        )
    seen = gold >= 0
    if seen.any():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected["cross_entropy_nats"] = (
                oracle.log_loss(gold[seen], probabilities[seen], labels=range(classes))
                if classes > 1
                else 0.0
            )
    assert scores == pytest.approx(expected, abs=1e-12)


@settings(deadline=None)
@given(labelled())
def test_leading_axes_are_scored_one_by_one(case):
    gold, predicted, clusters, classes = case
    tallies = metrics.tallies_by_cluster(gold, predicted, clusters, classes)
    stacked = np.stack([tallies, 2 * tallies])  # (2, clusters, 3, C + 1)
    for name in ("accuracy", "macro_f1", "precision", "recall", "f1"):
        score = metrics.statistic(name, positive=0)
        whole = score(stacked)
        assert whole.shape == stacked.shape[:2]
        for index in np.ndindex(whole.shape):
            assert whole[index] == pytest.approx(float(score(stacked[index])))


def test_a_golden_example():
    gold, predicted = np.array([0, 0, 1, 1, 2, -1]), np.array([0, 1, 1, 1, 1, 0])
    scores = metrics.scores(gold, predicted, None, 3)
    # F1 = 2 hits / (gold + predicted): 2/4 for class 0, 4/6 for class 1, 0 for 2 and unseen.
    assert scores == pytest.approx({"accuracy": 3 / 6, "macro_f1": (1 / 2 + 2 / 3) / 4})
    assert metrics.counts(gold, np.array([7, 7, 7, 8, 8, 8])) == {
        "targets": 6,
        "clusters": 2,
        "unseen_labels": 1,
    }


def test_a_perfect_probe_loses_nothing():
    gold = np.array([0, 1, 2, 1])
    assert metrics.cross_entropy_nats(np.eye(3)[gold], gold) == 0.0
    uniform = np.full((4, 3), 1 / 3)
    assert metrics.cross_entropy_nats(uniform, gold) == pytest.approx(math.log(3))


def test_a_certain_mistake_costs_a_stated_finite_amount():
    loss = metrics.cross_entropy_nats(np.array([[1.0, 0.0]]), np.array([1]))
    assert loss == pytest.approx(-math.log(metrics.SMALLEST_PROBABILITY))


def test_unseen_labels_are_left_out_of_cross_entropy_only():
    probabilities = np.array([[0.5, 0.5], [1.0, 0.0]])
    gold = np.array([0, metrics.UNSEEN])
    scores = metrics.scores(gold, np.array([0, 0]), probabilities, 2)
    assert scores["cross_entropy_nats"] == pytest.approx(math.log(2))
    assert scores["accuracy"] == 0.5


def test_what_is_undefined_is_left_out():
    gold, predicted = np.array([-1, -1]), np.array([0, 1])
    scores = metrics.scores(gold, predicted, np.full((2, 2), 0.5), 2, positive=1)
    assert set(scores) == {"accuracy", "macro_f1", "precision", "recall", "f1"}
    assert set(scores.values()) == {0.0}


def test_one_class():
    scores = metrics.scores(np.zeros(3, int), np.zeros(3, int), np.ones((3, 1)), 1, positive=0)
    assert scores.pop("cross_entropy_nats") == 0.0
    assert set(scores.values()) == {1.0}


def test_ties_do_not_depend_on_the_order():
    positive, score = np.array([True, False, True, False]), np.array([0.5, 0.5, 0.5, 0.1])
    values = {
        metrics.average_precision(positive[order], score[order])
        for order in (np.arange(4), np.arange(4)[::-1], np.array([1, 0, 3, 2]))
    }
    assert values == {2 / 3}


def test_single_precision_probabilities_are_taken():
    logits = np.random.default_rng(0).normal(size=(50, 400)).astype(np.float32)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert probabilities.dtype == np.float32
    assert metrics.cross_entropy_nats(probabilities, np.zeros(50, int)) > 0


A, B = np.array([0, 1]), np.array([1, 1])


@pytest.mark.parametrize(
    "call",
    [
        lambda: metrics.scores(np.array([], int), np.array([], int), None, 2),
        lambda: metrics.scores(A, B[:1], None, 2),
        lambda: metrics.scores(A, np.array([0, -1]), None, 2),
        lambda: metrics.scores(A, np.array([0, 2]), None, 2),
        lambda: metrics.scores(np.array([0, -2]), B, None, 2),
        lambda: metrics.scores(A.astype(float), B, None, 2),
        lambda: metrics.scores(A, B, None, 2, positive=2),
        lambda: metrics.scores(A, B, np.ones((2, 3)) / 3, 2),
        lambda: metrics.tallies_by_cluster(A, B, np.array([0]), 2),
        lambda: metrics.statistic("accuracy")(np.zeros((3, 2))),
        lambda: metrics.statistic("accuracy")(np.ones((2, 3))),
        lambda: metrics.statistic("accuracy")(np.array([[1, 1, 0], [0, 0, 1], [0, 0, 0]])),
        lambda: metrics.cross_entropy_nats(np.array([[0.5, 0.4]]), np.array([0])),
        lambda: metrics.cross_entropy_nats(np.array([[np.nan, 1]]), np.array([0])),
        lambda: metrics.cross_entropy_nats(np.array([[1.5, -0.5]]), np.array([0])),
        lambda: metrics.cross_entropy_nats(np.ones((2, 1)), np.array([0])),
        lambda: metrics.cross_entropy_nats(np.ones((1, 1)), np.array([-1])),
        lambda: metrics.cross_entropy_nats(np.ones(2), A),
        lambda: metrics.average_precision(np.array([False]), np.array([1.0])),
        lambda: metrics.average_precision(np.array([True]), np.array([np.nan])),
        lambda: metrics.average_precision(np.array([True]), np.array([1.0, 2.0])),
    ],
)
def test_what_cannot_be_scored_is_refused(call):
    with pytest.raises(DataError):
        call()


def test_unknown_scores_are_refused_with_a_cure():
    with pytest.raises(UsageError, match="macro_f1"):
        metrics.statistic("macro_f")
    with pytest.raises(UsageError, match="positive"):
        metrics.statistic("f1")
