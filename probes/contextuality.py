"""How much of a layer is the word's form and how much its context: nothing is fitted.

The measures of Ethayarajh 2019 (arXiv 1909.00512, section 3): self-similarity, intra-sentence
similarity, maximum explainable variance, each with what words without anything in common would
give (section 4.1, anisotropy); and beside them the share of variance between forms, as in an
analysis of variance of one factor. Cosines are means over all pairs, not over a sample: the mean
cosine of n vectors follows from the length of the sum of their directions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from .similarity import unit

Vectors = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_ROWS = 4096  # vectors that are held in float64 at once


@dataclass(frozen=True)
class Groups:
    """Rows by what they belong to: the occurrences of a form, the words of a sentence.

    ``order`` (rows,) puts the members of a group side by side, group i from ``starts[i]`` to
    ``starts[i + 1]``.
    """

    order: Ints
    starts: Ints

    @classmethod
    def of(cls, labels: Ints, fewest: int = 1) -> Groups:
        """The groups of equal labels (rows,), in ascending order, of at least so many members."""
        order = np.argsort(labels, kind="stable")
        _, sizes = np.unique(labels, return_counts=True)
        kept = sizes >= fewest
        order = order[np.repeat(kept, sizes)]
        return cls(order, np.concatenate([[0], np.cumsum(sizes[kept])]))

    @property
    def sizes(self) -> Ints:
        return np.diff(self.starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def shuffled(self, rows: int, seed: int) -> Groups:
        """Groups of the same sizes of random ones of so many rows, none drawn twice."""
        drawn = np.random.default_rng(seed).permutation(rows)[: len(self.order)]
        return Groups(drawn, self.starts)

    def blocks(self, vectors: Vectors) -> Iterator[tuple[slice, Floats, Ints]]:
        """Whole groups at a time: which, their vectors (rows, dim), where each starts in them."""
        first = 0
        while first < len(self):
            last = int(np.searchsorted(self.starts, self.starts[first] + _ROWS, side="right")) - 1
            last = max(last, first + 1)  # a group larger than a block is one by itself
            rows = self.order[self.starts[first] : self.starts[last]]
            starts = self.starts[first:last] - self.starts[first]
            yield slice(first, last), vectors[rows].astype(np.float64), starts
            first = last


def self_similarity(vectors: Vectors, groups: Groups) -> Floats:
    """The mean cosine of each form's occurrences with one another, (forms,).

    ``vectors`` is (words, dim). A form needs two occurrences at least (DataError otherwise). 1 for
    a static vector, on average 0 where directions are uniform. A vector of no length has the
    cosine 0 with all.
    """
    sizes = groups.sizes
    if (sizes < 2).any():
        raise DataError("a form that occurs once is like nothing", where="self-similarity")
    found = np.empty(len(groups))
    for which, rows, starts in groups.blocks(vectors):
        directions = unit(rows)
        squares = np.add.reduceat((directions**2).sum(axis=1), starts)
        sums = np.add.reduceat(directions, starts, axis=0)  # (forms, dim)
        n = sizes[which]
        found[which] = ((sums**2).sum(axis=1) - squares) / (n * (n - 1))
    return found


def sentence_sums(vectors: Vectors, sentences: Groups) -> Floats:
    """What the anisotropy is counted from, (sentences, dim + 2).

    Of each sentence: 1, the squared length of the mean of its words' directions, and that mean.
    Rows may be added up (a bootstrap over sentences) before ``anisotropy`` counts.
    """
    found = np.ones((len(sentences), vectors.shape[1] + 2))
    for which, rows, starts in sentences.blocks(vectors):
        means = np.add.reduceat(unit(rows), starts, axis=0) / sentences.sizes[which][:, None]
        found[which, 1] = (means**2).sum(axis=1)
        found[which, 2:] = means
    return found


def anisotropy(sums: Floats) -> Floats:
    """The mean cosine of two words of different sentences: (..., dim + 2) -> (...).

    Of added-up ``sentence_sums``. A sentence is drawn uniformly and then a word of it, twice: as in
    the paper's code, so that long sentences do not weigh more, but over all pairs. On average 0
    where directions are uniform.
    """
    count, own = sums[..., 0], sums[..., 1]
    total = (sums[..., 2:] ** 2).sum(axis=-1)
    return np.asarray((total - own) / (count * (count - 1)), dtype=np.float64)


def intra_sentence_similarity(vectors: Vectors, sentences: Groups) -> Floats:
    """The mean cosine of each sentence's words with the mean of their vectors, (sentences,).

    A word is part of that mean, so that words without anything in common do not give 0 but about
    ``1 / sqrt(n)`` in a sentence of n; ``Groups.shuffled`` gives what they do give.
    """
    found = np.empty(len(sentences))
    for which, rows, starts in sentences.blocks(vectors):
        sums = np.add.reduceat(rows, starts, axis=0)  # (sentences, dim): a mean but for its length
        sizes = sentences.sizes[which]
        alike = (unit(rows) * np.repeat(unit(sums), sizes, axis=0)).sum(axis=1)
        found[which] = np.add.reduceat(alike, starts) / sizes
    return found


def explainable_variance(vectors: Vectors, groups: Groups) -> Floats:
    """How well one static vector could stand for each form, (forms,): from 1 / n to 1.

    The squared first singular value of a form's occurrences (n, dim) over the sum of all of them
    (Ethayarajh 2019, definition 3). Nothing is taken off first, as in the definition and unlike
    the paper's code, which centres: a static vector gives 1. Even n vectors without anything in
    common give at least 1 / n, so that this is to be set against random groups of the same sizes
    (``Groups.shuffled``). 1 for a form of vectors of no length.
    """
    found = np.empty(len(groups))
    sizes = groups.sizes
    for which, rows, starts in groups.blocks(vectors):
        for place, start in enumerate(starts.tolist(), start=which.start):
            own = rows[start : start + sizes[place]]  # (n, dim)
            products = own @ own.T if len(own) <= own.shape[1] else own.T @ own
            total = float(np.trace(products))
            found[place] = float(np.linalg.eigvalsh(products)[-1]) / total if total else 1.0
    return found


def form_sums(vectors: Vectors, groups: Groups) -> Floats:
    """What the share of variance between forms is counted from, (forms, dim + 3).

    Of each form: how often it occurs, the sum of its squared vectors, the square of their sum over
    how often, and that sum itself; all of vectors less the mean, so that nothing cancels. Rows may
    be added up (a bootstrap over forms) before ``variance_share`` counts.
    """
    centre = vectors[groups.order].mean(axis=0, dtype=np.float64)
    found = np.empty((len(groups), vectors.shape[1] + 3))
    for which, rows, starts in groups.blocks(vectors):
        rows = rows - centre
        sizes = groups.sizes[which]
        sums = np.add.reduceat(rows, starts, axis=0)
        found[which, 0] = sizes
        found[which, 1] = np.add.reduceat((rows**2).sum(axis=1), starts)
        found[which, 2] = (sums**2).sum(axis=1) / sizes
        found[which, 3:] = sums
    return found


def variance_share(sums: Floats) -> Floats:
    """Variance between forms over all variance, from added-up ``form_sums``: (..., k) -> (...).

    Variances are summed over dimensions and weighted by occurrence: the R squared of an analysis
    of variance, eta squared. 0 where nothing varies.
    """
    count, squares, between = sums[..., 0], sums[..., 1], sums[..., 2]
    grand = (sums[..., 3:] ** 2).sum(axis=-1) / count
    whole = squares - grand
    varies = whole > 1e-12 * squares
    share = (between - grand) / np.where(varies, whole, 1)
    return np.asarray(np.where(varies, share, 0.0), dtype=np.float64)


def chance_share(words: int, forms: int) -> float:
    """The expected ``variance_share`` where forms are shuffled over words: exact, for any vectors.

    A random partition of N words into F groups has F - 1 of N - 1 degrees of freedom.
    """
    return (forms - 1) / (words - 1)
