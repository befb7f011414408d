"""Calibration scores against scikit-learn, scipy and brute force."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from layerwise.core.errors import DataError
from layerwise.probes import calibration as c

Array = NDArray[Any]


def drawn(
    rows: int = 300, classes: int = 4, seed: int = 0, heat: float = 1.0
) -> tuple[Array, Array]:
    """Distributions, and labels drawn from them at another temperature."""
    random = np.random.default_rng(seed)
    logits = 2 * random.normal(size=(rows, classes))
    gold = (logits / heat + random.gumbel(size=logits.shape)).argmax(axis=1)
    p = np.exp(logits)
    return p / p.sum(axis=1, keepdims=True), gold


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_brier_is_scikit_learns(classes: int) -> None:
    p, gold = drawn(classes=classes)
    theirs = brier_score_loss(gold, p, labels=range(classes), scale_by_half=False)
    assert c.brier(p, gold) == pytest.approx(theirs, rel=1e-12)


def test_an_unseen_label_is_a_class_that_has_no_probability() -> None:
    p, gold = drawn(classes=3)
    wider = np.hstack([p, np.zeros((len(p), 1))])
    gold[::7] = -1
    assert c.brier(p, gold) == pytest.approx(c.brier(wider, np.where(gold < 0, 3, gold)))
    found = c.probability_scores(p, gold)
    assert found["accuracy"] == (p.argmax(axis=1) == gold).mean()
    known = gold >= 0
    theirs = log_loss(gold[known], p[known], labels=range(3))
    assert found["cross_entropy_nats"] == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_calibration_error_is_that_of_scikit_learns_quantile_bins(seed: int) -> None:
    p, gold = drawn(rows=300, seed=seed, heat=3.0)  # 300 is a multiple of 15: 20 targets a bin
    hit = p.argmax(axis=1) == gold
    accuracy, confidence = calibration_curve(hit, p.max(axis=1), n_bins=15, strategy="quantile")
    assert c.calibration_error(p, gold) == pytest.approx(
        np.abs(accuracy - confidence).mean(), abs=0.004
    )
    order = np.argsort(p.max(axis=1))
    exact = [abs(p.max(axis=1)[b].mean() - hit[b].mean()) for b in np.array_split(order, 15)]
    assert c.calibration_error(p, gold) == pytest.approx(np.mean(exact), rel=1e-10)


def test_equal_confidences_share_a_bin_so_that_order_says_nothing() -> None:
    p = np.tile([0.8, 0.2], (40, 1))
    gold = np.repeat([0, 1], [30, 10])
    for labels in (gold, gold[::-1], np.random.default_rng(0).permutation(gold)):
        assert c.calibration_error(p, labels) == pytest.approx(0.05)


def test_one_target_and_fewer_targets_than_bins() -> None:
    assert c.calibration_error(np.array([[0.7, 0.3]]), np.array([0])) == pytest.approx(0.3)
    p, gold = drawn(rows=5)
    each = np.abs(p.max(axis=1) - (p.argmax(axis=1) == gold))
    assert c.calibration_error(p, gold) == pytest.approx(each.mean())


def test_rejection_is_the_mean_over_all_orders_of_equals() -> None:
    confidence = np.array([0.9, 0.7, 0.7, 0.7, 0.6, 0.6])
    p = np.stack([confidence, 1 - confidence], axis=1)
    gold = np.array([0, 1, 0, 0, 1, 0])
    curves = [
        np.cumsum(gold[list(order)] == 0) / np.arange(1, 7)
        for order in permutations(range(6))
        if (np.diff(confidence[list(order)]) <= 0).all()
    ]
    assert len(curves) == 12
    np.testing.assert_allclose(c.rejection_curve(p, gold), np.mean(curves, axis=0))
    assert c.accuracy_at(c.rejection_curve(p, gold), 1.0) == pytest.approx(4 / 6)
    assert c.accuracy_at(c.rejection_curve(p, gold), 0.1) == 1.0


@pytest.mark.parametrize("heat", [0.5, 1.0, 2.5])
def test_the_temperature_is_scipys_minimum(heat: float) -> None:
    p, gold = drawn(rows=4000, heat=heat)
    found = c.fit_temperature(p, gold)

    def loss(log_t: float) -> float:
        return float(log_loss(gold, c.tempered(p, float(np.exp(log_t))), labels=range(4)))

    theirs = minimize_scalar(loss, bounds=(-3, 3), method="bounded", options={"xatol": 1e-9})
    assert np.log(found) == pytest.approx(theirs.x, abs=1e-5)
    assert found == pytest.approx(heat, rel=0.1)  # the one that they were drawn at


def test_temperature_changes_no_ranking_and_no_zero() -> None:
    p, gold = drawn(classes=3)
    p = np.hstack([p, np.zeros((len(p), 1))])
    gold[:5] = -1
    gold[5] = 3  # has no probability at any temperature
    t = c.fit_temperature(p, gold)
    hot = c.tempered(p, t)
    assert np.isfinite(t) and (hot[:, 3] == 0).all()
    np.testing.assert_allclose(hot.sum(axis=1), 1)
    assert (hot.argmax(axis=1) == p.argmax(axis=1)).all()
    np.testing.assert_allclose(c.tempered(p, 1.0), p)


def test_the_ends_of_the_range_of_temperatures() -> None:
    p = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert c.fit_temperature(p, np.array([0, 1])) == c.COLDEST
    assert c.fit_temperature(p, np.array([1, 0])) == c.HOTTEST
    assert c.fit_temperature(p, np.array([-1, -1])) == 1.0


def test_what_does_not_fit_together_is_refused() -> None:
    p, gold = drawn(classes=3)
    for labels in (gold[:-1], gold + 2, gold - 3):
        with pytest.raises(DataError):
            c.brier(p, labels)
