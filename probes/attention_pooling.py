"""Self-attentive pooling: a span's vector is the mean of its words, weighted by what they are.

Which words matter is learnt, by one vector u for all spans (Lee et al. 2017, section 4; as the
pooling of probes: Tenney et al. 2019, "What do you learn from context?", section 3.1, there with
a projection first). Together with a classifier this has many optima, so that u is learnt here,
by descent, and then held: probes over the pooled spans keep their one optimum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from .base import Features, Labels
from .design import PART, Moments
from .spans import check_spans

Vectors = NDArray[np.floating[Any]]
Spans = NDArray[np.int64]

_EVERY = 5  # steps between two looks at the dev spans


class AttentivePooling:
    """Pools a span to ``sum_t softmax_t(u . x_t) x_t`` over its words x_t.

    ``fit`` descends on the mean cross-entropy (nats) of a linear softmax classifier over the
    pooled spans, plus ``l2 / 2`` times the squared weights of both, by full-batch Adam with a
    step of ``rate``; words are standardised. u and the classifier start at 0, where this is mean
    pooling. Nothing is random. Of the ``steps`` steps, the u that had the least cross-entropy on
    the dev spans is kept; without dev spans, that of the least objective. A step costs about what
    a pass of the solver over the words costs, with one column more than there are classes.

    Where a target has two spans, each side has its own pooling, fitted on that side's spans.
    """

    def __init__(self, *, steps: int = 100, rate: float = 0.05, l2: float = 1e-3) -> None:
        self.steps, self.rate, self.l2 = steps, rate, l2
        self.weights_: NDArray[np.float64] = np.zeros(0)

    def fit(
        self,
        vectors: Vectors,
        spans: Spans,
        labels: Labels,
        classes: int,
        dev: tuple[Vectors, Spans, Labels] | None = None,
    ) -> AttentivePooling:
        """Learn ``weights_``, u of shape (dim,), for words as they are, not standardised.

        ``vectors`` (words, dim), ``spans`` (spans, 2) half-open, ``labels`` (spans,); ``dev`` the
        same of other text, where labels outside the classes do not count. Raises ValueError for a
        span that is empty or outside, and for a label outside the classes.
        """
        if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
            raise ValueError(f"a label is outside the {classes} classes")
        check_spans(spans, len(vectors))
        used = np.unique(_words(spans)[0])
        moments = Moments.of(vectors[used[s : s + PART]] for s in range(0, len(used), PART))
        objective = _objective(vectors, spans, labels, moments)
        judge = None
        if dev is not None:
            known = (dev[2] >= 0) & (dev[2] < classes)
            if known.any():
                judge = _objective(dev[0], dev[1][known], dev[2][known], moments)
        # u is one more row beside the weights of the classes: one product serves both.
        weights = torch.zeros(classes + 1, vectors.shape[1], requires_grad=True)
        intercepts = torch.zeros(classes, requires_grad=True)
        descent = torch.optim.Adam([weights, intercepts], lr=self.rate)
        least, best = np.inf, torch.zeros(vectors.shape[1])
        for step in range(self.steps + 1):
            loss = objective(weights, intercepts) + self.l2 / 2 * weights.square().sum()
            if judge is None or step % _EVERY == 0:
                with torch.no_grad():
                    value = float(loss.detach() if judge is None else judge(weights, intercepts))
                if value < least:
                    least, best = value, weights[-1].detach().clone()
            descent.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            descent.step()
        self.weights_ = best.double().numpy() / moments.scale
        return self

    def pool(self, vectors: Vectors, spans: Spans) -> Features:
        """One row a span, of shape (spans, dim); that of a span of one word is the word.

        Spans may overlap and come in any order; ValueError for one that is empty or outside.
        """
        check_spans(spans, len(vectors))
        words, starts = _words(spans)
        if not len(spans):
            return np.zeros((0, vectors.shape[1]), dtype=np.float32)
        scores = np.concatenate(
            [
                vectors[start : start + PART].astype(np.float64) @ self.weights_
                for start in range(0, len(vectors), PART)
            ]
        )[words]  # (words of all spans,)
        lengths = spans[:, 1] - spans[:, 0]
        scores -= np.repeat(np.maximum.reduceat(scores, starts), lengths)
        shares = np.exp(scores)
        shares /= np.repeat(np.add.reduceat(shares, starts), lengths)
        mixing = csr_array(
            (shares.astype(np.float32), words, np.append(starts, len(words))),
            shape=(len(spans), len(vectors)),
        )
        pooled: Features = mixing @ vectors.astype(np.float32, copy=False)
        return pooled


def _words(spans: Spans) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The words of all spans, one span after the other, and where each span starts in them."""
    lengths = spans[:, 1] - spans[:, 0]
    starts = np.cumsum(lengths) - lengths
    return np.arange(lengths.sum()) + np.repeat(spans[:, 0] - starts, lengths), starts


def _objective(
    vectors: Vectors, spans: Spans, labels: Labels, moments: Moments
) -> Callable[[Tensor, Tensor], Tensor]:
    """The mean cross-entropy as a function of the weights (classes + 1, dim), u last."""
    positions, _ = _words(spans)
    used, places = np.unique(positions, return_inverse=True)
    words = torch.empty(len(used), vectors.shape[1])
    for start in range(0, len(used), PART):
        rows = vectors[used[start : start + PART]].astype(np.float64)
        words[start : start + PART] = torch.from_numpy((rows - moments.mean) / moments.scale)
    place, target = torch.from_numpy(places), torch.from_numpy(labels)
    span = torch.from_numpy(np.repeat(np.arange(len(spans)), spans[:, 1] - spans[:, 0]))

    def objective(weights: Tensor, intercepts: Tensor) -> Tensor:
        # Words are multiplied with the classifier before they are pooled, which is the same:
        # a word in many spans is multiplied once.
        each = (words @ weights.T).index_select(0, place)  # (words of all spans, classes + 1)
        scores = each[:, -1]
        highest = torch.full((len(spans),), -torch.inf)
        highest.scatter_reduce_(0, span, scores.detach(), "amax")
        shares = (scores - highest[span]).exp()
        total = torch.zeros(len(spans)).index_add(0, span, shares)
        shares = shares / total.index_select(0, span)
        logits = intercepts.expand(len(spans), -1)
        logits = logits.index_add(0, span, shares[:, None] * each[:, :-1])
        return torch.nn.functional.cross_entropy(logits, target)

    return objective
