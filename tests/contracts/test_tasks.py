"""Every task that is installed keeps the task contract on a small annotated corpus."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from layerwise.core import registry
from layerwise.core.types import SPLITS, Document, Target
from layerwise.probes import metrics
from layerwise.suite.arrays import to_arrays
from layerwise.tasks.base import AnnotatedDocument, Corpus, prepare
from layerwise.tasks.corpora import load_corpus

# Arguments for names that need one, or take one.
ARGUMENTS = {"morph": ["Number", "Case"], "coref": ["", "3"]}
NAMES = [
    f"{name}:{argument}" if argument else name
    for name in registry.names("task")
    if not hasattr(registry.load("task", name), "choices")  # test_choice_tasks.py
    for argument in ARGUMENTS.get(name, [""])
]

SENTENCES = """
# tree = (S (NP (NNP Ann)) (VP (VBZ sees) (NP (DT the) (NNS dogs))) (. .))
1 Ann Ann PROPN NNP Number=Sing|Case=Nom 2 nsubj _ Entity=(e1-person)
2 sees see VERB VBZ Number=Sing 0 root _ _
3 the the DET DT _ 4 det _ Entity=(e2-animal
4 dogs dog NOUN NNS Number=Plur|Case=Acc 2 obj _ SpaceAfter=No|Entity=e2)
5 . . PUNCT . _ 2 punct _ _

# tree = (S (NP (PRP They)) (VP (VBP like) (NP (PRP her) (CC and) (NNP Bob))) (. .))
1 They they PRON PRP Number=Plur|Case=Nom 2 nsubj _ Entity=(e2-animal)
2 like like VERB VBP Number=Plur 0 root _ _
3 her she PRON PRP Number=Sing|Case=Acc 2 obj _ Entity=(e1-person)
4 and and CCONJ CC _ 5 cc _ _
5 Bob Bob PROPN NNP Number=Sing|Case=Acc 3 conj _ Entity=(e3-person)
6 . . PUNCT . _ 2 punct _ _

1 Go go VERB VB _ 0 root _ _
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder: Path = tmp_path_factory.mktemp("small")
    sentences = [
        line if line.startswith("#") else "\t".join(line.split(" "))
        for line in SENTENCES.strip().splitlines()
    ]
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


def targets(name: str, document: AnnotatedDocument) -> list[Target]:
    return list(make(name).targets(document))


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is(name: str) -> None:
    task = make(name)
    assert task.name == name
    assert re.fullmatch(r"v\d+", task.version)
    assert task.positive is None or isinstance(task.positive, str)
    metrics.statistic(task.metric, None if task.positive is None else 0)  # or it raises
    assert json.loads(json.dumps(dict(task.facts), allow_nan=False)) == dict(task.facts)
    assert task.facts
    assert isinstance(task.description, str) and task.description and "\n" not in task.description


@pytest.mark.parametrize("name", NAMES)
def test_every_target_lies_in_its_document(name: str, corpus: Corpus) -> None:
    found = 0
    for document in documents(corpus):
        for target in targets(name, document):
            found += 1
            assert isinstance(target, Target) and target.document == document.document.id
            assert isinstance(target.label, str) and target.label.strip() == target.label != ""
            for span in (target.span1, target.span2):
                if span is not None:
                    assert type(span[0]) is type(span[1]) is int
                    assert 0 <= span[0] < span[1] <= len(document.document)
    assert found >= 9


@pytest.mark.parametrize("name", NAMES)
def test_its_targets_are_the_same_every_time_and_of_one_kind(name: str, corpus: Corpus) -> None:
    task = make(name)
    for document in documents(corpus):
        first = list(task.targets(document))
        assert first == list(task.targets(document)) == targets(name, document)
        assert len({(t.span1, t.span2) for t in first}) == len(first)
        assert len({t.span2 is None for t in first}) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_no_document_matters_to_another(name: str, corpus: Corpus) -> None:
    task, many = make(name), documents(corpus)
    alone = {d.document.id: targets(name, d) for d in many}
    for document in reversed(many):
        assert list(task.targets(document)) == alone[document.document.id]


@pytest.mark.parametrize("name", NAMES)
def test_a_document_without_its_annotation_has_no_targets(name: str, corpus: Corpus) -> None:
    full = documents(corpus)[0]
    bare = tuple(
        word._replace(upos="", xpos="", feats={}, head=-1, deprel="") for word in full.words
    )
    for none in (None, ()):
        empty = replace(full, words=bare, mentions=none, constituents=none)
        assert targets(name, empty) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_document_of_one_word_does_no_harm(name: str, corpus: Corpus) -> None:
    full = documents(corpus)[0]
    last = full.document.sentences[-1]
    one = AnnotatedDocument(Document("one", (last,)), (full.words[-1]._replace(head=-1),), ())
    for target in targets(name, one):
        assert target.span1 == (0, 1) and target.span2 is None


@pytest.mark.parametrize("name", NAMES)
def test_its_corpus_is_ready_for_a_probe(name: str, corpus: Corpus) -> None:
    data = prepare(make(name), corpus)
    arrays = to_arrays(data)
    assert data.task == arrays.task == f"{name}.{make(name).version}"
    assert len(arrays.classes) > 1
    assert data.positive is None or arrays.classes[arrays.positive or 0] == data.positive


@pytest.mark.parametrize("name", NAMES)
def test_what_it_is_available_for_it_can_serve(name: str, corpus: Corpus) -> None:
    available = make(name).available(corpus)
    assert name.partition(":")[0] in {each.partition(":")[0] for each in available}
    for each in available:
        assert prepare(make(each), corpus).splits["test"].targets
    empty = Corpus("empty", {split: () for split in SPLITS})
    assert make(name).available(empty) == []
