"""Trees as arrays, control trees, scores of what is predicted, and baselines without an encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from ..core.files import canonical_json
from ..core.types import text_hash
from ..probes.controls import control_labels
from ..probes.majority import type_key
from ..probes.structural_scores import (
    LONGEST,
    SHORTEST,
    arcs_found,
    arcs_sought,
    length_weights,
    root_found,
    spearman,
)
from ..tasks.dependency_trees import Quantity, TreeData, TreeSplit, tree_depths, tree_distances
from ..tasks.heads import tree_faults
from .arrays import places_of

Ints = NDArray[np.int64]
Heads = tuple[Ints, ...]
Control = Mapping[str, Heads]
"""Heads of each sentence of each split."""

METRICS: dict[Quantity, str] = {"distance": "uuas", "depth": "spearman"}


@dataclass(frozen=True)
class SplitTrees:
    """The trees of one split. Sentence i has the ``lengths[i]`` words from ``starts[i]`` on, over
    all documents; ``heads[i]`` count words within it, below 0 is the root; ``scored[i]`` flags."""

    starts: Ints
    lengths: Ints
    heads: Heads
    scored: tuple[NDArray[np.bool_], ...]

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True)
class StructuralArrays:
    """The trees of all splits. ``data_hash`` is the sha256 of text, trees and scored words."""

    task: str
    quantity: Quantity
    splits: dict[str, SplitTrees]
    data_hash: str

    @property
    def metric(self) -> str:
        """The score that tables show."""
        return METRICS[self.quantity]


class Scored(NamedTuple):
    """Scores, and what the metric is made of: the sum of ``credit`` over that of ``out_of``.

    Both are (n,), of the n ``sentences`` (by number) that there is something to score in.
    """

    scores: dict[str, float]
    sentences: Ints
    credit: NDArray[np.float64]
    out_of: NDArray[np.float64]


def structural_arrays(data: TreeData) -> StructuralArrays:
    """Lay out a task's trees.

    Raises DataError for one that does not fit its document, and where test cannot be scored.
    """
    digest = hashlib.sha256(data.task.encode())
    for name, split in data.splits.items():
        _check(split, f"task {data.task}, {name} split")
        digest.update(name.encode())
        digest.update(text_hash(split.documents).encode())
        digest.update(canonical_json(split.trees).encode())
    splits = {name: _lay_out(split) for name, split in data.splits.items()}
    _check_scores(data, splits["test"])
    return StructuralArrays(data.task, data.quantity, splits, digest.hexdigest())


def labels_of(quantity: Quantity, heads: Heads) -> list[Ints]:
    """What is to be predicted of each sentence: (n, n) distances or (n,) depths."""
    return [(tree_distances if quantity == "distance" else tree_depths)(each) for each in heads]


def scores_of(
    predicted: Iterable[NDArray[Any]], split: SplitTrees, quantity: Quantity, heads: Heads
) -> Scored:
    """``uuas`` and ``spearman`` of distances, ``spearman`` and ``root_accuracy`` of depths.

    ``heads`` are those of the trees to be found. There is no ``spearman`` where no sentence has 5
    to 50 words, and no ``uuas`` where none has an arc between scored words.
    """
    guesses = list(predicted)
    true = labels_of(quantity, heads)
    told = [float(spearman(*each).mean()) for each in zip(guesses, true, strict=True)]
    weights = length_weights(split.lengths)
    found = {"spearman": float(np.average(told, weights=weights))} if weights.any() else {}
    rest = zip(guesses, heads, split.scored, strict=True)
    if quantity == "depth":
        found["root_accuracy"] = float(np.mean([root_found(*each) for each in rest]))
        credit, out_of = weights * told, weights
    else:
        credit, out_of = np.array([arcs_found(*each) for each in rest], dtype=np.float64).T
        if out_of.any():
            found["uuas"] = float(credit.sum() / out_of.sum())
    sentences = np.flatnonzero(out_of)
    return Scored(found, sentences, credit[sentences], out_of[sentences])


def tree_baselines(arrays: StructuralArrays) -> dict[str, dict[str, float]]:
    """What the place of words alone gives on test.

    Distances: ``linear chain`` joins each scored word to the next (distances count words);
    ``random tree`` is exact, the expected share for trees drawn from all those over n words, in
    which two words are joined with probability 2 / n. Depths: ``position`` takes the first word
    for the root and each further one to be deeper; ``random word`` is exact, too.
    """
    split, quantity = arrays.splits["test"], arrays.quantity
    places = [np.arange(length) for length in split.lengths.tolist()]
    if quantity == "depth":
        chances = [
            float(scored[heads < 0].sum() / scored.sum())
            for heads, scored in zip(split.heads, split.scored, strict=True)
        ]
        return {
            "position": scores_of(places, split, quantity, split.heads).scores,
            "random word": {"root_accuracy": float(np.mean(chances))},
        }
    chain = (np.abs(each[:, None] - each[None, :]) for each in places)
    sought = np.array([arcs_sought(*each) for each in zip(split.heads, split.scored, strict=True)])
    sizes = np.array([scored.sum() for scored in split.scored])
    return {
        "linear chain": scores_of(chain, split, quantity, split.heads).scores,
        "random tree": {"uuas": float((sought * 2 / sizes).sum() / sought.sum())},
    }


def control_trees(data: TreeData, arrays: StructuralArrays, count: int) -> tuple[Control, ...]:
    """The first ``count`` control tasks; they are the same for every encoder and layer.

    After Hewitt and Liang 2019 (section 2), where a word's type tells what it hangs on, and here so
    that a tree comes of it. A type has a level, drawn as depths are distributed among the scored
    words of train, and a side. A word hangs on the nearest word of a lower level on its side, or on
    the other where there is none. The first word of the lowest level is the root, on which the
    others of that level hang. Words that are not scored are above all levels: nothing hangs on
    them. So arcs are about as long and trees about as deep as true ones, and which they are can
    only be known by having memorised types.
    """
    train = arrays.splits["train"]
    depths = np.concatenate(
        [tree_depths(h)[s] for h, s in zip(train.heads, train.scored, strict=True)]
    )
    types = {name: _types(data.splits[name], split) for name, split in arrays.splits.items()}

    def drawn(name: str, labels: Ints, seed: int, what: str) -> Ints:
        classes, key = int(labels.max()) + 1, f"{arrays.task} {what}"
        return control_labels(types[name], labels, classes, seed=seed, name=key)

    def heads(name: str, split: SplitTrees, seed: int) -> Heads:
        scored = np.concatenate(split.scored)
        levels = np.where(scored, drawn(name, depths, seed, "level"), depths.max() + 1)
        to_the_right = drawn(name, np.arange(2), seed, "side") == 1
        ends = np.cumsum(split.lengths)[:-1]
        sentences = zip(np.split(levels, ends), np.split(to_the_right, ends), strict=True)
        return tuple(_hung(*each) for each in sentences)

    return tuple(
        {name: heads(name, split, seed) for name, split in arrays.splits.items()}
        for seed in range(count)
    )


def _hung(levels: Ints, to_the_right: NDArray[np.bool_]) -> Ints:
    """The heads of a control tree, (words,)."""
    root = int(levels.argmin())
    heads = np.full(len(levels), root, dtype=np.int64)
    heads[root] = -1
    lower = levels[None, :] < levels[:, None]  # (words, words)
    for word in np.flatnonzero(lower.any(axis=1)).tolist():
        places = np.flatnonzero(lower[word])
        left, right = places[places < word], places[places > word]
        on_the_right = len(right) and (to_the_right[word] or not len(left))
        heads[word] = right[0] if on_the_right else left[-1]
    return heads


def _types(split: TreeSplit, trees: SplitTrees) -> list[str]:
    """The type of each word of each sentence that has a tree."""
    words = [word for document in split.documents for word in document.words]
    places = zip(trees.starts.tolist(), trees.lengths.tolist(), strict=True)
    return [type_key([word]) for at, size in places for word in words[at : at + size]]


def _check(split: TreeSplit, where: str) -> None:
    lengths = {document.id: len(document) for document in split.documents}
    if len(lengths) < len(split.documents):
        raise DataError("two documents have one id", where=where)
    for tree in split.trees:
        if tree.document not in lengths:
            raise DataError(f"a tree names the document {tree.document!r}", where=where)
        place = f"{where}, {tree.document}, word {tree.start}"
        if not 0 <= tree.start <= lengths[tree.document] - len(tree.heads):
            raise DataError("a tree reaches out of its document", where=place)
        if len(tree.scored) != len(tree.heads) or not any(tree.scored):
            raise DataError("a tree does not tell which of its words are scored", where=place)
        if faults := tree_faults([head + 1 for head in tree.heads]):
            raise DataError(f"no tree: {faults[0][1]}", where=place)


def _check_scores(data: TreeData, test: SplitTrees) -> None:
    if data.quantity == "distance":
        trees = zip(test.heads, test.scored, strict=True)
        missing = None if any(arcs_sought(*each) for each in trees) else "an arc of scored words"
    else:
        fitting = (test.lengths >= SHORTEST) & (test.lengths <= LONGEST)
        missing = None if fitting.any() else f"{SHORTEST} to {LONGEST} words"
    if missing:
        raise DataError(f"no sentence of the test split has {missing}", where=f"task {data.task}")


def _lay_out(split: TreeSplit) -> SplitTrees:
    places, _ = places_of(split.documents)
    starts = [places[tree.document] + tree.start for tree in split.trees]
    return SplitTrees(
        starts=np.array(starts, dtype=np.int64),
        lengths=np.array([len(tree.heads) for tree in split.trees], dtype=np.int64),
        heads=tuple(np.array(tree.heads, dtype=np.int64) for tree in split.trees),
        scored=tuple(np.array(tree.scored, dtype=bool) for tree in split.trees),
    )
