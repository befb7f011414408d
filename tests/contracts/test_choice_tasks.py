"""Every task without training that is installed keeps its contract on a small corpus."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from layerwise.core import registry
from layerwise.core.types import SPLITS, Span
from layerwise.suite.choice_arrays import choice_arrays
from layerwise.tasks.base import AnnotatedDocument, Corpus
from layerwise.tasks.choices import Choice, ChoiceTask, prepare_choices
from layerwise.tasks.corpora import load_corpus

# Arguments for names that take one.
ARGUMENTS = {"pronoun": ["", "any", "any,test"]}
NAMES = [
    f"{name}:{argument}" if argument else name
    for name in registry.names("task")
    if hasattr(registry.load("task", name), "choices")
    for argument in ARGUMENTS.get(name, [""])
]

SENTENCES = """
1 Ann Ann PROPN NNP Number=Sing 2 nsubj _ Entity=(e1-person)
2 fed feed VERB VBD _ 0 root _ _
3 the the DET DT _ 4 det _ Entity=(e2-animal
4 dogs dog NOUN NNS Number=Plur 2 obj _ Entity=e2)
5 when when SCONJ WRB _ 7 mark _ _
6 they they PRON PRP Number=Plur|Person=3|PronType=Prs 7 nsubj _ Entity=(e2-animal)
7 saw see VERB VBD _ 2 advcl _ _
8 her she PRON PRP Number=Sing|Person=3|PronType=Prs 7 obj _ Entity=(e1-person)

1 It it PRON PRP Number=Sing|Person=3|PronType=Prs 2 expl _ _
2 rained rain VERB VBD _ 0 root _ _
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder: Path = tmp_path_factory.mktemp("small")
    sentences = ["\t".join(line.split(" ")) for line in SENTENCES.strip().splitlines()]
    for split in SPLITS:
        lines = ["# global.Entity = eid-etype"]
        for document in range(3):
            lines += [f"# newdoc id = {split}{document}", *sentences, ""]
        (folder / f"small-{split}.conllu").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load_corpus(str(folder))


def make(name: str) -> Any:
    head, argument = registry.split_name(name)
    return registry.load("task", head)(argument)


def documents(corpus: Corpus) -> list[AnnotatedDocument]:
    return [document for split in SPLITS for document in corpus.splits[split]]


def choices(name: str, document: AnnotatedDocument) -> tuple[Choice, ...]:
    found: tuple[Choice, ...] = make(name).choices(document).choices
    return found


def test_pronouns_are_among_them() -> None:
    assert "pronoun" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is(name: str) -> None:
    task = make(name)
    assert isinstance(task, ChoiceTask) and task.name == name
    assert re.fullmatch(r"v\d+", task.version) and task.candidate
    assert task.splits and list(task.splits) == [split for split in SPLITS if split in task.splits]
    assert json.loads(json.dumps(dict(task.facts), allow_nan=False)) == dict(task.facts)
    assert task.facts
    assert isinstance(task.description, str) and task.description and "\n" not in task.description


@pytest.mark.parametrize("name", NAMES)
def test_every_choice_lies_in_its_document(name: str, corpus: Corpus) -> None:
    found = 0
    for document in documents(corpus):
        for choice in choices(name, document):
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
def test_a_document_alone_tells_its_choices(name: str, corpus: Corpus) -> None:
    task, many = make(name), documents(corpus)
    alone = {document.document.id: make(name).choices(document) for document in many}
    for document in reversed(many):
        assert task.choices(document) == task.choices(document) == alone[document.document.id]


@pytest.mark.parametrize("name", NAMES)
def test_a_document_without_its_annotation_has_no_choices(name: str, corpus: Corpus) -> None:
    full = documents(corpus)[0]
    bare = tuple(
        word._replace(upos="", xpos="", feats={}, head=-1, deprel="") for word in full.words
    )
    assert choices(name, replace(full, words=bare, mentions=None)) == ()
    assert choices(name, replace(full, words=bare, mentions=())) == ()


@pytest.mark.parametrize("name", NAMES)
def test_its_corpus_is_ready_to_be_measured(name: str, corpus: Corpus) -> None:
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
