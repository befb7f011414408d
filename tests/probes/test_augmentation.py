"""Augmented rows against the expected loss that they stand for, written out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from layerwise.core.errors import UsageError
from layerwise.probes.augmentation import KINDS, Kind, augment

random = np.random.default_rng(0)
X = random.normal(size=(30, 5)) * random.uniform(0.5, 3, size=(30, 1)) + 1
Y = random.integers(0, 3, 30)


def loss(features: Any, labels: Any) -> np.ndarray[Any, Any]:
    """Of each row under some linear classifier, by torch."""
    weights = torch.from_numpy(np.random.default_rng(9).normal(size=(5, 3)))
    logits = torch.from_numpy(np.asarray(features, dtype=np.float64)) @ weights
    return torch.nn.functional.cross_entropy(
        logits, torch.from_numpy(labels), reduction="none"
    ).numpy()


@pytest.mark.parametrize("kind", ["moex", "mixup"])
def test_the_weighted_loss_is_the_expected_loss_of_mixed_steps(kind: Kind) -> None:
    made = augment(X, Y, kind, probability=0.3, own=0.8, seed=5)
    partner = np.random.default_rng(5).permutation(30)
    if kind == "mixup":
        changed = 0.8 * X + 0.2 * X[partner]
    else:
        spread = np.sqrt(X.var(axis=1, ddof=1, keepdims=True) + 1e-5)
        mean = X.mean(axis=1, keepdims=True)
        changed = (X - mean) / spread * spread[partner] + mean[partner]
        changed[partner == np.arange(30)] = X[partner == np.arange(30)]
    mixed = 0.8 * loss(changed, Y) + 0.2 * loss(changed, Y[partner])
    expected = (0.7 * loss(X, Y) + 0.3 * mixed).sum()
    assert made.weights @ loss(made.features, made.labels) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("copies", [1, 3])
def test_all_kinds_have_equally_many_rows_and_the_weight_of_those_given(
    kind: Kind, copies: int
) -> None:
    made = augment(X, Y, kind, probability=0.4, own=0.9, copies=copies)
    assert made.features.shape == (30 * (1 + 2 * copies), 5)
    assert made.labels.shape == made.weights.shape == (30 * (1 + 2 * copies),)
    assert made.weights.sum() == pytest.approx(30) and (made.weights >= 0).all()
    assert np.array_equal(made.features[:30], X) and np.array_equal(made.labels[:30], Y)
    again = augment(X, Y, kind, probability=0.4, own=0.9, copies=copies)
    other = augment(X, Y, kind, probability=0.4, own=0.9, copies=copies, seed=1)
    assert np.array_equal(again.features, made.features)
    assert not np.array_equal(other.features, made.features)


@pytest.mark.parametrize("kind", KINDS)
def test_with_probability_0_nothing_is_added(kind: Kind) -> None:
    made = augment(X, Y, kind, probability=0.0, own=0.9)
    assert made.features is X and made.labels is Y
    assert np.array_equal(made.weights, np.ones(30))


def test_dropout_has_the_features_for_its_expectation() -> None:
    made = augment(X, Y, "dropout", probability=1.0, own=0.7, copies=4000)
    draws = made.features[30:].reshape(-1, 30, 5)
    spread = np.sqrt(0.3 / 0.7 / len(draws)) * np.abs(X - X.mean(axis=0))
    assert (np.abs(draws.mean(axis=0) - X) <= 5 * spread).all()
    dropped = np.isclose(draws, X.mean(axis=0)).mean()
    assert dropped == pytest.approx(0.3, abs=0.002)
    assert np.array_equal(made.labels, np.tile(Y, 8001))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_of_number_stays(kind: Kind, dtype: Any) -> None:
    made = augment(X.astype(dtype), Y, kind, probability=0.5, own=0.9)
    assert made.features.dtype == dtype


@pytest.mark.parametrize(
    "wrong", [{"probability": 1.5}, {"probability": -0.1}, {"own": 0.0}, {"own": 2}, {"copies": 0}]
)
def test_what_is_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="take a probability from 0 to 1"):
        augment(X, Y, "moex", **{"probability": 0.5, "own": 0.9} | wrong)
