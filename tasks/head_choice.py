"""Heads: which word of its sentence does a word depend on?"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..core.types import Target
from .arcs import drawn, generator_of, kinds_of_pair, negatives, pairs, words_of_pair
from .aspects import Located
from .availability import can_serve
from .base import NO_HEAD, AnnotatedDocument, Corpus
from .sentence_spans import sentence_spans

SEED = 1
"""The seed of the negatives; another seed is another version of the task."""

_NEGATIVES = 4
_LENGTHS = ((9, "2-9"), (19, "10-19"), (39, "20-39"))


class HeadChoice:
    """Of all other words of the sentence, the most probable head is chosen for each word.

    Its accuracy is the unlabelled attachment score of a parser that decides each word by itself,
    with roots given. The argument is the number of training negatives for each arc (``head:10``).
    """

    description = "head of each word, chosen from its sentence (head:10: ten training negatives)"
    version = "v1"
    metric = "choice_accuracy"
    positive: str | None = "yes"

    def __init__(self, argument: str = "") -> None:
        self.ratio = negatives(argument, "head") or _NEGATIVES
        self.name = f"head:{argument}" if argument else "head"
        self.facts: Mapping[str, Any] = {
            "label": "yes: span1 depends on span2",
            "choices": "for each word that is no root, punctuation included, all other words of "
            "its sentence; exactly one is right",
            "targets": f"of each choice, for training, the head and {self.ratio} of the other "
            "words (the word's own dependents included: an arc has a direction), drawn uniformly "
            "without replacement; fewer where the sentence has no more",
            "left_out": "roots, which have no head",
            "control": "by both words, as for arc; several candidates of a choice may be right by "
            "it, so that its chance is higher than the task's",
            "ratio": self.ratio,
            "seed": SEED,
        }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """All arcs and the document's sampled negatives, by dependent, then by other word."""
        generator = generator_of(f"head.v1 {SEED} {document.document.id}")
        for word, others in _choices(document):
            yield from pairs(document, word, drawn(others, self.ratio, generator))

    def candidates(self, document: AnnotatedDocument) -> Iterator[Sequence[Target]]:
        """For each word with a head, its pairs with all other words of the sentence."""
        for word, others in _choices(document):
            yield tuple(pairs(document, word, others))

    def strata(self, document: AnnotatedDocument, target: Target) -> Mapping[str, str]:
        """``distance`` and ``direction`` of the head, kind of ``dependent`` (``word`` alone is how
        parsers are scored), and ``length`` of the sentence in words."""
        starts = document.document.sentence_starts
        place = bisect_right(starts, target.span1.start)
        length = starts[place] - starts[place - 1]
        name = next((name for most, name in _LENGTHS if length <= most), ">=40")
        return {**kinds_of_pair(document, target), "length": name}

    def guesses(
        self, train: Sequence[Located], test: Sequence[Located]
    ) -> Mapping[str, Sequence[str]]:
        """The next word, the previous word, and the word at the distance at which the dependent's
        type mostly has its head in train (at which any type has, for an unknown one). Where that
        is outside the sentence, nothing is chosen and the choice is lost."""
        offsets: defaultdict[str, Counter[int]] = defaultdict(Counter)
        overall: Counter[int] = Counter()
        for document, target in train:
            if target.label == self.positive:
                offsets[_form(document, target)][_offset(target)] += 1
                overall[_offset(target)] += 1
        usual = {form: _most_common(found) for form, found in offsets.items()}
        otherwise = _most_common(overall)
        return {
            "next word": [_yes(_offset(target) == 1) for _, target in test],
            "previous word": [_yes(_offset(target) == -1) for _, target in test],
            "usual distance of the word": [
                _yes(_offset(target) == usual.get(_form(document, target), otherwise))
                for document, target in test
            ],
        }

    def control_key(self, document: AnnotatedDocument, target: Target) -> tuple[str, ...]:
        """Both words, as for ``arc``. By this control several candidates of a choice may be right,
        as many as of the training targets, and chance is higher than in the task: read selectivity
        across layers and encoders, and not by its sign."""
        return words_of_pair(document, target)

    @staticmethod
    def available(corpus: Corpus) -> list[str]:
        """``["head"]`` if each split has an arc and train a negative."""
        return ["head"] if can_serve(HeadChoice(), corpus) else []


def _choices(document: AnnotatedDocument) -> Iterator[tuple[int, list[int]]]:
    """Each word that has a head, and the other words of its sentence but the head."""
    for sentence in sentence_spans(document):
        for word in range(*sentence):
            head = document.words[word].head
            if head != NO_HEAD:
                yield word, [other for other in range(*sentence) if other not in (word, head)]


def _offset(target: Target) -> int:
    assert target.span2 is not None
    return target.span2.start - target.span1.start


def _form(document: AnnotatedDocument, target: Target) -> str:
    return document.words[target.span1.start].form.lower()


def _most_common(offsets: Counter[int]) -> int:
    return max(offsets, key=lambda offset: (offsets[offset], -abs(offset), offset), default=1)


def _yes(called: bool) -> str:
    return "yes" if called else "no"
