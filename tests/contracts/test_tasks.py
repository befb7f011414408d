"""Every task that is installed keeps the task contract on a small annotated corpus."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from layerwise.core import registry
from layerwise.core.types import SPLITS, Document, Target
from layerwise.probes import metrics
from layerwise.suite.arrays import to_arrays
from layerwise.tasks.base import AnnotatedDocument, Corpus
from layerwise.tasks.preparation import labels_of, prepare, rewritten

Make = Callable[[str], Any]
Documents = list[AnnotatedDocument]

# Arguments for names that need one, or take one.
ARGUMENTS = {
    "morph": ["Number", "Case", "all"],
    "coref": ["", "3"],
    "arc": ["", "2"],
    "head": ["", "9"],
    "ner": ["", "tags"],
    "edges": ["role", "role:several"],
}
UNANNOTATED = {"sentence-length"}  # asks for words alone
NAMES = [
    f"{name}:{argument}" if argument else name
    for name in registry.names("task")
    # Choices have test_choice_tasks.py, trees their own tests.
    if not any(hasattr(registry.load("task", name), kind) for kind in ("choices", "trees"))
    for argument in ARGUMENTS.get(name, [""])
]


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is(name: str, make: Make) -> None:
    task = make(name)
    assert task.name == name
    assert re.fullmatch(r"v\d+", task.version)
    assert task.positive is None or isinstance(task.positive, str)
    if task.metric not in ("choice_accuracy", "micro_f1"):
        metrics.statistic(task.metric, None if task.positive is None else 0)  # or it raises
    assert json.loads(json.dumps(dict(task.facts), allow_nan=False)) == dict(task.facts)
    assert task.facts
    assert isinstance(task.description, str) and task.description and "\n" not in task.description


@pytest.mark.parametrize("name", NAMES)
def test_every_target_lies_in_its_document(name: str, make: Make, documents: Documents) -> None:
    found = 0
    for document in rewritten(make(name), tuple(documents)):
        for target in make(name).targets(document):
            found += 1
            assert isinstance(target, Target) and target.document == document.document.id
            labels = labels_of(target)
            assert all(isinstance(label, str) and label.strip() == label != "" for label in labels)
            for span in (target.span1, target.span2):
                if span is not None:
                    assert type(span[0]) is type(span[1]) is int
                    assert 0 <= span[0] < span[1] <= len(document.document)
    assert found >= 9


@pytest.mark.parametrize("name", NAMES)
def test_its_targets_are_the_same_every_time_and_of_one_kind(
    name: str, make: Make, documents: Documents
) -> None:
    task = make(name)
    for document in rewritten(task, tuple(documents)):
        first = list(task.targets(document))
        assert first == list(task.targets(document)) == list(make(name).targets(document))
        assert len({(t.span1, t.span2) for t in first}) == len(first)
        assert len({t.span2 is None for t in first}) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_no_document_matters_to_another(name: str, make: Make, documents: Documents) -> None:
    task = make(name)
    alone = {d.document.id: list(make(name).targets(d)) for d in documents}
    for document in reversed(documents):
        assert list(task.targets(document)) == alone[document.document.id]


@pytest.mark.parametrize("name", NAMES)
def test_a_document_without_its_annotation_has_no_targets(
    name: str, make: Make, documents: Documents
) -> None:
    full = documents[0]
    bare = tuple(
        word._replace(upos="", xpos="", feats={}, head=-1, deprel="") for word in full.words
    )
    for none in (None, ()):
        empty = replace(full, words=bare, mentions=none, constituents=none, edges=(), attributes={})
        assert name in UNANNOTATED or list(make(name).targets(empty)) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_document_of_one_word_does_no_harm(name: str, make: Make, documents: Documents) -> None:
    full = documents[0]
    last = full.document.sentences[-1]
    one = AnnotatedDocument(Document("one", (last,)), (full.words[-1]._replace(head=-1),), ())
    for target in make(name).targets(one):
        assert target.span1 == (0, 1) and target.span2 is None


@pytest.mark.parametrize("name", NAMES)
def test_its_corpus_is_ready_for_a_probe(name: str, make: Make, corpus: Corpus) -> None:
    data = prepare(make(name), corpus)
    arrays = to_arrays(data)
    assert data.task == arrays.task == f"{name}.{make(name).version}"
    assert len(arrays.classes) > 1
    assert data.positive is None or arrays.classes[arrays.positive or 0] == data.positive


@pytest.mark.parametrize("name", NAMES)
def test_what_it_is_available_for_it_can_serve(name: str, make: Make, corpus: Corpus) -> None:
    available = registry.load("task", name.partition(":")[0]).available(corpus)
    assert name in available or name.partition(":")[0] in {
        each.partition(":")[0] for each in available
    }
    for each in available:
        assert prepare(make(each), corpus).splits["test"].targets
    empty = Corpus("empty", {split: () for split in SPLITS})
    assert registry.load("task", name.partition(":")[0]).available(empty) == []
