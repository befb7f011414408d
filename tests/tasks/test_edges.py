"""The data's own targets."""

from __future__ import annotations

import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.core.types import Document, Sentence, Span, Target
from layerwise.tasks.aspects import TaskGroup
from layerwise.tasks.base import AnnotatedDocument, Corpus, Edge, bare
from layerwise.tasks.edges import EdgeLabels, edges
from layerwise.tasks.preparation import prepare

ONE, TWO, LONG = Span(0, 1), Span(1, 2), Span(1, 4)


def document(*given: Edge) -> AnnotatedDocument:
    text = Document("d", (Sentence.from_words("abcd"),))
    return AnnotatedDocument(text, tuple(map(bare, text.words)), edges=given)


SRL = (Edge("srl", ONE, LONG, ("A0",)), Edge("srl", ONE, TWO, ("A1",)))
SPR = (Edge("spr", ONE, TWO, ("volition", "sentient")), Edge("spr", TWO, ONE, ()))


def test_one_label_each() -> None:
    annotated = document(*SRL, *SPR)
    task = EdgeLabels("srl")
    targets = list(task.targets(annotated))
    assert targets == [Target("d", ONE, LONG, "A0"), Target("d", ONE, TWO, "A1")]
    assert (task.metric, task.name) == ("accuracy", "edges:srl")
    assert [task.control_key(annotated, t) for t in targets] == [("a",), ("a",)]
    wide = Target("d", LONG, None, "x")
    assert task.control_key(annotated, wide) == ("d",)


def test_any_number_of_labels() -> None:
    task = EdgeLabels("spr:several")
    assert list(task.targets(document(*SRL, *SPR))) == [
        Target("d", ONE, TWO, ("volition", "sentient")),
        Target("d", TWO, ONE, ()),
    ]
    assert (task.metric, task.name) == ("micro_f1", "edges:spr:several")


def test_equal_spans_are_one_target() -> None:
    twice = document(Edge("r", ONE, None, ("x",)), Edge("r", ONE, None, ("y", "x")))
    assert [t.label for t in EdgeLabels("r:several").targets(twice)] == [("x", "y")]
    same = document(Edge("r", ONE, None, ("x",)), Edge("r", ONE, None, ("x",)))
    assert [t.label for t in EdgeLabels("r").targets(same)] == ["x"]
    with pytest.raises(DataError, match="the words 0 to 1 have 2 labels; write edges:r:several"):
        list(EdgeLabels("r").targets(twice))
    with pytest.raises(DataError, match="have 0 labels"):
        list(EdgeLabels("spr").targets(document(SPR[1])))


@pytest.mark.parametrize("argument", [":", ":several", "x:", "x:one", "x:several:"])
def test_no_name_is_a_usage_error(argument: str) -> None:
    with pytest.raises(UsageError, match="write edges, edges:NAME or"):
        edges(argument)


def test_the_group_knows_what_a_corpus_has() -> None:
    lone = Edge("lone", ONE, None, ("x",))
    documents = (document(*SRL, *SPR, lone),)
    corpus = Corpus("c", dict.fromkeys(("train", "dev", "test"), documents))
    group = edges("")
    assert isinstance(group, TaskGroup) and not isinstance(edges("srl"), TaskGroup)
    # One label in train is nothing to tell apart.
    assert group.members(corpus) == edges.available(corpus) == ["edges:spr:several", "edges:srl"]
    assert prepare(edges("spr:several"), corpus).facts["counts"]["test"]["labels"] == {
        "sentient": 1,
        "volition": 1,
    }
    # Whether one label is enough is a question to all splits.
    mixed = Corpus("c", {**corpus.splits, "test": (document(Edge("srl", ONE, TWO, ("A0", "A1"))),)})
    assert edges.available(mixed) == ["edges:srl:several"]
    with pytest.raises(DataError, match="--task edges --data none"):
        group.members(Corpus("none", {}))
