"""Arcs: is there a dependency between two words?"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import UsageError
from ..core.types import Span, Target
from .availability import can_serve
from .base import NO_HEAD, AnnotatedDocument, Corpus
from .punctuation import is_punctuation
from .sentence_spans import sentence_spans

SEED = 1
"""The seed of the negatives; another seed is another version of the task."""

_MOST = 100


class ArcExistence:
    """True arcs against pairs of words that no arc joins (arc prediction of Liu et al. 2019).

    The argument is the number of negatives for each arc, 1 by default (``arc:4``).
    """

    description = "does one word depend on the other? (arc:4 takes four negatives an arc)"
    version = "v1"
    metric = "f1"
    positive: str | None = "yes"

    def __init__(self, argument: str = "") -> None:
        self.ratio = negatives(argument, "arc") or 1
        self.name = f"arc:{argument}" if argument else "arc"
        self.facts: Mapping[str, Any] = {
            "label": "yes: span1 depends on span2; no: neither depends on the other",
            "targets": "every basic dependency arc, punctuation included, and for each of them "
            f"{self.ratio} pairs of the same dependent (span1) and another word of its sentence, "
            "drawn uniformly without replacement; fewer where the sentence has no more",
            "left_out": "roots, which have no head",
            "control": "by both words: see control_key",
            "ratio": self.ratio,
            "seed": SEED,
        }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """All arcs and the document's sampled negatives, by dependent, then by other word."""
        words = document.words
        generator = generator_of(f"arc.v1 {SEED} {document.document.id}")
        for sentence in sentence_spans(document):
            for word in range(*sentence):
                head = words[word].head
                if head != NO_HEAD:
                    apart = [
                        other
                        for other in range(*sentence)
                        if other not in (word, head) and words[other].head != word
                    ]
                    yield from pairs(document, word, drawn(apart, self.ratio, generator))

    def strata(self, document: AnnotatedDocument, target: Target) -> Mapping[str, str]:
        """``distance`` of the two words, ``direction``: whether the second stands before the first
        (backward) or behind it, and whether the ``dependent`` is a word or punctuation, whose
        arcs are a convention."""
        return kinds_of_pair(document, target)

    def control_key(self, document: AnnotatedDocument, target: Target) -> tuple[str, ...]:
        """Both words: each type is in one random class, and a pair is a yes within a class.

        The control of arcs in Hewitt and Liang 2019 (section 2.2) gives each type of dependent a
        rule: attach to the first word of the sentence, to the last, or to itself. Its arcs are not
        among sampled pairs, and what decides a pair there is the place of the second word, which
        no type tells. Here, as there, the answer is fixed by word types alone, takes both vectors
        to find, and comes as often as in the task.
        """
        return words_of_pair(document, target)

    @staticmethod
    def available(corpus: Corpus) -> list[str]:
        """``["arc"]`` if each split has an arc and train a negative."""
        return ["arc"] if can_serve(ArcExistence(), corpus) else []


def negatives(argument: str, task: str) -> int:
    """The number of negatives that an argument asks for, 0 for none."""
    plain = argument.isascii() and argument.isdigit() and argument[0] != "0"
    if argument and not (plain and len(argument) < 4 and int(argument) <= _MOST):
        raise UsageError(
            f"not a number of negatives: {argument!r}",
            where=f"--task {task}",
            cure=f"write {task}, or {task}:N with N from 1 to {_MOST}",
        )
    return int(argument or 0)


def generator_of(name: str) -> random.Random:
    """A generator for one document: no other document, and no order of them, changes it."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))


def drawn(pool: list[int], wanted: int, generator: random.Random) -> list[int]:
    """``wanted`` of the pool, each choice as likely as any other (Fisher and Yates), or all.

    Only ``generator.random()`` is called, whose stream Python keeps from version to version.
    """
    count = min(wanted, len(pool))
    for place in range(count):
        other = place + int(generator.random() * (len(pool) - place))
        pool[place], pool[other] = pool[other], pool[place]
    return pool[:count]


def pairs(document: AnnotatedDocument, word: int, others: list[int]) -> Iterator[Target]:
    """The word with its head and with the others, in order of the second word."""
    head = document.words[word].head
    for other in sorted([head, *others]):
        label = "yes" if other == head else "no"
        dependent, second = Span(word, word + 1), Span(other, other + 1)
        yield Target(document.document.id, dependent, second, label)


def kinds_of_pair(document: AnnotatedDocument, target: Target) -> dict[str, str]:
    """Distance, direction and kind of dependent of a pair of words."""
    assert target.span2 is not None
    word, other = target.span1.start, target.span2.start
    punctuation = is_punctuation(document.words[word])
    return {
        "distance": _bucket(abs(other - word)),
        "direction": "backward" if other < word else "forward",
        "dependent": "punctuation" if punctuation else "word",
    }


def words_of_pair(document: AnnotatedDocument, target: Target) -> tuple[str, str]:
    """The forms of the two words, as they are written."""
    assert target.span2 is not None
    return document.words[target.span1.start].form, document.words[target.span2.start].form


def _bucket(distance: int) -> str:
    for most, name in ((1, "1"), (2, "2"), (5, "3-5"), (10, "6-10")):
        if distance <= most:
            return name
    return ">10"
