"""The online code length of labels given features: how few bits tell them to who has the features.

Voita and Titov 2020, section 2.2.2. Both ends know the features, the K classes and the probe. The
first block of labels is sent as it is; every later block is coded with the probabilities of the
probe fitted on all labels before it. So a short code needs labels that are easily learnt, from few
of them. Only the arithmetic is here: the caller fits.

    order = order_of(clusters, seed)
    ends = block_ends(clusters[order])
    code = OnlineCode(classes, labels[order[: ends[0]]])
    for end, next_end in pairwise(ends):
        block = order[end:next_end]
        code.add(<probabilities of block, fitted on order[:end]>, labels[block])
    code.result().compression
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from .metrics import SMALLEST_PROBABILITY

FRACTIONS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.25, 12.5, 25.0, 50.0, 100.0)
"""Where the blocks end, in per cent of the training targets, as in Voita and Titov 2020."""

Ints = NDArray[np.integer[Any]]


class Published(NamedTuple):
    """Figures as the release of Voita and Titov 2020 computes them; they have no unit.

    The losses of the later blocks are summed in nats, the first block is added to them in bits, and
    1024 of the sum are called a kbit. The compression comes out up to 1 / ln 2 = 1.44 times too
    high. To be compared with published tables, never to be given as bits.
    """

    kbits: float
    uniform_kbits: float
    compression: float


@dataclass(frozen=True)
class CodeLength:
    """The code of one order of the targets, block by block."""

    classes: int
    """K, of the whole training set."""
    ends: tuple[int, ...]
    """Targets up to the end of each block."""
    bits: tuple[float, ...]
    """Of each block; the first is uniform."""
    unseen: int
    """How many targets had a class that no label before their block has."""

    @property
    def targets(self) -> int:
        """All targets, the first block's too."""
        return self.ends[-1]

    @property
    def codelength_bits(self) -> float:
        """The sum of the blocks."""
        return math.fsum(self.bits)

    @property
    def uniform_bits(self) -> float:
        """What the labels cost who knows nothing but K: log2(K) bits each."""
        return self.targets * math.log2(self.classes)

    @property
    def compression(self) -> float:
        """Uniform bits a bit of the code: 1 where nothing was learnt."""
        return self.uniform_bits / self.codelength_bits

    @property
    def bits_per_label(self) -> float:
        """The mean over all targets."""
        return self.codelength_bits / self.targets

    @property
    def later_nats(self) -> float:
        """The sum of all blocks but the first, in nats: the losses of the probe."""
        return math.log(2) * math.fsum(self.bits[1:])

    def compat(self) -> Published:
        """This code in the mixed units of ``Published``, to be set beside published tables.

        As in ``Eval_MDL_online_code.ipynb`` of github.com/lena-voita/description-length-probing at
        e27a3f5.
        """
        mixed = self.bits[0] + self.later_nats
        return Published(mixed / 1024, self.uniform_bits / 1024, self.uniform_bits / mixed)


class MeanCodeLength(NamedTuple):
    """The mean over several orders, and the shortest and longest of them, in bits."""

    codelength_bits: float
    lowest: float
    highest: float
    uniform_bits: float
    compression: float
    """That of the mean code length."""
    bits_per_label: float
    orders: int


class OnlineCode:
    """Adds up the code of one problem, a block at a time, in the order of ``order_of``.

    A class that none of the n labels before a block has cannot be foreseen by the probe. Each such
    class gets the share 1 / (n + K), as under Laplace's rule, and costs log2(n + K) bits; the
    classes seen divide what is left in the probe's proportions. The shares of a target sum to one.
    Probabilities of seen classes below ``SMALLEST_PROBABILITY`` count as that: 52 bits, not
    infinitely many, and a sum too high by no more than rounding.
    """

    def __init__(self, classes: int, first: Ints) -> None:
        """Code the first block: log2(K) bits for each of its labels, whole numbers below K.

        Raises DataError for an empty block, for labels that are none of the K = ``classes``, and
        for K = 1: such labels take 0 bits, and their compression is undefined.
        """
        if classes < 2:
            raise DataError(f"a code length needs two classes or more, not {classes}")
        self._seen = np.zeros(classes, dtype=bool)
        labels = self._checked(first)
        self._ends = [len(labels)]
        self._bits = [len(labels) * math.log2(classes)]
        self._unseen = 0
        self._seen[labels] = True

    def add(self, probabilities: NDArray[Any], labels: Ints) -> None:
        """Code the next block: (block, K) probabilities by a probe fitted on all before, (block,)
        labels.

        Raises DataError where a row is no distribution over the classes seen so far.
        """
        labels = self._checked(labels)
        p = np.asarray(probabilities, dtype=np.float64)
        if p.shape != (len(labels), len(self._seen)):
            raise DataError(
                f"probabilities of shape {p.shape} for {len(labels)} targets "
                f"and {len(self._seen)} classes"
            )
        if not np.isfinite(p).all() or (p < 0).any():
            raise DataError("a probability is negative or not a number")
        sums = p.sum(axis=1, where=self._seen)
        # Wide enough for rows computed in single precision; the division makes up for it.
        if (np.abs(sums - 1) > 1e-3).any():
            raise DataError("a row of probabilities does not sum to one over the classes seen")
        one = 1 / (self._ends[-1] + len(self._seen))  # the share of a class unseen
        left = 1 - one * np.count_nonzero(~self._seen)
        known = self._seen[labels]
        chosen = np.clip(p[np.arange(len(p)), labels] / sums, SMALLEST_PROBABILITY, 1.0)
        self._bits.append(float(np.log2(1 / np.where(known, left * chosen, one)).sum()))
        self._ends.append(self._ends[-1] + len(labels))
        self._unseen += int(np.count_nonzero(~known))
        # Only now: within a block the receiver has no labels yet to learn from.
        self._seen[labels] = True

    def result(self) -> CodeLength:
        """The code of all blocks so far."""
        return CodeLength(len(self._seen), tuple(self._ends), tuple(self._bits), self._unseen)

    def _checked(self, labels: Ints) -> NDArray[np.int64]:
        array = np.asarray(labels)
        if array.ndim != 1 or array.dtype.kind not in "iu" or not array.size:
            raise DataError("the labels of a block are no list of integers")
        if array.min() < 0 or array.max() >= len(self._seen):
            raise DataError(
                f"the labels run from {array.min()} to {array.max()}, "
                f"outside {len(self._seen)} classes"
            )
        return np.asarray(array, dtype=np.int64)


def order_of(clusters: Ints, seed: int) -> NDArray[np.int64]:
    """The permutation of the targets of that seed: (n,) indices.

    ``clusters[i]`` is the sentence or document of target i, any integer. Whole clusters are
    shuffled; the targets of one stand together, in their own order. The clusters are sorted by
    draws of the bit generator PCG64, whose stream numpy keeps the same in all versions.
    """
    clusters = _checked_clusters(clusters)
    found, number = np.unique(clusters, return_inverse=True)
    draws = np.random.PCG64(seed).random_raw(len(found))
    rank = np.empty(len(found), dtype=np.int64)
    rank[np.argsort(draws, kind="stable")] = np.arange(len(found))
    return np.argsort(rank[number], kind="stable").astype(np.int64)


def block_ends(clusters: Ints) -> list[int]:
    """Where the blocks end, for the (n,) clusters of the targets in their order.

    Each of ``FRACTIONS`` of n moves to the nearest border of a cluster, the earlier one of two:
    a probe that knew half a sentence would code the other half too cheaply. Fractions that meet at
    one border are one block, and none meets at 0: the first block has a cluster at least. So the
    ends rise strictly, and the last is n. A single cluster has no border inside, so there every
    target ends at one. Raises DataError without a target, and where the targets of a cluster do not
    stand together.
    """
    clusters = _checked_clusters(clusters)
    n = len(clusters)
    borders = np.append(np.flatnonzero(np.diff(clusters)) + 1, n)
    if len(borders) != len(np.unique(clusters)):
        raise DataError("the targets of a cluster do not stand together")
    if len(borders) == 1:
        borders = np.arange(1, n + 1)
    # In ten thousandths of a target, all whole numbers: a tie is a tie.
    wanted, places = n * np.array([round(100 * f) for f in FRACTIONS]), 10_000 * borders
    after = np.searchsorted(places, wanted)
    before = np.maximum(after - 1, 0)
    nearest = np.where(wanted - places[before] <= places[after] - wanted, before, after)
    return [int(end) for end in np.unique(borders[nearest])]


def over_orders(codes: Sequence[CodeLength]) -> MeanCodeLength:
    """The mean over several orders of the same targets. Raises DataError for none, or others."""
    if not codes:
        raise DataError("no code lengths to average")
    if len({(code.classes, code.targets) for code in codes}) != 1:
        raise DataError("the code lengths are not all of the same targets")
    lengths = [code.codelength_bits for code in codes]
    mean, uniform = math.fsum(lengths) / len(lengths), codes[0].uniform_bits
    return MeanCodeLength(
        codelength_bits=mean,
        lowest=min(lengths),
        highest=max(lengths),
        uniform_bits=uniform,
        compression=uniform / mean,
        bits_per_label=mean / codes[0].targets,
        orders=len(lengths),
    )


def _checked_clusters(clusters: Ints) -> Ints:
    array = np.asarray(clusters)
    if array.ndim != 1 or array.dtype.kind not in "iu" or not array.size:
        raise DataError("the clusters of the targets are no list of integers")
    return array
