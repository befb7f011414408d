"""The hyper-batch model: its objective is torch's, and it comes close to an optimum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from torch.nn.functional import cross_entropy

from layerwise.probes.design import DenseDesign, Moments
from layerwise.probes.hyper_batch import HyperBatch

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def data() -> Any:
    random = np.random.default_rng(0)
    X = random.normal(size=(1500, 10))
    logits = X @ random.normal(size=(10, 3))
    y = (logits + random.gumbel(size=logits.shape)).argmax(axis=1)
    moments = Moments.of([X[:500]])
    return [(DenseDesign(X[rows], moments), y[rows]) for rows in np.split(np.arange(1500), 3)]


@pytest.fixture(scope="module")
def fitted(data: Any) -> HyperBatch:
    (train, y), (dev, y_dev), _ = data
    return HyperBatch(l2=10.0).fit(train, y, dev, y_dev, classes=4)


def test_it_comes_close_to_the_optimum_of_one_probe(data: Any, fitted: HyperBatch) -> None:
    (train, y), _, (test, y_test) = data
    model = LogisticRegression(C=0.1).fit(train.features(slice(None)), y)
    theirs = log_loss(y_test, model.predict_proba(test.features(slice(None))))
    p = fitted.predict_proba(test)
    assert (p[:, 3] == 0).all()
    assert log_loss(y_test, p[:, :3]) < 1.05 * theirs


def test_its_loss_is_smoothed_cross_entropy_and_l2(data: Any, fitted: HyperBatch) -> None:
    (train, y), *_ = data
    drawn = torch.tensor([[5.0, 0.05], [10.0, 0.01], [1.0, 0.1], [50.0, 0.02]]).log()
    rows, labels = train.features(slice(0, 50)), torch.from_numpy(y[:50])
    with torch.no_grad():
        weights, intercepts = fitted._matrices(drawn)
        each = []
        for w, b, (l2, smoothing) in zip(weights, intercepts, drawn.exp().tolist(), strict=True):
            logits = rows.float() @ w[:3].T + b[:3]  # class 3 has no row
            loss = cross_entropy(logits, labels, label_smoothing=smoothing)
            each.append(float(loss + l2 / 2 * w.square().sum() / 500))
        found = float(fitted._loss(rows, labels, drawn, 500))
    assert found == pytest.approx(np.mean(each), rel=1e-5)


def test_members_differ_by_factors_of_rank_one(fitted: HyperBatch) -> None:
    with torch.no_grad():
        weights, _ = fitted._matrices(fitted.origin_.repeat(4, 1))  # the second matrix is off
    ratio = (weights[0] / weights[1]).double().numpy()
    values = np.linalg.svd(ratio, compute_uv=False)
    assert values[1] < 1e-4 * values[0]


def test_the_bounds_move_and_are_told(fitted: HyperBatch) -> None:
    report = fitted.report()
    assert len(report["members"]) == 4
    assert all(m["l2_from"] < m["l2"] < m["l2_to"] for m in report["members"])
    start = HyperBatch(l2=10.0)
    start._begin(10, 4, torch.Generator().manual_seed(0))
    assert not torch.allclose(start.centre_, fitted.centre_, atol=0.05)


def test_the_same_seed_gives_the_same_model(data: Any, fitted: HyperBatch) -> None:
    (train, y), (dev, y_dev), (test, _) = data
    again = HyperBatch(l2=10.0).fit(train, y, dev, y_dev, classes=4)
    assert (again.predict_proba(test) == fitted.predict_proba(test)).all()
