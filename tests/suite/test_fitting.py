"""Features as a probe wants them, and all problems of a task in one stack."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from layerwise.core.errors import UsageError
from layerwise.probes.linear import LinearProbe
from layerwise.suite.arrays import SplitArrays
from layerwise.suite.fitting import fit_problems, lay_out, take

SIZES = {"train": 120, "dev": 40, "test": 30}


class OneByOne:
    """Another's probe: it knows nothing of stacks."""

    name, version = "one by one", "v1"

    def __init__(self) -> None:
        self.own = LinearProbe(l2=(10.0, 1.0, 0.1))

    def settings(self) -> dict[str, Any]:
        return {}

    def fit(self, X: Any, y: Any, X_dev: Any, y_dev: Any, *, classes: int) -> OneByOne:
        assert isinstance(X, np.ndarray) and X.dtype == np.float32
        self.own.fit(X, y, X_dev, y_dev, classes=classes)
        return self

    def predict_proba(self, X: Any) -> Any:
        return self.own.predict_proba(X)

    def fit_report(self) -> Any:
        return self.own.fit_report()


def drawn(kind: str) -> tuple[dict[str, Any], dict[str, SplitArrays]]:
    """Layers of words, and splits of targets whose label their first word tells, with noise."""
    random = np.random.default_rng(0)
    vectors, splits = {}, {}
    for name, count in SIZES.items():
        words = random.normal(size=(count, 5)).astype(np.float16)
        start = np.sort(random.integers(0, count - 3, size=2 * count))
        length = (
            np.ones(2 * count, dtype=int) if kind == "words" else random.integers(1, 4, 2 * count)
        )
        spans = np.stack([start, start + length], axis=1)
        second = spans[random.permutation(2 * count)] if kind == "pairs" else None
        labels = words[start, :3].argmax(axis=1)
        labels = np.where(random.random(2 * count) < 0.2, random.integers(0, 3, 2 * count), labels)
        vectors[name] = words
        splits[name] = SplitArrays(spans, second, labels, np.arange(2 * count) // 4)
    return vectors, splits


@pytest.mark.parametrize("pooling", ["mean", "max", "first", "last", "endpoints"])
@pytest.mark.parametrize("kind", ["words", "spans", "pairs"])
def test_a_stack_of_problems_is_as_good_as_one_fit_after_another(kind: str, pooling: str) -> None:
    vectors, splits = drawn(kind)
    labels, dev = (
        np.stack([splits[name].labels, np.random.default_rng(1).integers(0, 3, 2 * SIZES[name])])
        for name in ("train", "dev")
    )
    found = []
    for probe in (LinearProbe(l2=(10.0, 1.0, 0.1)), OneByOne()):
        laid = lay_out(probe, vectors, splits, pooling, "cpu")
        prefix = np.arange(0, 2 * SIZES["train"], 2)
        fits = fit_problems(probe, laid["train"], labels, laid["dev"], dev, 3)
        fits += fit_problems(
            probe, take(laid["train"], prefix), labels[:, prefix], laid["dev"], dev, 3
        )
        found.append([fit.predict_proba(laid["test"]) for fit in fits])
    stacked, plain = found
    # Plain arrays of a prefix are standardised by the prefix, and so are only nearly the same.
    np.testing.assert_allclose(stacked[:2], plain[:2], atol=2e-3)
    np.testing.assert_allclose(stacked[2:], plain[2:], atol=0.1)


def test_attention_finds_the_word_that_tells() -> None:
    random = np.random.default_rng(3)
    vectors, splits = {}, {}
    for name, count in {"train": 600, "dev": 200, "test": 200}.items():
        words = random.normal(size=(5 * count, 8)).astype(np.float32)
        telling = np.arange(count) * 5 + random.integers(0, 5, size=count)
        words[telling, 7] += 6
        labels = (words[telling, 0] > 0).astype(np.int64)
        spans = np.stack([np.arange(count) * 5, np.arange(count) * 5 + 5], axis=1)
        vectors[name] = words
        splits[name] = SplitArrays(spans, None, labels, np.arange(count))
    accuracy = {}
    for pooling in ("mean", "attentive"):
        probe = LinearProbe()
        laid = lay_out(probe, vectors, splits, pooling, "cpu")
        labels, dev = splits["train"].labels[None], splits["dev"].labels[None]
        (fit,) = fit_problems(probe, laid["train"], labels, laid["dev"], dev, 2)
        predicted = fit.predict_proba(laid["test"]).argmax(axis=1)
        accuracy[pooling] = (predicted == splits["test"].labels).mean()
    assert accuracy["attentive"] > 0.9 > 0.75 > accuracy["mean"]


def test_attention_over_pairs_is_refused() -> None:
    vectors, splits = drawn("pairs")
    with pytest.raises(UsageError, match="one span"):
        lay_out(LinearProbe(), vectors, splits, "attentive", "cpu")


def test_weights_for_a_probe_that_takes_none_are_refused() -> None:
    vectors, splits = drawn("words")
    laid = lay_out(OneByOne(), vectors, splits, "mean", "cpu")
    labels, dev = splits["train"].labels[None], splits["dev"].labels[None]
    with pytest.raises(UsageError, match="no weights"):
        fit_problems(OneByOne(), laid["train"], labels, laid["dev"], dev, 3, np.ones(labels.shape))
