"""Chunking: the base phrases of a sentence, as one tag a word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from ..core.types import Span, Target
from .base import AnnotatedDocument, Constituent, Word
from .bio import Chunk, bio
from .phrases import Tree, trees
from .plain_task import PlainTask
from .punctuation import is_punctuation

_NOMINAL = frozenset({"NP", "NX", "WHNP"})
_PARTS = frozenset({"NAC", "NML", "NX", "QP"})
_MODIFIERS = frozenset({"ADJP", "WHADJP"})
_TYPES = {
    **{label: label for label in "ADJP ADVP CONJP INTJ LST NP PP PRT SBAR UCP VP".split()},
    **{"WH" + label: label for label in ("ADJP", "ADVP", "NP", "PP")},
    **dict.fromkeys(_PARTS, "NP"),
}
"""The chunk types of CoNLL-2000 (Tjong Kim Sang and Buchholz 2000, section 2), by category."""


class Chunking(PlainTask):
    """The BIO tag of each word.

    From the data's own chunks (CoNLL-2000) where a document has any, otherwise from its trees by a
    rule in their manner, simpler than theirs: see ``base_phrases``. Liu et al. 2019 probe the same.
    """

    description = "BIO tag of each word in the base phrases (chunks) of its sentence"
    name = "chunk"
    facts: Mapping[str, Any] = {
        "label": "B-X, I-X or O, X a chunk type of CoNLL-2000",
        "source": "the document's own chunks if it has any; else its trees: a chunk is a longest "
        "run of adjacent words with the same lowest phrase, where a verb phrase right within a "
        "verb phrase counts as the upper one, QP, NX, NML and NAC within a noun phrase and an "
        "adjective phrase before the end of one as that noun phrase; punctuation and coordinating "
        "conjunctions at its ends are outside, and so are words right below a clause",
        "differences": "unlike in CoNLL-2000, a possessor keeps its marker, an adverb within a "
        "verb group cuts it, and to-infinitives are not joined to the verb above",
        "targets": "every word of a document with chunks, or of a sentence with a tree",
        "left_out": "sentences without either",
    }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a word, in order."""
        words = range(len(document.words))
        given = [
            Chunk(edge.span1, "+".join(edge.labels))
            for edge in document.edges
            if edge.task == self.name
        ]
        if not given:
            with_trees = list(trees(document))
            given = [chunk for tree in with_trees for chunk in base_phrases(document, tree)]
            spans = [tree.sentence for tree in with_trees]
        else:
            spans = [Span(0, len(words))]
        tags = bio(len(words), given)
        for span in spans:
            for word in range(*span):
                yield Target(document.document.id, Span(word, word + 1), None, tags[word])


def base_phrases(document: AnnotatedDocument, tree: Tree) -> Iterator[Chunk]:
    """The chunks of a tree, in order, by the rule that the task's ``facts`` state."""
    lowest = [_lifted(above) for above in tree.above()]
    numbered = enumerate(lowest, tree.sentence.start)
    # By identity: in a unary chain two phrases may be equal.
    for _, run in groupby(numbered, key=lambda each: id(each[1])):
        found = list(run)
        phrase = found[0][1]
        label = _TYPES.get(phrase.label) if phrase is not None else None
        start, end = found[0][0], found[-1][0] + 1
        while start < end and _is_loose(document.words[start]):
            start += 1
        while start < end and _is_loose(document.words[end - 1]):
            end -= 1
        if label is not None and start < end:
            yield Chunk(Span(start, end), label)


def _lifted(above: list[Constituent]) -> Constituent | None:
    """The phrase that a word counts to: its lowest one, or the one that this is a mere part of."""
    level = len(above) - 1
    while level > 0 and _is_part(above[level], above[level - 1]):
        level -= 1
    return above[level] if above else None


def _is_part(phrase: Constituent, upper: Constituent) -> bool:
    if upper.label in _NOMINAL:
        before_head = phrase.label in _MODIFIERS and phrase.span.end < upper.span.end
        return phrase.label in _PARTS or before_head
    return phrase.label == upper.label == "VP"


def _is_loose(word: Word) -> bool:
    return is_punctuation(word) or word.upos == "CCONJ" or word.xpos == "CC"
