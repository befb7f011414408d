"""The phrases of constituency trees, sentence by sentence, by their bare categories."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..core.types import Span
from .base import AnnotatedDocument, Constituent
from .sentence_spans import sentence_spans

_FUNCTION = re.compile(r"(?<=[^-=|])[-=|].*")
_WRAPPERS = frozenset({"", "ROOT", "TOP", "VROOT"})
"""What a tree is wrapped in is none of its phrases."""


class Tree(NamedTuple):
    """A sentence that has a tree, and the tree's phrases in preorder, perhaps none."""

    sentence: Span
    phrases: tuple[Constituent, ...]

    def above(self) -> list[list[Constituent]]:
        """For each word of the sentence the phrases that hold it, from the top down."""
        found: list[list[Constituent]] = [[] for _ in range(*self.sentence)]
        for phrase in self.phrases:
            for word in range(*phrase.span):
                found[word - self.sentence.start].append(phrase)
        return found


def category(label: str) -> str:
    """A label without function tags and indices: ``NP-SBJ-1`` is ``NP``."""
    return _FUNCTION.sub("", label)


def phrases(constituents: Iterable[Constituent]) -> Iterator[Constituent]:
    """Those that are phrases, by their categories; what a tree is wrapped in is none."""
    for span, label in constituents:
        if label not in _WRAPPERS:
            yield Constituent(span, category(label))


def trees(document: AnnotatedDocument) -> Iterator[Tree]:
    """The sentences that have a tree. A tree without any phrase, a word under its tag, is none."""
    constituents = document.constituents or ()
    first = 0
    for sentence in sentence_spans(document):
        last = first
        while last < len(constituents) and constituents[last].span.start < sentence.end:
            last += 1
        if last > first:
            yield Tree(sentence, tuple(phrases(constituents[first:last])))
        first = last
