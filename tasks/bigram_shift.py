"""Bigram shift: were two neighbouring words of the sentence swapped?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from ..core.types import Sentence, Span
from .base import AnnotatedDocument, Word
from .punctuation import is_punctuation
from .rearrangement import Rearranged, Rearrangement, rearranged
from .sentence_spans import sentence_spans
from .sentences import FIRST_WORD


class BigramShift(Rearranged):
    """Sentences as they are against sentences with two adjacent words swapped.

    BShift of Conneau et al. 2018 (section 2), on the text of any corpus. What would tell a swap
    without knowledge of the language is ruled out: capitals in the middle and glued signs.
    """

    description = "were two adjacent words of the sentence swapped? (on rewritten text)"
    name = "bigram-shift"
    changed = "shifted"
    facts: Mapping[str, Any] = {
        "label": "shifted: two adjacent words are swapped; original: none are",
        "targets": "sentences with a pair of words to swap; about half of them are shifted, told "
        "by the sha256 of their words, and so is the pair",
        "pairs": "adjacent words that differ in more than case, each with a blank before it and "
        "behind it, punctuation apart; not the sentence's first word; neither is punctuation",
        "left_out": "sentences without such a pair, which stay in the text",
        "control": FIRST_WORD,
    }

    def rearrangements(self, document: AnnotatedDocument) -> Iterator[Sequence[Rearrangement]]:
        """Each sentence with each of its pairs swapped."""
        for span, sentence in zip(
            sentence_spans(document), document.document.sentences, strict=True
        ):
            words = document.words[slice(*span)]
            yield [partial(_swapped, sentence, place) for place in _places(sentence, words)]


def _places(sentence: Sentence, words: Sequence[Word]) -> list[int]:
    """The first word of each pair that may be swapped."""
    token, tokens = 0, [0]
    for before, after in pairwise(sentence.offsets):
        token += sentence.text[before.end : after.start].isspace()
        tokens.append(token)
    wordlike = [place for place, word in enumerate(words) if not is_punctuation(word)]
    # Parts of one surface token (do + n't, well - known) cannot be moved without a trace.
    inside = [tokens[place] for place in wordlike]
    free = {place for place in wordlike[1:] if inside.count(tokens[place]) == 1}
    return [
        place
        for place in range(len(words) - 1)
        if place in free
        and place + 1 in free
        and words[place].form.lower() != words[place + 1].form.lower()
    ]


def _swapped(sentence: Sentence, place: int) -> Sentence:
    size = len(sentence.words)
    spans = [Span(0, place), Span(place + 1, place + 2), Span(place, place + 1)]
    return rearranged(sentence, [s for s in (*spans, Span(place + 2, size)) if s.start < s.end])
