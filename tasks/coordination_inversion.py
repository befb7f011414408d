"""Coordination inversion: do two coordinate clauses stand in their own order?"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..core.types import Sentence, Span
from .base import AnnotatedDocument, Word
from .clauses import Clauses, relation
from .punctuation import is_punctuation
from .rearrangement import Rearranged, Rearrangement, rearranged
from .sentence_spans import sentence_spans
from .sentences import FIRST_WORD

_QUOTES = "\"'`"
_SUBJECTS = ("nsubj", "csubj", "expl")


class CoordinationInversion(Rearranged):
    """Sentences of two coordinate clauses as they are, against sentences with the clauses swapped.

    CoordInv of Conneau et al. 2018 (section 2), with clauses by dependencies.
    """

    description = "were the two coordinate clauses of the sentence swapped? (on rewritten text)"
    name = "coordination-inversion"
    changed = "inverted"
    facts: Mapping[str, Any] = {
        "label": "inverted: the two clauses have changed places; original: they have not",
        "targets": "sentences whose root has one conjunct (conj) behind it, both with a subject of "
        "their own, joined by a conjunction (cc), with nothing but punctuation around the two "
        "clauses, and no bracket or quotation mark; about half of them are inverted, told by the "
        "sha256 of their words",
        "surface": "conjunction, commas and blanks keep their place; the clause that comes to "
        "stand first gets a capital if the sentence had one, and the other one loses its own where "
        "its lemma shows that only the place gave it",
        "left_out": "all other sentences, which stay in the text",
        "control": FIRST_WORD,
    }

    def rearrangements(self, document: AnnotatedDocument) -> Iterator[Sequence[Rearrangement]]:
        """Each sentence of two clauses with the clauses swapped."""
        clauses = Clauses(document)
        for span, sentence in zip(
            sentence_spans(document), document.document.sentences, strict=True
        ):
            parts = _parts(clauses, span)
            words = clauses.words[slice(*span)]
            yield [] if parts is None else _inverted(sentence, parts, words)


class _Parts(NamedTuple):
    """The clauses of a sentence and what joins them, in words of the sentence."""

    first: Span
    link: Span
    second: Span


def _parts(clauses: Clauses, sentence: Span) -> _Parts | None:
    root, words = clauses.root(sentence), clauses.words
    conjuncts = clauses.dependents(root, ("conj",)) if root is not None else []
    if root is None or len(conjuncts) != 1 or conjuncts[0] < root:
        return None
    subjects = clauses.dependents(root, _SUBJECTS)
    if not subjects or not clauses.dependents(conjuncts[0], _SUBJECTS):
        return None
    below = clauses.subtree(conjuncts[0])
    start, end = sentence.start, below[-1] + 1
    if len(below) != end - below[0] or not all(map(is_punctuation, words[end : sentence.end])):
        return None
    second = below[0]
    while second < conjuncts[0] and (is_punctuation(words[second]) or _joins(words[second])):
        second += 1
    first_end = below[0]
    while first_end > start and is_punctuation(words[first_end - 1]):
        first_end -= 1
    while start < first_end and is_punctuation(words[start]):
        start += 1
    around = (*words[sentence.start : start], *words[first_end:second], *words[end : sentence.end])
    if any(map(_is_paired, around)) or not any(map(_joins, words[first_end:second])):
        return None
    if not start <= min(root, *subjects) <= max(root, *subjects) < first_end:
        return None
    base = sentence.start
    return _Parts(
        Span(start - base, first_end - base),
        Span(first_end - base, second - base),
        Span(second - base, end - base),
    )


def _is_paired(word: Word) -> bool:
    """A bracket or quotation mark, whose partner would be left behind."""
    return any(
        sign in _QUOTES or unicodedata.category(sign) in ("Pe", "Pf", "Pi", "Ps")
        for sign in word.form
    )


def _joins(word: Word) -> bool:
    return relation(word) == "cc"


def _inverted(sentence: Sentence, parts: _Parts, words: Sequence[Word]) -> list[Rearrangement]:
    """What inverts the sentence; nothing where a contraction lies across a border."""
    first, link, second = parts
    spans = (Span(0, first.start), first, link, second, Span(second.end, len(words)))
    filled = [span for span in spans if span.start < span.end]
    offsets = sentence.offsets
    if any(offsets[start - 1].end > offsets[start].start for start, _ in filled[1:]):
        return []
    if words[first.start].form[:1].isupper():
        sentence = _with_initial(sentence, second.start, str.upper)
    if _capital_by_place(words[first.start]):
        sentence = _with_initial(sentence, first.start, str.lower)
    swap = {first: second, second: first}
    order = [swap.get(span, span) for span in filled]
    return [lambda: rearranged(sentence, order)]


def _capital_by_place(word: Word) -> bool:
    return word.form[:1].isupper() and not word.form[1:].isupper() and word.lemma[:1].islower()


def _with_initial(sentence: Sentence, place: int, change: Callable[[str], str]) -> Sentence:
    """The sentence with another initial of that word, unless that would change any length."""
    form, (start, end) = sentence.words[place], sentence.offsets[place]
    initial = change(form[0])
    if len(initial) != 1 or sentence.text[start:end] != form:
        return sentence
    words = (*sentence.words[:place], initial + form[1:], *sentence.words[place + 1 :])
    text = sentence.text[:start] + initial + sentence.text[start + 1 :]
    return replace(sentence, words=words, text=text)
