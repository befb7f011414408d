"""Sentence tasks of length and structure: how long, how deep, of which phrases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.types import Span
from .base import AnnotatedDocument
from .clauses import Clauses
from .phrases import Tree, trees
from .sentence_spans import sentence_spans
from .sentences import FIRST_WORD, SentenceTask

_LENGTHS = ((8, "1-8"), (12, "9-12"), (16, "13-16"), (20, "17-20"), (25, "21-25"))
_LONGEST = ">=26"
_DEEPEST_TREE, _DEEPEST_HEADS = 12, 8
_OTHER = "other"
_SEQUENCES = frozenset({
    "NP VP", "S S", "VP", "PP NP VP", "ADVP NP VP", "SBAR NP VP", "INTJ NP VP", "NP ADVP VP",
    "S NP VP", "NP NP VP", "SBAR VP", "S VP", "NP VP PRN", "S S S", "ADVP VP", "ADVP PP NP VP",
    "PP PP NP VP", "PP NP VP PRN", "PP VP",
})  # fmt: skip
"""The 19 most frequent in the training split of GUM 11.1: the classes hang on no corpus."""


class SentenceLength(SentenceTask):
    """The length of the sentence in words, in six classes (SentLen of Conneau et al. 2018).

    The cut points are SentEval's, whose sentences have 5 to 28 words; here the outer classes are
    open. A mean over the words hides the length, a sum or the word at the end need not.
    """

    description = "length of the sentence in words, in six classes"
    name = "sentence-length"
    facts: Mapping[str, Any] = {
        "label": "1-8, 9-12, 13-16, 17-20, 21-25 or >=26 words",
        "targets": "every sentence",
        "left_out": "nothing",
        "control": FIRST_WORD,
    }

    def labels(self, document: AnnotatedDocument) -> Iterator[str]:
        """The class of each sentence's length."""
        for start, end in sentence_spans(document):
            yield next((name for most, name in _LENGTHS if end - start <= most), _LONGEST)


class SentenceDepth(SentenceTask):
    """The depth of the sentence's tree (TreeDepth of Conneau et al. 2018, section 2).

    Unlike there, the classes are not balanced, and sentences are not chosen so that depth and
    length are unrelated: compare with ``sentence-length``.
    """

    description = "depth of the sentence's tree: phrases, or arcs where there are no phrases"
    name = "sentence-depth"
    facts: Mapping[str, Any] = {
        "label": "in a document with constituency trees, the number of phrases above the deepest "
        f"word (0 to {_DEEPEST_TREE}+); in any other, the number of arcs between the root and "
        f"the deepest word (0 to {_DEEPEST_HEADS}+)",
        "targets": "every sentence with such a tree",
        "left_out": "sentences without one",
        "control": FIRST_WORD,
    }

    def labels(self, document: AnnotatedDocument) -> Iterator[str | None]:
        """The depth of each sentence."""
        if document.constituents:
            for tree in _by_sentence(document):
                deepest = None if tree is None else max(map(len, tree.above()))
                yield _capped(deepest, _DEEPEST_TREE)
        else:
            clauses = Clauses(document)
            for sentence in sentence_spans(document):
                yield _capped(max(clauses.depths(sentence), default=None), _DEEPEST_HEADS)


class TopConstituents(SentenceTask):
    """The phrases right below the clause (TopConst of Conneau et al. 2018, section 2): 20 classes.

    As there, 19 sequences and one class for all others; the sequences are given once for all, so
    that a task means the same on every corpus. Unlike there, punctuation is no part of them.
    """

    description = "sequence of the phrases right below the sentence's clause, in 20 classes"
    name = "top-constituents"
    facts: Mapping[str, Any] = {
        "label": "the categories of the phrases right below S, from left to right, or "
        f"{_OTHER!r}; words that are in no such phrase, punctuation above all, are not in it",
        "sequences": sorted(_SEQUENCES),
        "targets": "every sentence whose tree has S at its top",
        "left_out": "sentences with another top (FRAG, NP, SQ) or without a tree",
        "control": FIRST_WORD,
    }

    def labels(self, document: AnnotatedDocument) -> Iterator[str | None]:
        """The sequence of each sentence."""
        for tree in _by_sentence(document):
            yield None if tree is None or not tree.phrases else _sequence(tree)


def _by_sentence(document: AnnotatedDocument) -> Iterator[Tree | None]:
    found: dict[Span, Tree] = {tree.sentence: tree for tree in trees(document)}
    return (found.get(sentence) for sentence in sentence_spans(document))


def _capped(depth: int | None, most: int) -> str | None:
    return None if depth is None else str(depth) if depth < most else f"{most}+"


def _sequence(tree: Tree) -> str | None:
    top, *below = tree.phrases
    if top.label != "S":
        return None
    labels, end = [], top.span.start
    for phrase in below:
        if phrase.span.start >= end:  # in preorder, what starts earlier lies inside the last one
            labels.append(phrase.label)
            end = phrase.span.end
    sequence = " ".join(labels)
    return sequence if sequence in _SEQUENCES else _OTHER
