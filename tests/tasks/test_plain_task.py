"""Tasks without an argument, what a corpus can serve, and families of tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from layerwise.core.errors import UsageError
from layerwise.core.types import SPLITS, Document, Sentence, Span, Target
from layerwise.tasks.availability import can_serve
from layerwise.tasks.base import AnnotatedDocument, Corpus, bare
from layerwise.tasks.families import Family
from layerwise.tasks.plain_task import PlainTask


def document(words: str) -> AnnotatedDocument:
    text = Document(words, (Sentence.from_words(words.split()),))
    return AnnotatedDocument(text, tuple(map(bare, text.words)))


class Initials(PlainTask):
    description = "initial of each word that has three letters or more"
    name = "initials"
    facts: Mapping[str, Any] = {"label": "the initial"}

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        for place, word in enumerate(document.document.words):
            if len(word) > 2:
                yield Target(document.document.id, Span(place, place + 1), None, word[0])


class Halves(Initials):
    """Posed on every other word."""

    def rewritten(self, whole: AnnotatedDocument) -> Iterator[AnnotatedDocument]:
        if half := whole.document.words[::2]:
            yield document(" ".join(half))


def corpus(**texts: str) -> Corpus:
    return Corpus("c", {split: (document(text),) for split, text in texts.items()})


def test_served_with_a_target_a_split_and_two_labels_in_train() -> None:
    assert Initials.available(corpus(train="ann bob", dev="ann", test="ann")) == ["initials"]
    assert Initials.available(corpus(train="ann amy", dev="ann", test="bob")) == []
    assert Initials.available(corpus(train="ann bob", dev="a", test="bob")) == []
    assert Initials.available(corpus(train="ann bob", dev="ann")) == []


def test_what_is_rewritten_is_surveyed_as_it_will_be() -> None:
    data = corpus(train="ann x bob", dev="ann", test="ann")
    assert can_serve(Halves(), data)
    assert not can_serve(Halves(), corpus(train="ann bob", dev="ann", test="ann"))


def test_a_survey_looks_no_further_than_it_has_to() -> None:
    class Stops(Initials):
        def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
            yield from super().targets(document)
            raise AssertionError("read on")

    assert can_serve(Stops(), corpus(train="ann bob", dev="ann", test="ann"))


def test_an_argument_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="--task: initials takes no argument, but got 'x'; write"):
        Initials("x")


def test_a_family_makes_and_surveys_its_kinds() -> None:
    family = Family("initials", lambda argument: Halves() if argument else Initials(), (
        Initials.available, lambda corpus: [f"initials:{corpus.name}"],
    ))  # fmt: skip
    assert type(family("")) is Initials and type(family("half")) is Halves
    data = Corpus("c", {split: (document("ann bob"),) for split in SPLITS})
    assert family.available(data) == ["initials", "initials:c"]
