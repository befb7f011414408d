"""Texts of exactly so many words, cut out of a corpus: what encoders are timed on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import cycle, islice
from typing import NamedTuple

from ..core.types import Document, Sentence, Span


class _Word(NamedTuple):
    """A word in the surface of its sentence; ``place`` 0 is the sentence's first."""

    place: int
    word: str
    text: str
    span: Span


def sequences(documents: Iterable[Document], count: int, length: int) -> list[Document]:
    """The corpus's running words as ``count`` texts of ``length`` words, from its beginning.

    Each text is one sentence, whatever sentences its words come from, so that every encoder reads
    it in one go. A corpus of fewer words starts again from its beginning.
    """
    # A generator: no more of the corpus is walked through than the texts take.
    running = cycle(
        _Word(place, word, sentence.text, span)
        for document in documents
        for sentence in document.sentences
        for place, (word, span) in enumerate(zip(sentence.words, sentence.offsets, strict=True))
    )
    return [
        Document(f"{length} words, {number}", (_joined(islice(running, length)),))
        for number in range(count)
    ]


def _joined(words: Iterator[_Word]) -> Sentence:
    """One sentence with the surface of its words, and a space where a sentence of theirs ends."""
    forms: list[str] = []
    offsets: list[Span] = []
    text = ""
    for word in words:
        if word.place == 0 or not forms:
            text += " " if text else ""
            end = word.span.start  # of the sentence's text that is taken over
            shift = len(text) - end
        # What words share, as those of a contraction do, is there already.
        text += word.text[end : word.span.end]
        end = max(end, word.span.end)
        forms.append(word.word)
        offsets.append(Span(word.span.start + shift, word.span.end + shift))
    return Sentence(tuple(forms), text, tuple(offsets))
