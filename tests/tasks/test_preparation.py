"""What a task tells of its targets reaches the data of the task, and its defaults do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from layerwise.core.errors import DataError
from layerwise.core.types import Document, Sentence, Span, Target
from layerwise.tasks.aspects import Located
from layerwise.tasks.base import AnnotatedDocument, Corpus, bare
from layerwise.tasks.preparation import prepare


def document(id: str, text: str) -> AnnotatedDocument:
    words = text.split()
    annotated = tuple(bare(w)._replace(upos=w[0].upper(), lemma=w[0]) for w in words)
    return AnnotatedDocument(Document(id, (Sentence.from_words(words),)), annotated)


CORPUS = Corpus(
    "made-up",
    {
        "train": (document("a", "ax bx ax"), document("b", "bx cx")),
        "dev": (document("c", "ax cx"),),
        "test": (document("d", "ax az dz"), document("e", "bx")),
    },
)


class Words:
    """One target a word: its first letter."""

    name, version, metric, facts = "words", "v1", "accuracy", {"label": "letter"}
    positive: str | None = None

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        for i, word in enumerate(document.words):
            yield Target(document.document.id, Span(i, i + 1), None, word.upos)


class Pairs(Words):
    """Do two words begin with the same letter?"""

    metric, positive = "choice_accuracy", "yes"

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        for choice in self.candidates(document):
            yield from choice

    def candidates(self, document: AnnotatedDocument) -> Iterator[list[Target]]:
        words = document.words
        for i in range(1, len(words)):
            yield [
                Target(
                    document.document.id,
                    Span(i, i + 1),
                    Span(j, j + 1),
                    "yes" if words[i].upos == words[j].upos else "no",
                )
                for j in range(i)
            ]

    def control_key(self, document: AnnotatedDocument, target: Target) -> tuple[str, ...]:
        assert target.span2 is not None
        return tuple(document.words[span.start].form for span in (target.span1, target.span2))

    def strata(self, document: AnnotatedDocument, target: Target) -> dict[str, str]:
        assert target.span2 is not None
        return {"near": "yes" if target.span1.start - target.span2.start == 1 else "no"}

    def guesses(self, train: Sequence[Located], test: Sequence[Located]) -> dict[str, list[str]]:
        assert len(train) == 4
        return {"always": ["yes"] * len(test)}

    def natural(self, document: AnnotatedDocument) -> Iterable[Target]:
        return self.targets(document)


def test_words_have_strata_of_form_and_lemma_and_are_their_own_control_keys() -> None:
    data = prepare(Words(), CORPUS)
    assert data.strata == {
        "form": ("seen", "unseen", "unseen", "seen"),
        "lemma": ("seen", "seen", "unseen", "seen"),
    }
    assert data.keys["test"] == (("ax",), ("az",), ("dz",), ("bx",))
    assert data.groups is None and data.natural is None and data.guesses == {}
    assert data.facts["counts"]["test"]["labels"] == {"A": 2, "B": 1, "D": 1}


def test_without_lemmas_there_is_no_stratum_of_them() -> None:
    blank = {
        name: tuple(
            replace(d, words=tuple(word._replace(lemma="") for word in d.words)) for d in documents
        )
        for name, documents in CORPUS.splits.items()
    }
    assert prepare(Words(), Corpus("blank", blank)).strata.keys() == {"form"}


def test_all_that_a_task_tells_is_told_of_the_test_candidates() -> None:
    data = prepare(Pairs(), CORPUS)
    assert [t.label for t in data.splits["test"].targets] == ["yes", "no", "no"]
    assert data.groups == (0, 1, 1)
    assert data.facts["counts"]["test"]["choices"] == 2
    assert data.strata == {"near": ("yes", "no", "yes")}
    assert data.keys["test"] == (("az", "ax"), ("dz", "ax"), ("dz", "az"))
    assert data.guesses == {"always": ("yes",) * 3}
    assert data.natural is not None and data.natural.rate == 1 / 4
    assert data.natural.targets == data.splits["test"].targets


def test_a_task_may_be_posed_on_other_text() -> None:
    class Reversed(Words):
        def rewritten(self, document: AnnotatedDocument) -> Iterator[AnnotatedDocument]:
            words = document.words[::-1]
            sentence = Sentence.from_words(word.form for word in words)
            for part in ("one", "two"):
                name = f"{document.document.id}.{part}"
                yield AnnotatedDocument(Document(name, (sentence,)), words)

    data = prepare(Reversed(), CORPUS)
    test = data.splits["test"]
    assert [d.id for d in test.documents] == ["d.one", "d.two", "e.one", "e.two"]
    assert test.documents[0].words == ("dz", "az", "ax")
    assert [t.label for t in test.targets[:3]] == ["D", "A", "A"]
    assert data.facts["counts"]["test"]["documents"] == 4


def test_several_labels_are_counted_each() -> None:
    class Letters(Words):
        def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
            for target in super().targets(document):
                word = document.words[target.span1.start].form
                yield target._replace(label=tuple(word) if word[0] != "d" else ())

    counts = prepare(Letters(), CORPUS).facts["counts"]["test"]
    assert counts["labels"] == {"a": 2, "b": 1, "x": 2, "z": 1} and counts["targets"] == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"guesses": lambda self, train, test: {"short": ["yes"]}}, "1 guesses for 3 targets"),
        ({"candidates": lambda self, document: [[]]}, "a choice without a candidate"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    broken = type("Broken", (Pairs,), changes)
    with pytest.raises(DataError, match=message):
        prepare(broken(), CORPUS)
