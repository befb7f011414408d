"""Scores of label sets are those of scikit-learn, and labels that training lacks are missed."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from layerwise.core.errors import DataError
from layerwise.probes.label_sets import f1_by_label, micro_f1, scores, tallies_by_cluster


@pytest.fixture(params=range(5))
def pair(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(request.param)
    gold = random.random((40, 7)) < random.random(7)
    predicted = np.where(random.random((40, 7)) < 0.2, ~gold, gold)
    gold[:, 3] = False  # a label that no target has
    return gold, predicted


def none(gold: np.ndarray) -> np.ndarray:
    return np.zeros(len(gold), dtype=np.int64)


def test_they_are_those_of_scikit_learn(pair: tuple[np.ndarray, np.ndarray]) -> None:
    gold, predicted = pair
    found = scores(gold, predicted, none(gold))
    occur = np.flatnonzero(gold.any(axis=0)).tolist()
    of_each = f1_score(gold, predicted, average=None, zero_division=0)
    assert found["micro_f1"] == pytest.approx(f1_score(gold, predicted, average="micro"))
    assert found["macro_f1"] == pytest.approx(of_each[occur].mean())
    assert found["exact_match"] == pytest.approx(accuracy_score(gold, predicted))
    by_label = f1_by_label(gold, predicted)
    assert by_label[occur] == pytest.approx(of_each[occur])
    assert np.isnan(by_label[3])


def test_an_unknown_label_is_a_miss(pair: tuple[np.ndarray, np.ndarray]) -> None:
    gold, predicted = pair
    unknown = none(gold)
    unknown[:5] = 1
    found = scores(gold, predicted, unknown)
    wider = np.hstack([gold, unknown[:, None] > 0])
    told = np.hstack([predicted, np.zeros((len(gold), 1), dtype=bool)])
    assert found["micro_f1"] == pytest.approx(f1_score(wider, told, average="micro"))
    assert found["exact_match"] == pytest.approx(accuracy_score(wider, told))


def test_clusters_sum_to_the_whole(pair: tuple[np.ndarray, np.ndarray]) -> None:
    gold, predicted = pair
    clusters = np.random.default_rng(0).integers(6, size=len(gold))
    parts = tallies_by_cluster(gold, predicted, none(gold), clusters)
    assert parts.shape == (6, 3, 8)
    for number in range(6):
        own = clusters == number
        expected = f1_score(gold[own], predicted[own], average="micro", zero_division=0)
        assert micro_f1(parts[number]) == pytest.approx(expected)
    assert micro_f1(parts.sum(axis=0)) == pytest.approx(f1_score(gold, predicted, average="micro"))


def test_predictions_of_another_shape_are_refused() -> None:
    with pytest.raises(DataError):
        scores(np.zeros((3, 2), bool), np.zeros((3, 1), bool), np.zeros(3, int))
    with pytest.raises(DataError):
        scores(np.zeros((0, 2), bool), np.zeros((0, 2), bool), np.zeros(0, int))
