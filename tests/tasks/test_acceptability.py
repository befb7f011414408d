"""Minimal pairs, sentence by sentence."""

from __future__ import annotations

import pytest

from layerwise.core.errors import DataError
from layerwise.core.types import SPLITS, Document, Sentence, Span
from layerwise.tasks.acceptability import Acceptability
from layerwise.tasks.base import AnnotatedDocument, Corpus, Edge, bare
from layerwise.tasks.preparation import prepare


def pair(name: str, paradigm: str = "p1", phenomenon: str = "ellipsis") -> AnnotatedDocument:
    text = Document(
        name, (Sentence.from_words("She sleep .".split()), Sentence.from_words("He sleeps".split()))
    )
    return AnnotatedDocument(
        text,
        tuple(map(bare, text.words)),
        edges=(
            Edge("acceptable", Span(0, 3), None, ("no",)),
            Edge("acceptable", Span(3, 5), None, ("yes",)),
        ),
        attributes={"paradigm": paradigm, "phenomenon": phenomenon, "field": "syntax"},
    )


def test_each_sentence_is_a_document_of_its_own() -> None:
    first, second = Acceptability().rewritten(pair("blimp#7"))
    assert [d.document.id for d in (first, second)] == ["blimp#7.1", "blimp#7.2"]
    assert [d.document.words for d in (first, second)] == [("She", "sleep", "."), ("He", "sleeps")]
    found = [
        (t.document, t.span1, t.label) for d in (first, second) for t in Acceptability().targets(d)
    ]
    assert found == [("blimp#7.1", Span(0, 3), "no"), ("blimp#7.2", Span(0, 2), "yes")]


def test_strata_and_control() -> None:
    task = Acceptability()
    _, second = task.rewritten(pair("a"))
    (target,) = task.targets(second)
    assert task.strata(second, target) == {"phenomenon": "ellipsis", "field": "syntax"}
    assert task.control_key(second, target) == ("He",)
    assert Acceptability("p1").strata(second, target) == {}


def test_a_phenomenon_or_a_paradigm_alone() -> None:
    pairs = [pair("a"), pair("b", "p2"), pair("c", "p3", "binding")]
    corpus = Corpus("c", dict.fromkeys(SPLITS, tuple(pairs)))
    counts = {}
    for argument in ("", "ellipsis", "p2", "binding"):
        data = prepare(Acceptability(argument), corpus)
        counts[argument] = (len(data.splits["test"].documents), len(data.splits["test"].targets))
        assert data.task == (f"acceptable:{argument}.v1" if argument else "acceptable.v1")
        assert data.facts["counts"]["train"]["labels"]["yes"] == counts[argument][1] / 2
    assert counts == {"": (6, 6), "ellipsis": (4, 4), "p2": (2, 2), "binding": (2, 2)}
    assert Acceptability.available(corpus) == [
        "acceptable", "acceptable:binding", "acceptable:ellipsis", "acceptable:p1",
        "acceptable:p2", "acceptable:p3",
    ]  # fmt: skip
    with pytest.raises(DataError, match="did you mean acceptable:ellipsis"):
        prepare(Acceptability("elipsis"), corpus)


def test_what_is_no_pair_is_left_out() -> None:
    text = Document("x", (Sentence.from_words(["a"]),))
    bare_document = AnnotatedDocument(text, (bare("a"),))
    assert list(Acceptability().rewritten(bare_document)) == []
    assert Acceptability.available(Corpus("c", dict.fromkeys(SPLITS, (bare_document,)))) == []
    only_train = Corpus("c", {"train": (pair("a"),), "dev": (), "test": ()})
    assert Acceptability.available(only_train) == []
