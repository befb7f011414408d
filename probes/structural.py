"""The structural probe: a linear map B under which squared lengths are distances in a tree.

Hewitt and Manning 2019 (NAACL, "A Structural Probe for Finding Syntax in Word Representations"):
the distance of two words in the tree is predicted as ``|B (h_i - h_j)|^2`` (section 2.2), the
depth of a word as ``|B h_i|^2`` (section 2.3). What is minimised is theirs too: the absolute error,
averaged over all pairs of words of a sentence (all words, for depths), then over sentences.

The descent differs in what it does about scale. Vectors are divided by one number, the spread of
the words of a sentence about their mean, so that a layer's size, which differs much between
layers, decides nothing; the geometry within the layer stays as it is. Batches are of sentences of
like length and hold about as many words each, so that hardly anything is spent on padding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.errors import DataError

NAME = "structural"
VERSION = "v1"

Quantity = Literal["distance", "depth"]
Vectors = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_START = 0.1  # what B begins with makes of a spread, as a squared length: well below an arc
_BATCH_WORDS = 400  # about 25 sentences; the paper has 20
_STEPS = 50  # in an epoch, at least: it has as many passes over the sentences as that takes
_CUT = 0.3  # of the step, after an epoch without progress
_PROGRESS = 2e-4  # of the loss on dev, in an epoch, as a part of it
_SMALLEST = 0.01  # step at which to stop, as a part of the first one


@dataclass(frozen=True)
class Sentences:
    """Sentences in a layer, and what is to be predicted of each.

    ``vectors`` is (words, dim); sentence i has the ``lengths[i]`` rows from ``starts[i]`` on, both
    of shape (sentences,). ``labels[i]`` holds its n words' depths, (n,), or distances, (n, n).
    """

    vectors: Vectors
    starts: Ints
    lengths: Ints
    labels: Sequence[NDArray[np.integer[Any]]]

    def __len__(self) -> int:
        return len(self.starts)


class StructuralProbe:
    """B of shape (rank, dim), learnt by Adam on batches of sentences.

    After an epoch in which the loss on dev has not fallen, the step is cut; the descent ends when
    the step has become small (``converged_``) or after ``epochs``. The B of the lowest loss on dev
    is kept: that is all there is against overfitting, as in the paper. The same seed gives the
    same B, on one device with one thread.

    After ``fit``: ``map_`` (rank, dim), for vectors as they come; ``dev_losses_``, in arcs, one an
    epoch; ``dev_loss_``, the lowest; ``epochs_``; ``converged_``.
    """

    name = NAME
    version = VERSION

    def __init__(
        self,
        *,
        quantity: Quantity = "distance",
        rank: int = 128,
        rate: float = 0.003,
        epochs: int = 100,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.quantity = quantity
        self.rank = rank
        self.rate = rate
        self.epochs = epochs
        self.seed = seed
        self.device = device

    def settings(self) -> Mapping[str, Any]:
        """Everything that decides its numbers."""
        return {"rank": self.rank, "rate": self.rate, "epochs": self.epochs}

    def fit(self, train: Sentences, dev: Sentences) -> Self:
        """Learn B. The rank is at most dim.

        Raises DataError where there are no sentences, or vectors that are not finite.
        """
        if not len(train) or not len(dev):
            raise DataError("a structural probe needs sentences of train and of dev")
        scale = 1 / _spread(train)
        dim = train.vectors.shape[1]
        random = torch.Generator().manual_seed(self.seed)
        rank = min(self.rank, dim)
        start = (torch.rand(rank, dim, generator=random) * 2 - 1) * (3 * _START / rank) ** 0.5
        b = start.to(self.device).requires_grad_()
        descent = torch.optim.Adam([b], lr=self.rate)
        batches = [each.to(self.device) for each in _batches(train)]
        held_out = [each.to(self.device) for each in _batches(dev)]
        usual = len(train) / len(batches)  # sentences a batch
        best, least, step = b.detach().clone(), np.inf, self.rate
        self.dev_losses_: list[float] = []
        while step > _SMALLEST * self.rate and len(self.dev_losses_) < self.epochs:
            for place in _order(len(batches), random):
                loss = self._loss(b, train.vectors, batches[place], scale)
                descent.zero_grad()
                (loss / usual).backward()  # type: ignore[no-untyped-call]
                descent.step()
            with torch.no_grad():
                losses = [self._loss(b, dev.vectors, each, scale) for each in held_out]
            value = float(torch.stack(losses).sum()) / len(dev)
            if not np.isfinite(value):
                raise DataError("the loss of the structural probe is not finite")
            self.dev_losses_.append(value)
            if value < least * (1 - _PROGRESS):
                best, least = b.detach().clone(), value
            else:
                step *= _CUT
                descent.param_groups[0]["lr"] = step
        self.map_: Floats = best.cpu().double().numpy() * scale
        self.dev_loss_ = least
        self.epochs_ = len(self.dev_losses_)
        self.converged_ = step <= _SMALLEST * self.rate
        return self

    def predict(self, vectors: Vectors, starts: Ints, lengths: Ints) -> Iterator[Floats]:
        """Of each sentence the distances, (n, n), or the depths, (n,), in arcs; none is below 0.

        To a millionth of an arc: like words of a layer without context stay equally far.
        """
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
            words = vectors[start : start + length].astype(np.float64)
            if self.quantity == "depth":
                yield np.round(np.square(words @ self.map_.T).sum(axis=1), 6)
            else:
                mapped = (words - words.mean(axis=0)) @ self.map_.T
                squares = np.square(mapped).sum(axis=1)
                apart = squares[:, None] + squares[None, :] - 2 * mapped @ mapped.T
                yield np.maximum(np.round(apart, 6), 0)

    def fit_report(self) -> Mapping[str, Any]:
        """What was fitted and how it went."""
        return {
            "rank": len(self.map_),
            "epochs": self.epochs_,
            "dev_loss": self.dev_loss_,
            "converged": self.converged_,
        }

    def _loss(self, b: Tensor, vectors: Vectors, batch: _Batch, scale: float) -> Tensor:
        """The sum over the sentences of a batch of their mean absolute errors."""
        words = torch.from_numpy(vectors[batch.rows].astype(np.float32))
        mapped = words.to(self.device) * scale @ b.T  # (sentences, longest, rank)
        if self.quantity == "depth":
            predicted = mapped.square().sum(dim=2)
        else:
            # Far from 0 a distance is the small difference of large squares.
            mapped = mapped - mapped[:, :1]
            squares = mapped.square().sum(dim=2)
            products = mapped @ mapped.transpose(1, 2)
            predicted = squares[:, :, None] + squares[:, None, :] - 2 * products
        return ((predicted - batch.labels).abs() * batch.weights).sum()


class _Batch(NamedTuple):
    """``rows`` (sentences, longest); ``labels`` are padded to (sentences, longest) or (sentences,
    longest, longest), and ``weights`` are 0 there, and 1 in all for each sentence."""

    rows: Ints
    labels: Tensor
    weights: Tensor

    def to(self, device: str) -> _Batch:
        return _Batch(self.rows, self.labels.to(device), self.weights.to(device))


def _order(batches: int, random: torch.Generator) -> Iterator[int]:
    """The batches of an epoch: all of them, and all of them again where they are few."""
    for _ in range(-(-_STEPS // batches)):
        yield from torch.randperm(batches, generator=random).tolist()


def _batches(sentences: Sentences) -> list[_Batch]:
    """All sentences by length, in batches of at most ``_BATCH_WORDS`` words or of one sentence."""
    batches, latest = [], list[int]()
    for place in np.argsort(sentences.lengths, kind="stable").tolist():
        if latest and (len(latest) + 1) * sentences.lengths[place] > _BATCH_WORDS:
            batches.append(_batch(sentences, latest))
            latest = []
        latest.append(place)
    return [*batches, _batch(sentences, latest)]


def _batch(sentences: Sentences, places: list[int]) -> _Batch:
    longest = int(sentences.lengths[places].max())
    shape = (len(places),) + (longest,) * sentences.labels[0].ndim
    # What stands for a word that is not there is the sentence's first.
    rows = np.repeat(sentences.starts[places][:, None], longest, axis=1)
    labels, weights = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
    for i, place in enumerate(places):
        size, own = int(sentences.lengths[place]), sentences.labels[place]
        rows[i, :size] += np.arange(size)
        inside = (slice(size),) * own.ndim
        labels[i][inside] = own
        weights[i][inside] = 1 / own.size
    return _Batch(rows, torch.from_numpy(labels), torch.from_numpy(weights))


def _spread(sentences: Sentences) -> float:
    """The root of the mean squared distance of a word from the mean of its sentence."""
    total, words = 0.0, int(sentences.lengths.sum())
    for start, length in zip(sentences.starts.tolist(), sentences.lengths.tolist(), strict=True):
        own = sentences.vectors[start : start + length].astype(np.float64)
        total += float(np.square(own - own.mean(axis=0)).sum())
    if not np.isfinite(total):
        raise DataError("a vector is not finite")
    # Words that are all alike are 0 apart whatever they are divided by.
    return float(np.sqrt(total / words)) or 1.0
