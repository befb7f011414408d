"""Pronouns without tags: what the kinds of mentions tell of a document."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from layerwise.core.types import Document, Sentence, Span
from layerwise.tasks.base import AnnotatedDocument, Edge, Mention, bare
from layerwise.tasks.litbank import read_litbank
from layerwise.tasks.mention_features import features_of
from layerwise.tasks.pronouns import PronounResolution
from layerwise.tasks.tagged_by_mentions import tagged_by_mentions

TEXT = ["Mr. Dent met the boys of Cork and he greeted them .", "He knew him ."]
MENTIONS = [
    ((0, 2), "dent", "PROP"), ((3, 7), "boys", "NOM"), ((6, 7), "cork", "PROP"),
    ((8, 9), "dent", "PRON"), ((10, 11), "boys", "PRON"), ((12, 13), "dent", "PRON"),
]  # fmt: skip


def document() -> AnnotatedDocument:
    sentences = tuple(Sentence.from_words(text.split()) for text in TEXT)
    return AnnotatedDocument(
        Document("d", sentences),
        tuple(bare(word) for sentence in sentences for word in sentence.words),
        tuple(Mention(Span(*span), entity, "PER") for span, entity, _ in MENTIONS),
        edges=tuple(Edge("mention_kind", Span(*span), None, (kind,)) for span, _, kind in MENTIONS),
    )


def test_an_example() -> None:
    tagged = tagged_by_mentions(document())
    assert tagged is not None
    assert {w.form: w.upos for w in tagged.words if w.upos} == {
        "Dent": "PROPN", "boys": "NOUN", "Cork": "PROPN", "he": "PRON", "them": "PRON", "He": "PRON"
    }  # fmt: skip
    for argument in ("", "any"):
        found = PronounResolution(argument).choices(document())
        assert [(c.target.start, c.context) for c in found.choices] == [
            (8, Span(0, 12)),
            (10, Span(0, 12)),
        ]
        assert [
            [(candidate.span.start, candidate.right) for candidate in choice.candidates]
            for choice in found.choices
        ] == [[(1, True), (4, False), (6, False)], [(1, False), (4, True), (6, False)]]
        # "him" is no mention, and of no kind either.
        assert found.counts["pronouns"] == 3
        assert found.counts["constituents_from_sentences"] == 2
        assert found.counts["left_out_no_antecedent_in_the_sentence"] == 1


def test_what_is_told_otherwise_is_left_alone() -> None:
    one = document()
    for tagged in (
        replace(one, words=(one.words[0]._replace(upos="X"), *one.words[1:])),
        replace(one, words=(one.words[0]._replace(head=1), *one.words[1:])),
        replace(one, constituents=()),
        replace(one, edges=()),
    ):
        assert tagged_by_mentions(tagged) is None


@pytest.fixture(scope="module")
def excerpt(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LitBank's documents of dev alone, which are read in no time."""
    source, folder = shared_data / "litbank", tmp_path_factory.mktemp("litbank")
    dev = json.loads((source / "splits.json").read_text())["dev"]
    for name in ("litbank.coref.conll", "litbank.coref.ann.tsv"):
        with gzip.open(source / f"{name}.gz", "rt", encoding="utf-8", newline="\n") as stream:
            told = stream.read()
        if name.endswith("conll"):
            documents = told.split("#begin document ")[1:]
            kept = ["#begin document " + d for d in documents if d[1:].startswith(tuple(dev))]
        else:
            lines = told.split("\n")
            kept = [f"{line}\n" for line in lines if line.startswith(tuple(dev))]
        (folder / name).write_text("".join(kept), encoding="utf-8", newline="\n")
    (folder / "splits.json").write_text(json.dumps({"train": [], "dev": dev, "test": []}))
    return folder


def test_kinds_of_litbank_are_those_of_its_annotation(excerpt: Path) -> None:
    told: Counter[str] = Counter()
    for line in (excerpt / "litbank.coref.ann.tsv").read_text(encoding="utf-8").split("\n"):
        cells = line.split("\t")
        if cells[1:2] == ["MENTION"]:
            told[{"PROP": "name", "NOM": "nominal", "PRON": "pronoun"}[cells[-1]]] += 1
    found = Counter(
        features.kind
        for document in read_litbank(excerpt)["dev"].documents
        for features in features_of(document).values()
    )
    # Two spans in a thousand are annotated otherwise, or not at all.
    assert sum((found - told).values()) + sum((told - found).values()) <= 0.002 * told.total()


def test_pronouns_of_litbank(excerpt: Path) -> None:
    documents = read_litbank(excerpt)["dev"].documents
    choices = 0
    for one in documents:
        found = PronounResolution().choices(one)
        choices += len(found.choices)
        for choice in found.choices:
            assert any(candidate.right for candidate in choice.candidates)
            own = {m.entity for m in one.mentions or () if m.span == choice.target}
            for candidate in choice.candidates:
                holding = {
                    m.entity
                    for m in one.mentions or ()
                    if m.span.start <= candidate.span.start < m.span.end
                }
                assert not candidate.right or own & holding
    assert choices == 299
