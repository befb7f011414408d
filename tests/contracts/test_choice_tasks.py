"""Every task without training that is installed keeps its contract on a small corpus."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from layerwise.core import registry
from layerwise.core.types import SPLITS, Span
from layerwise.suite.choice_arrays import choice_arrays
from layerwise.tasks.base import AnnotatedDocument, Corpus
from layerwise.tasks.choices import ChoiceTask, prepare_choices

Make = Callable[[str], Any]
Documents = list[AnnotatedDocument]

# Arguments for names that take one.
ARGUMENTS = {"pronoun": ["", "any", "any,test"]}
NAMES = [
    f"{name}:{argument}" if argument else name
    for name in registry.names("task")
    if hasattr(registry.load("task", name), "choices")
    for argument in ARGUMENTS.get(name, [""])
]


def test_pronouns_are_among_them() -> None:
    assert "pronoun" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is(name: str, make: Make) -> None:
    task = make(name)
    assert isinstance(task, ChoiceTask) and task.name == name
    assert re.fullmatch(r"v\d+", task.version) and task.candidate
    assert task.splits and list(task.splits) == [split for split in SPLITS if split in task.splits]
    assert json.loads(json.dumps(dict(task.facts), allow_nan=False)) == dict(task.facts)
    assert task.facts
    assert isinstance(task.description, str) and task.description and "\n" not in task.description


@pytest.mark.parametrize("name", NAMES)
def test_every_choice_lies_in_its_document(name: str, make: Make, documents: Documents) -> None:
    found = 0
    for document in documents:
        for choice in make(name).choices(document).choices:
            found += 1
            assert choice.document == document.document.id
            spans = [choice.target, *(candidate.span for candidate in choice.candidates)]
            for span in [*spans, choice.context or choice.target]:
                assert isinstance(span, Span) and type(span[0]) is type(span[1]) is int
                assert 0 <= span[0] < span[1] <= len(document.document)
            assert len({tuple(span) for span in spans}) == len(spans)
            places = [candidate.span for candidate in choice.candidates]
            assert places == sorted(places)
            assert all(type(candidate.right) is bool for candidate in choice.candidates)
    assert found >= 9


@pytest.mark.parametrize("name", NAMES)
def test_a_document_alone_tells_its_choices(name: str, make: Make, documents: Documents) -> None:
    task = make(name)
    alone = {document.document.id: make(name).choices(document) for document in documents}
    for document in reversed(documents):
        assert task.choices(document) == task.choices(document) == alone[document.document.id]


@pytest.mark.parametrize("name", NAMES)
def test_a_document_without_its_annotation_has_no_choices(
    name: str, make: Make, documents: Documents
) -> None:
    full = documents[0]
    bare = tuple(
        word._replace(upos="", xpos="", feats={}, head=-1, deprel="") for word in full.words
    )
    assert make(name).choices(replace(full, words=bare, mentions=None)).choices == ()
    assert make(name).choices(replace(full, words=bare, mentions=())).choices == ()


@pytest.mark.parametrize("name", NAMES)
def test_its_corpus_is_ready_to_be_measured(name: str, make: Make, corpus: Corpus) -> None:
    data = prepare_choices(make(name), corpus)
    arrays = choice_arrays(data)
    assert data.task == arrays.task == f"{name}.{make(name).version}"
    assert tuple(data.splits) == tuple(arrays.splits) == make(name).splits
    for split, counts in data.facts["counts"].items():
        assert counts["targets"] == len(arrays.splits[split])
        assert all(type(count) is int and count >= 0 for count in counts.values())
    available = make(name).available(corpus)
    assert name.partition(":")[0] in {each.partition(":")[0] for each in available}
    for each in available:
        assert any(split.choices for split in prepare_choices(make(each), corpus).splits.values())
    assert make(name).available(Corpus("empty", {split: () for split in SPLITS})) == []
