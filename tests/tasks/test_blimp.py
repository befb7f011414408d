"""BLiMP: pairs as documents, their order, published counts, lines that do not fit."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.core.types import Span
from layerwise.tasks.annotated_file import AnnotatedFile
from layerwise.tasks.base import Edge
from layerwise.tasks.blimp import read_blimp

QUICK = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
PAIR: dict[str, Any] = {
    "sentence_good": "The dogs don't bark.",
    "sentence_bad": "The dogs doesn't bark.",
    "field": "syntax/semantics",
    "linguistics_term": "agreement",
    "UID": "plural",
    "pairID": "0",
    "one_prefix_method": True,
}


def file(folder: Path, *pairs: dict[str, Any]) -> Path:
    path = folder / "blimp.jsonl"
    path.write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
    return path


def test_a_pair(tmp_path: Path) -> None:
    read = read_blimp(file(tmp_path, PAIR))
    (document,) = read.documents
    assert document.document.id == "plural.0"
    texts = [sentence.text for sentence in document.document.sentences]
    assert sorted(texts) == sorted([PAIR["sentence_good"], PAIR["sentence_bad"]])
    good_first = texts[0] == PAIR["sentence_good"]
    labels = ("yes", "no") if good_first else ("no", "yes")
    assert document.document.sentences[0].words[:4] in {
        ("The", "dogs", "do", "n't"),
        ("The", "dogs", "does", "n't"),
    }
    assert document.edges == (
        Edge("acceptable", Span(0, 6), None, labels[:1]),
        Edge("acceptable", Span(6, 12), None, labels[1:]),
    )
    assert document.attributes == {
        "paradigm": "plural",
        "field": "syntax_semantics",
        "phenomenon": "agreement",
    }
    assert read.counts == {
        "documents": 1,
        "sentences": 2,
        "words": 12,
        "paradigms": 1,
        "acceptable_first": good_first,
        "pairs_alike": 0,
    }


def test_the_order_is_of_the_id_alone(tmp_path: Path) -> None:
    pairs = [{**PAIR, "pairID": str(number)} for number in range(400)]
    read = read_blimp(file(tmp_path, *pairs))
    first = {d.document.id: d.edges[0].labels for d in read.documents}
    # Of 400 fair coins, fewer than 150 or more than 250 heads come once in two million times.
    assert 150 < sum(labels == ("yes",) for labels in first.values()) < 250
    other = [{**pair, "sentence_good": "Yes.", "field": "x"} for pair in reversed(pairs)]
    again = read_blimp(file(tmp_path, *other))
    assert {d.document.id: d.edges[0].labels for d in again.documents} == first


def test_a_pair_of_one_text_has_no_labels(tmp_path: Path) -> None:
    read = read_blimp(file(tmp_path, {**PAIR, "sentence_bad": PAIR["sentence_good"]}))
    assert read.documents[0].edges == () and len(read.documents[0].document.sentences) == 2
    assert read.counts["pairs_alike"] == 1


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"pairID": "0"}, "a second pair 'plural.0'"),
        ({"pairID": 1}, "no text under 'pairID'"),
        ({"sentence_good": " "}, "no text under 'sentence_good'"),
        ({"sentence_bad": None}, "no text under 'sentence_bad'"),
        ({"field": []}, "no text under 'field'"),
        ({"linguistics_term": ""}, "no text under 'linguistics_term'"),
        ({"UID": True}, "no text under 'UID'"),
    ],
)
def test_faults_are_told_with_their_line(tmp_path: Path, change: dict[str, Any], what: str) -> None:
    path = file(tmp_path, PAIR, {**PAIR, "pairID": "1", **change})
    with pytest.raises(DataError, match=what) as caught:
        read_blimp(path)
    assert caught.value.where == f"{path}:2" and caught.value.cure


@QUICK
@given(st.sampled_from(sorted(PAIR)), st.none() | st.integers() | st.text(max_size=4))
def test_any_value_is_read_or_refused(tmp_path: Path, key: str, value: object) -> None:
    path = file(tmp_path, PAIR, {**PAIR, "pairID": "1", key: value})
    try:
        document = read_blimp(path).documents[1]
    except DataError as error:
        assert error.where == f"{path}:2"
    else:
        texts = {sentence.text for sentence in document.document.sentences}
        value = value if key == "sentence_good" else PAIR["sentence_good"]
        assert value in texts


FIELDS = {"syntax": 26, "morphology": 18, "syntax_semantics": 14, "semantics": 9}
"""Paradigms of each field, as in the README of the shared data and Table 4 of the paper."""


def agrees(read: AnnotatedFile, lines: list[str]) -> None:
    """Each document holds the pair of its line, and nothing else is in its words."""
    assert len(read.documents) == len(lines)
    for document, line in zip(read.documents, lines, strict=True):
        pair = json.loads(line)
        texts = [sentence.text for sentence in document.document.sentences]
        told = {"yes": pair["sentence_good"], "no": pair["sentence_bad"]}
        for (_, span, _, (label,)), text in zip(document.edges, texts, strict=False):
            assert text == told[label]
            words = document.document.words[slice(*span)]
            assert "".join(words) == text.replace(" ", "")
        assert len(document.edges) == (0 if told["yes"] == told["no"] else 2)


def test_a_sample_of_the_published_file(shared_data: Path, tmp_path: Path) -> None:
    data = gzip.decompress((shared_data / "blimp/blimp.jsonl.gz").read_bytes())
    lines = data.decode().splitlines()
    assert len(lines) == 67_000
    # Of 40 pairs one, and the few whose two sentences are the same text.
    pairs = map(json.loads, lines)
    alike = [place for place, p in enumerate(pairs) if p["sentence_good"] == p["sentence_bad"]]
    assert len(alike) == 7 and not any(place % 40 == 0 for place in alike)
    sample = [*lines[::40], *(lines[place] for place in alike)]
    path = tmp_path / "sample.jsonl"
    path.write_text("\n".join(sample) + "\n")
    read = read_blimp(path)
    agrees(read, sample)
    assert read.counts["paradigms"] == 67
    paradigms = Counter(document.attributes["paradigm"] for document in read.documents)
    assert sum(paradigms.values()) == 67 * 25 + 7 and min(paradigms.values()) == 25
    assert read.counts["pairs_alike"] == 7
    fields = {d.attributes["paradigm"]: d.attributes["field"] for d in read.documents}
    assert Counter(fields.values()) == FIELDS
