"""Code lengths against a code that is written out by hand, with scikit-learn's classifiers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from layerwise.probes.codelength import block_ends, order_of
from layerwise.probes.design import DenseDesign, Moments
from layerwise.probes.linear import LinearProbe
from layerwise.suite.arrays import SplitArrays, TaskArrays
from layerwise.suite.coding import code_lengths
from layerwise.suite.config import RunConfig
from layerwise.suite.pipeline import evaluate


def by_hand(X: Any, y: Any, clusters: Any, classes: int, l2: float) -> float:
    order = order_of(clusters, 0)
    X, y = X[order], y[order]
    ends = block_ends(clusters[order])
    bits = ends[0] * np.log2(classes)
    for end, after in pairwise(ends):
        seen = np.unique(y[:end])
        unseen = classes - len(seen)
        if len(seen) > 1:
            model = LogisticRegression(C=1 / l2, tol=1e-10, max_iter=10_000).fit(X[:end], y[:end])
            p = model.predict_proba(X[end:after])
        else:
            p = np.ones((after - end, 1))
        for row, label in zip(p, y[end:after], strict=True):
            if label in seen:
                share = (1 - unseen / (end + classes)) * row[np.searchsorted(seen, label)]
            else:
                share = 1 / (end + classes)
            bits -= np.log2(share)
    return float(bits)


def test_it_is_as_long_as_the_code_by_hand() -> None:
    random = np.random.default_rng(0)
    rows, classes, l2 = 1500, 4, 3.0
    X = random.normal(size=(rows, 6)).astype(np.float32)
    y = (X @ random.normal(size=(6, classes)) + random.gumbel(size=(rows, classes))).argmax(axis=1)
    y[:3] = 3
    clusters = np.arange(rows) // 5
    control = random.integers(0, classes, size=rows)
    moments = Moments.of_rows(X)
    design = DenseDesign(X, moments)
    split = SplitArrays(np.zeros((rows, 2), dtype=int), None, y, clusters)
    arrays = TaskArrays(
        "t.v1", "accuracy", list("abcd"), None, dict.fromkeys(("train", "dev", "test"), split),
        "sentence", "",
    )  # fmt: skip
    labels = np.stack([y, control])
    scores, curve = code_lengths(
        LinearProbe(l2=l2),
        dict.fromkeys(("train", "dev", "test"), design),
        labels,
        labels,
        arrays,
        1,
    )
    standard = moments.standardise(X)
    expected = by_hand(standard, y, clusters, classes, l2)
    assert scores["codelength_bits"] == pytest.approx(expected, rel=1e-4)
    assert scores["compression"] == pytest.approx(rows * 2 / expected, rel=1e-4)
    assert scores["bits_per_label"] == pytest.approx(expected / rows, rel=1e-4)
    of_control = by_hand(standard, control, clusters, classes, l2)
    assert scores["control_codelength_bits"] == pytest.approx(of_control, rel=1e-4)
    assert [point["targets"] for point in curve] == [float(e) for e in block_ends(clusters)[:-1]]
    assert curve[-1]["accuracy"] > curve[0]["accuracy"]


def test_a_run_measures_it_when_asked(fake: Any, config: Callable[..., RunConfig]) -> None:
    fake()
    plain = evaluate(config())
    coded = evaluate(config(codelength=3))
    assert coded.computed == 2
    noise, letter = sorted(coded.records, key=lambda r: r.key.layer)
    assert letter.scores["compression"] > 1.5 * noise.scores["compression"]
    assert (
        letter.scores["codelength_bits_lowest"]
        <= letter.scores["codelength_bits"]
        <= letter.scores["codelength_bits_highest"]
    )
    assert len(letter.facts["learning_curve"]) >= 2
    for record in plain.records:
        assert "compression" not in record.scores and "learning_curve" not in record.facts
