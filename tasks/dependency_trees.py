"""Dependency trees: how far apart, or how deep, are the words of a sentence in its tree?

The counterpart of ``base`` for what is no label: such a task yields whole trees, whose distances
or depths are all predicted together.
"""

from __future__ import annotations

from abc import ABC
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError, UsageError, did_you_mean
from ..core.types import SPLITS, Document
from .base import NO_HEAD, AnnotatedDocument, Corpus, Word
from .heads import tree_faults
from .sentence_spans import sentence_spans

PTB_PUNCTUATION = ("''", ",", ".", ":", "``", "-LRB-", "-RRB-")
"""The tags of the words that Hewitt and Manning 2019 do not score, as in their code."""

Quantity = Literal["distance", "depth"]
Heads = Sequence[int] | NDArray[np.int64]
Rule = Literal["ud", "ptb", "all"]

_SCORED: dict[Rule, str] = {
    "ud": "words whose UPOS is not PUNCT",
    "ptb": f"words whose XPOS is none of {' '.join(PTB_PUNCTUATION)}",
    "all": "all words",
}
_RULES = tuple(_SCORED)
_PREDICTED: dict[Quantity, str] = {
    "distance": "the number of arcs between each two words of a sentence",
    "depth": "the number of arcs between each word and the root of its sentence",
}
_SCORES: dict[Quantity, str] = {
    "distance": "uuas is about the arcs between two of them, against a minimum spanning tree over "
    "them",
    "depth": "root_accuracy takes the least deep of them",
}


class Tree(NamedTuple):
    """The tree of one sentence, which starts at the word ``start`` of the document.

    ``heads`` count words from 0 within the sentence, ``NO_HEAD`` is the root; ``scored`` tells
    the words that scores are about.
    """

    document: str
    start: int
    heads: tuple[int, ...]
    scored: tuple[bool, ...]


class FoundTrees(NamedTuple):
    """A document's trees, and counts of what was met and what was left out for which reason."""

    trees: tuple[Tree, ...]
    counts: Mapping[str, int]


@runtime_checkable
class TreeTask(Protocol):
    """What an entry point of the group ``layerwise.tasks`` may give in place of a ``Task``."""

    name: str
    """The name on the command line, argument included."""
    version: str
    """Changes whenever the trees or the words that are scored change: ``v1``."""
    quantity: Quantity
    """What is predicted of a tree."""
    facts: Mapping[str, Any]
    """What a record must say: what is predicted, which words are scored, what is left out."""

    def trees(self, document: AnnotatedDocument) -> FoundTrees:
        """The document's trees. The same for every encoder, always."""
        ...


class _WholeTrees(ABC):
    """Trees of sentences with one root, heads within the sentence, and two scored words."""

    version = "v1"
    quantity: Quantity
    facts: Mapping[str, Any]

    def __init__(self, argument: str = "") -> None:
        plain = f"tree-{self.quantity}"
        rules = {str(rule): rule for rule in _RULES} | {"": _RULES[0]}
        if argument not in rules:
            raise UsageError(
                f"not a rule for which words are scored: {argument!r}",
                where=f"--task {plain}",
                cure=f"write {plain} (the same as {plain}:ud), {plain}:ptb or {plain}:all; "
                + did_you_mean(argument, _RULES),
            )
        self.rule: Rule = rules[argument]
        self.name = plain if self.rule == _RULES[0] else f"{plain}:{self.rule}"
        self.facts = {
            "targets": f"{_PREDICTED[self.quantity]}; all words are in the tree, are trained on "
            "and are in spearman",
            "scored_words": f"{_SCORED[self.rule]}; {_SCORES[self.quantity]}",
            "left_out": "sentences without a full tree (one root, heads within the sentence, no "
            "circle); with fewer than two scored words; with a word that lacks the tag that "
            "decides whether it is scored",
        }

    def trees(self, document: AnnotatedDocument) -> FoundTrees:
        """One tree a sentence, in order, without those that are left out."""
        found: list[Tree] = []
        counts: Counter[str] = Counter()
        for start, end in sentence_spans(document):
            words = document.words[start:end]
            heads = _heads(words, start, end)
            told = [self._is_scored(word) for word in words]
            scored = tuple(each is True for each in told)
            if heads is None:
                counts["left_out_no_tree"] += 1
            elif None in told:
                counts["left_out_no_tag"] += 1
            elif sum(scored) < 2:
                counts["left_out_fewer_than_two_scored_words"] += 1
            else:
                found.append(Tree(document.document.id, start, heads, scored))
                counts["words_in_trees"] += len(words)
                counts["scored_words"] += sum(scored)
                counts["roots_not_scored"] += not scored[heads.index(NO_HEAD)]
                counts["scored_words_whose_head_is_not"] += sum(
                    own and head != NO_HEAD and not scored[head]
                    for own, head in zip(scored, heads, strict=True)
                )
        return FoundTrees(tuple(found), counts)

    @classmethod
    def available(cls, corpus: Corpus) -> list[str]:
        """The task under the first rule by which every split has a tree; empty if there is none."""
        for rule in _RULES:
            task = cls(rule)
            if all(
                any(task.trees(document).trees for document in corpus.splits.get(split, ()))
                for split in SPLITS
            ):
                return [task.name]
        return []

    def _is_scored(self, word: Word) -> bool | None:
        """None where the data does not tell."""
        if self.rule == "all":
            return True
        tag = word.upos if self.rule == "ud" else word.xpos
        marks = ("PUNCT",) if self.rule == "ud" else PTB_PUNCTUATION
        return tag not in marks if tag else None


class TreeDistance(_WholeTrees):
    """The number of arcs between each two words of a sentence.

    ``tree-distance`` (UD) does not score words tagged PUNCT, ``tree-distance:ptb`` those with one
    of ``PTB_PUNCTUATION``, ``tree-distance:all`` scores every word.

    Source: Hewitt and Manning 2019 (NAACL, section 2.2).
    """

    description = "tree distances between words, by a structural probe (tree-distance:ptb, :all)"
    quantity: Quantity = "distance"


class TreeDepth(_WholeTrees):
    """The number of arcs between each word and the root of its sentence.

    The argument is that of ``tree-distance``. Source: Hewitt and Manning 2019 (NAACL, section 2.3).
    """

    description = "depth of words in their tree, by a structural probe (tree-depth:ptb, :all)"
    quantity: Quantity = "depth"


@dataclass(frozen=True)
class TreeSplit:
    """The documents of one split and the trees in them."""

    documents: tuple[Document, ...]
    trees: tuple[Tree, ...]


@dataclass(frozen=True)
class TreeData:
    """A task's trees on a corpus, by split, and what to say of them (as in ``TaskData``)."""

    task: str
    quantity: Quantity
    splits: Mapping[str, TreeSplit]
    facts: Mapping[str, Any]


def prepare_trees(task: TreeTask, corpus: Corpus) -> TreeData:
    """The task's trees on the corpus. Raises DataError where a split has none."""
    splits, counts = {}, {}
    for name in SPLITS:
        documents = corpus.splits.get(name, ())
        found = [task.trees(document) for document in documents]
        met: Counter[str] = Counter()
        for of_document in found:
            met.update(of_document.counts)
        trees = tuple(tree for of_document in found for tree in of_document.trees)
        if not trees:
            told = ", ".join(f"{count} {reason}" for reason, count in sorted(met.items()))
            raise DataError(
                f"the {name} split has no tree to score" + (f" ({told})" if told else ""),
                where=f"--task {task.name} --data {corpus.name}",
                cure="`probe list tasks --data` tells what the data can serve",
            )
        splits[name] = TreeSplit(tuple(document.document for document in documents), trees)
        counts[name] = {
            "documents": len(documents),
            "sentences": sum(len(document.document.sentences) for document in documents),
            "words": sum(len(document.words) for document in documents),
            "trees": len(trees),
            **dict(sorted(met.items())),
        }
    return TreeData(
        task=f"{task.name}.{task.version}",
        quantity=task.quantity,
        splits=splits,
        facts={
            "corpus": corpus.name,
            "data": dict(corpus.facts),
            "task": dict(task.facts),
            "counts": counts,
        },
    )


def tree_depths(heads: Heads) -> NDArray[np.int64]:
    """The number of arcs from each word to the root, (words,)."""
    return np.asarray(_lineage(heads).sum(axis=1) - 1, dtype=np.int64)


def tree_distances(heads: Heads) -> NDArray[np.int64]:
    """The number of arcs between each two words of a tree, (words, words)."""
    lineage = _lineage(heads)
    # Of the ways of two words to the root, what they have in common is walked by neither.
    generations = lineage.sum(axis=1)
    apart = generations[:, None] + generations[None, :] - 2 * lineage @ lineage.T
    return np.asarray(apart, dtype=np.int64)


def _lineage(heads: Heads) -> NDArray[np.float32]:
    """1 where the word of the row is the word of the column or below it, (words, words)."""
    parent = np.asarray(heads, dtype=np.int64)
    found = np.eye(len(parent), dtype=np.float32)
    rows, above = np.flatnonzero(parent >= 0), parent[parent >= 0]
    while len(rows):
        found[rows, above] = 1
        rows, above = rows[parent[above] >= 0], parent[above[parent[above] >= 0]]
    return found


def _heads(words: Sequence[Word], start: int, end: int) -> tuple[int, ...] | None:
    """The heads within the sentence ``start:end``, or None where they are no tree."""
    numbers = [
        0 if word.head == NO_HEAD else word.head - start + 1 if start <= word.head < end else -1
        for word in words
    ]
    return None if tree_faults(numbers) else tuple(number - 1 for number in numbers)
