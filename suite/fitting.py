"""Features of a layer in the form that a probe wants, and fits of all problems on them.

A probe that can fit a stack of problems gets designs, which need not be held whole; any other
gets plain arrays and fits one problem after another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from ..core.errors import UsageError
from ..probes.attention_pooling import AttentivePooling
from ..probes.base import Features, Fitted, Labels, Probe, StackedProbe
from ..probes.design import DenseDesign, Design, Moments
from ..probes.pairs import PairDesign, pair_moments
from ..probes.spans import distinct_spans, pair_features, pool_spans
from .arrays import SplitArrays
from .word_identity import lay_out_words

Layer: TypeAlias = NDArray[np.floating[Any]] | csr_array
Laid = Design | Features


def lay_out(
    probe: Probe,
    vectors: Mapping[str, Layer],
    splits: Mapping[str, SplitArrays],
    span_pooling: str,
    device: str,
) -> dict[str, Laid]:
    """The features of every split, from a layer's (words, dim) vectors of it, dense or sparse.

    The split ``natural`` has the words of ``test``.
    """
    vectors = {name: vectors["test" if name == "natural" else name] for name in splits}
    device = device if device.startswith("cuda") else "cpu"  # others lack float64
    if issparse(vectors["train"]):
        return lay_out_words(probe, vectors, splits, span_pooling, device)
    if span_pooling == "attentive":
        vectors, splits = _attend(vectors, splits)
        span_pooling = "mean"  # of the one vector that each span has become
    if not isinstance(probe, StackedProbe):
        return {name: rows_of(vectors[name], splits[name], span_pooling) for name in splits}
    if splits["train"].spans2 is not None:
        spans = {name: _distinct(vectors[name], splits[name], span_pooling) for name in splits}
        moments = pair_moments(*spans["train"])
        return {name: PairDesign(*spans[name], moments, device=device) for name in splits}
    arrays = {name: _source(vectors[name], splits[name], span_pooling) for name in splits}
    moments = Moments.of_rows(*arrays["train"])
    return {
        name: DenseDesign(array, moments, index=index, device=device)
        for name, (array, index) in arrays.items()
    }


def _attend(
    vectors: Mapping[str, Layer], splits: Mapping[str, SplitArrays]
) -> tuple[dict[str, Layer], dict[str, SplitArrays]]:
    """Each target as a word of its own, pooled with attention that was learnt for the task."""
    train, dev = splits["train"], splits["dev"]
    if train.spans2 is not None:
        raise UsageError(
            "attention is learnt for tasks of one span", where="--span-pooling", cure="take mean"
        )
    known = dev.labels >= 0
    pooling = AttentivePooling().fit(
        vectors["train"],
        train.spans1,
        train.labels,
        int(train.labels.max()) + 1,
        dev=(vectors["dev"], dev.spans1[known], dev.labels[known]) if known.any() else None,
    )
    pooled = {name: pooling.pool(vectors[name], splits[name].spans1) for name in splits}
    alone = {
        name: replace(splits[name], spans1=np.arange(len(pooled[name]))[:, None] + np.array([0, 1]))
        for name in splits
    }
    return pooled, alone


def rows_of(vectors: Layer, split: SplitArrays, span_pooling: str) -> Features:
    """Plain features, (targets, dim), or (targets, 4 * dim) for pairs."""
    first = pool_spans(vectors, split.spans1, span_pooling)
    if split.spans2 is None:
        return first
    return pair_features(first, pool_spans(vectors, split.spans2, span_pooling))


def take(features: Laid, rows: NDArray[np.int64]) -> Laid:
    """The features of some targets."""
    return (
        features[rows]
        if isinstance(features, np.ndarray)
        else features.take(torch.from_numpy(rows))
    )


def fit_problems(
    probe: Probe,
    train: Laid,
    labels: Labels,
    dev: Laid,
    dev_labels: Labels,
    classes: int,
    weights: NDArray[np.float64] | None = None,
    tolerance: float | None = None,
) -> Sequence[Fitted]:
    """One fit a problem; ``labels`` and ``weights`` are (problems, targets)."""
    if isinstance(probe, StackedProbe):
        assert not isinstance(train, np.ndarray) and not isinstance(dev, np.ndarray)
        return probe.fit_stack(
            train, labels, dev, dev_labels, classes=classes, weights=weights, tolerance=tolerance
        )
    assert isinstance(train, np.ndarray) and isinstance(dev, np.ndarray)
    if weights is not None:
        raise UsageError(f"the probe {probe.name} takes no weights", where="--refits")
    return [
        _Plain(deepcopy(probe).fit(train, y, dev, y_dev, classes=classes))
        for y, y_dev in zip(labels, dev_labels, strict=True)
    ]


@dataclass(frozen=True)
class _Plain:
    probe: Probe

    def predict_proba(self, features: Any) -> NDArray[np.float64]:
        return self.probe.predict_proba(features)

    def report(self) -> Mapping[str, Any]:
        return self.probe.fit_report()


def _source(
    vectors: Layer, split: SplitArrays, span_pooling: str
) -> tuple[Layer, NDArray[np.int64] | None]:
    """An array and the rows of it that are the targets: for single words, the layer as it is."""
    start, end = split.spans1.T
    if span_pooling != "endpoints" and (end - start == 1).all():
        return vectors, start
    return pool_spans(vectors, split.spans1, span_pooling), None


def _distinct(
    vectors: Layer, split: SplitArrays, span_pooling: str
) -> tuple[Features, NDArray[np.int64]]:
    """The vectors of all distinct spans, and each pair as two rows of them."""
    assert split.spans2 is not None
    spans, pairs = distinct_spans(split.spans1, split.spans2)
    return pool_spans(vectors, spans, span_pooling), pairs
