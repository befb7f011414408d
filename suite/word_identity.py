"""One-hot words: in place of activations, the number that each word's form has in train.

A one-hot row is as wide as the vocabulary of train, some 20,000 forms for a treebank, so that it
is never written out: not on disk, and in memory as a sparse matrix only.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..core.errors import UsageError
from ..core.types import Split
from ..probes.base import Features, Probe, StackedProbe
from ..probes.design import IN_MEMORY, Design, Moments
from ..probes.sparse_design import SparseDesign, sparse_moments
from ..probes.sparse_spans import pool_sparse, sparse_pair_features
from .arrays import SplitArrays

_NONE = -1


@dataclass(frozen=True)
class WordIdentity:
    """The words of one split, in the place of ``Activations``.

    ``numbers`` (words,) are those of their forms among the ``types`` of train, case kept, or -1
    for a form that train does not have, whose vector is 0.
    """

    numbers: NDArray[np.int64]
    types: int
    seconds: float

    @property
    def manifest(self) -> dict[str, Any]:
        """What a record tells of it: the shape that it stands for, and what became of the words."""
        missing = int((self.numbers == _NONE).sum())
        return {
            "shape": [1, len(self.numbers), self.types],
            "dtype": "sparse",
            "input": {"words": len(self.numbers), "words_unknown_to_train": missing},
        }

    def layer(self, index: int) -> csr_array:
        """The one-hot rows, of shape (words, types). IndexError but for layer 0."""
        if index:
            raise IndexError(f"one-hot words have the layer 0 alone, not {index}")
        known = self.numbers != _NONE
        starts = np.concatenate([[0], np.cumsum(known)])
        ones = np.ones(starts[-1], dtype=np.float32)
        shape = (len(self.numbers), self.types)
        return csr_array((ones, self.numbers[known], starts), shape=shape)


def word_identities(splits: Mapping[str, Split]) -> dict[str, WordIdentity]:
    """The words of each split of a task, by the forms of its training documents, as they come."""
    numbers: dict[str, int] = {}
    for document in splits["train"].documents:
        for word in document.words:
            numbers.setdefault(word, len(numbers))
    found = {}
    for name, split in splits.items():
        started = time.perf_counter()
        words = [numbers.get(word, _NONE) for each in split.documents for word in each.words]
        seconds = round(time.perf_counter() - started, 3)
        found[name] = WordIdentity(np.array(words, dtype=np.int64), len(numbers), seconds)
    return found


def lay_out_words(
    probe: Probe,
    vectors: Mapping[str, csr_array],
    splits: Mapping[str, SplitArrays],
    span_pooling: str,
    device: str,
) -> dict[str, Design | Features]:
    """The features of every split, from its sparse (words, types) matrix.

    Designs leave out what is the same in all rows of train, as is a form that no target has. A
    probe that takes no designs gets the rows written out if they fit into ``IN_MEMORY`` bytes.
    """
    if span_pooling == "attentive":
        raise UsageError(
            "attention is not learnt over words as wide as a vocabulary",
            where="--span-pooling",
            cure="take mean, or --encoder onehot:2048 for hashed words",
        )
    rows = {name: _features(vectors[name], splits[name], span_pooling) for name in splits}
    if not isinstance(probe, StackedProbe):
        return {name: _written_out(each, probe) for name, each in rows.items()}
    moments = sparse_moments(rows["train"])
    varies = np.isfinite(moments.scale)
    kept = np.flatnonzero(varies if varies.any() else ~varies)
    return {
        name: SparseDesign(
            each[:, kept], Moments(moments.mean[kept], moments.scale[kept]), device=device
        )
        for name, each in rows.items()
    }


def _features(words: csr_array, split: SplitArrays, span_pooling: str) -> csr_array:
    first = pool_sparse(words, split.spans1, span_pooling)
    if split.spans2 is None:
        return first
    return sparse_pair_features(first, pool_sparse(words, split.spans2, span_pooling))


def _written_out(rows: csr_array, probe: Probe) -> Features:
    size = 4 * rows.shape[0] * rows.shape[1]
    if size > IN_MEMORY:
        raise UsageError(
            f"the probe {probe.name} takes plain arrays, and one-hot words would be of "
            f"{size / 2**30:.1f} GiB",
            where="--probe",
            cure="take linear, or --encoder onehot:2048 for hashed words",
        )
    return np.asarray(rows.toarray(), dtype=np.float32)
