"""Scores of predicted trees: arcs found, rank correlation of distances and depths, roots found.

All are those of Hewitt and Manning 2019 (NAACL, section 3.2), in the details of their code:

- UUAS: the share of the tree's arcs that are in a minimum spanning tree of the predicted
  distances. Words that are not scored (punctuation) are taken away before the spanning tree is
  sought, and arcs to them are not asked for. (Where a scored word hangs on one that is not, the
  code asks for some other arc in that one's place; here there is one arc less to find.)
- DSpr: Spearman's correlation of a word's predicted distances to all words of its sentence, itself
  included, with the true ones; the mean over words. NSpr: that of a sentence's depths. Both are
  averaged over the sentences of each length from 5 to 50, and then over the lengths, so that every
  length counts the same. All words take part, scored or not.
- Root accuracy: how often the root is the least deep of the scored words.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Numbers = NDArray[Any]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SHORTEST, LONGEST = 5, 50
"""The lengths of sentences, in words, over which correlations are averaged."""


class Arcs(NamedTuple):
    """How many arcs there were to find in a sentence, and how many were found."""

    found: int
    sought: int


def spanning_tree(distances: Numbers) -> Ints:
    """The arcs of a minimum spanning tree over all words, (words - 1, 2), the earlier word first.

    ``distances`` (words, words) is symmetric. Of arcs of one length that of the earlier words is
    taken. Source: Kruskal 1956.
    """
    size = len(distances)
    first, second = np.triu_indices(size, k=1)
    group = list(range(size))  # of the words that are joined already, one stands for all

    def leader(word: int) -> int:
        while group[word] != word:
            group[word] = group[group[word]]
            word = group[word]
        return word

    arcs: list[tuple[int, int]] = []
    for place in np.argsort(distances[first, second], kind="stable").tolist():
        if len(arcs) == size - 1:
            break
        arc = int(first[place]), int(second[place])
        one, other = map(leader, arc)
        if one != other:
            group[other] = one
            arcs.append(arc)
    return np.array(arcs, dtype=np.int64).reshape(-1, 2)


def arcs_found(distances: Numbers, heads: Ints, scored: Flags) -> Arcs:
    """The arcs between scored words of a sentence that a spanning tree over them finds.

    ``distances`` (words, words); ``heads`` (words,) from 0, below 0 for the root; ``scored``
    (words,).
    """
    words = np.flatnonzero(scored)
    built = words[spanning_tree(distances[np.ix_(words, words)])]
    found = (heads[built[:, 0]] == built[:, 1]) | (heads[built[:, 1]] == built[:, 0])
    return Arcs(int(found.sum()), arcs_sought(heads, scored))


def arcs_sought(heads: Ints, scored: Flags) -> int:
    """The number of arcs between scored words."""
    below = np.flatnonzero(scored & (heads >= 0))
    return int(scored[heads[below]].sum())


def spearman(predicted: Numbers, true: Numbers) -> Floats:
    """Spearman's correlation along the last axis, with mean ranks for ties.

    0 where either side is the same everywhere: such a prediction tells nothing.
    """
    one, other = (rankdata(each, axis=-1) for each in (predicted, true))
    one, other = (ranks - ranks.mean(axis=-1, keepdims=True) for ranks in (one, other))
    product = np.asarray((one * other).sum(axis=-1))
    sizes = np.sqrt(np.square(one).sum(axis=-1) * np.square(other).sum(axis=-1))
    return np.asarray(np.divide(product, sizes, out=np.zeros_like(product), where=sizes > 0))


def length_weights(lengths: Ints) -> Floats:
    """How much each sentence's value weighs, so that the mean is the mean over lengths, (n,).

    ``sum(weights * values) / sum(weights)`` is the mean, over the lengths from 5 to 50 that occur
    among ``lengths`` (n,), of the mean of the sentences of that length.
    """
    known, kind, number = np.unique(lengths, return_inverse=True, return_counts=True)
    fitting = (known >= SHORTEST) & (known <= LONGEST)
    return np.asarray((fitting / number)[kind], dtype=np.float64)


def root_found(depths: Numbers, heads: Ints, scored: Flags) -> float:
    """1 if the root is the least deep of the scored words, else 0; its share of a tie."""
    least = scored & (depths == depths[scored].min())
    return float(least[heads < 0].sum() / least.sum())
