"""The smallest constituent of more than one word that holds a word, from a tree or from heads."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.types import Span
from .base import NO_HEAD, AnnotatedDocument


class SmallestConstituents:
    """Those of one document.

    ``source`` is ``trees`` where the document has constituency trees, otherwise ``heads``: then a
    constituent is the stretch from the first to the last word of a dependency subtree.
    """

    def __init__(self, document: AnnotatedDocument) -> None:
        self.source = "heads" if document.constituents is None else "trees"
        spans: Iterable[Span]
        if document.constituents is None:
            spans = _subtrees([word.head for word in document.words])
        else:
            spans = (constituent.span for constituent in document.constituents)
        self._of_word: list[Span | None] = [None] * len(document.words)
        # From the longest to the shortest, so that each word keeps its smallest.
        for span in sorted(spans, key=lambda span: (span.start - span.end, span.start)):
            if span.end - span.start > 1:
                self._of_word[span.start : span.end] = [span] * (span.end - span.start)

    def around(self, word: int) -> Span | None:
        """The smallest constituent of more than one word with this word in it, if there is one.

        Of two as short as each other, which only crossing dependencies give, the later one.
        """
        return self._of_word[word]


def _subtrees(heads: list[int]) -> list[Span]:
    """The stretch of each word's subtree: itself and all words below it."""
    first, last = list(range(len(heads))), list(range(len(heads)))
    for word in range(len(heads)):
        above = heads[word]
        while above != NO_HEAD:
            first[above], last[above] = min(first[above], word), max(last[above], word)
            above = heads[above]
    return [Span(start, end + 1) for start, end in zip(first, last, strict=True)]
