"""The edge-probing form: reading, writing, and lines that do not fit."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.core.types import Document, Sentence, Span, Target
from layerwise.tasks.base import Edge
from layerwise.tasks.edge_probing import read_edge_probing, write_edge_probing

QUICK = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
LINE: dict[str, Any] = {
    "text": "The cat does n't sit .",
    "info": {"source": "x"},
    "targets": [
        {"span1": [0, 2], "span2": [4, 5], "label": "ARG0", "info": {"height": 1}},
        {"span1": [2, 4], "label": ["a", "b"]},
        {"span1": [5, 6], "span2": None, "label": []},
    ],
}


def file(folder: Path, lines: Iterable[Any], name: str = "train.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_a_file_of_jiant(tmp_path: Path) -> None:
    empty = {"text": "No targets ", "targets": []}
    path = file(tmp_path, [LINE, empty])
    read = read_edge_probing(path, "srl")
    one, two = read.documents
    assert [one.document.id, two.document.id] == ["train#1", "train#2"]
    (sentence,) = one.document.sentences
    assert sentence.words == ("The", "cat", "does", "n't", "sit", ".")
    assert sentence.text == LINE["text"]
    assert one.edges == (
        Edge("srl", Span(0, 2), Span(4, 5), ("ARG0",)),
        Edge("srl", Span(2, 4), None, ("a", "b")),
        Edge("srl", Span(5, 6), None, ()),
    )
    assert two.document.words == ("No", "targets") and two.edges == ()
    assert read.counts == {
        "documents": 2,
        "words": 8,
        "words_with_blanks": 0,
        "targets": 3,
        "documents_without_targets": 1,
    }
    packed = tmp_path / "train.json.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_edge_probing(packed, "srl") == read


def test_ids_are_the_told_ones_where_all_differ(tmp_path: Path) -> None:
    def ids(*infos: dict[str, Any]) -> list[str]:
        lines = [{"text": "a", "targets": [], "info": info} for info in infos]
        return [d.document.id for d in read_edge_probing(file(tmp_path, lines), "x").documents]

    one, two = {"document_id": "d", "sentence_id": 1}, {"document_id": "d", "sentence_id": "2"}
    assert ids(one, two) == ["d/1", "d/2"]
    assert ids(one, {"document_id": 7}) == ["d/1", "7"]
    assert ids(one, one) == ids(one, {}) == ids(one, {"sentence_id": 3}) == ["train#1", "train#2"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"text": None}, "no text under 'text'"),
        ({"text": 7}, "no text under 'text'"),
        ({"text": " "}, "no text under 'text'"),
        ({"text": "a  b"}, "a space too many"),
        ({"text": " a"}, "a space too many"),
        ({"text": "a\u00a0b"}, "other white space"),
        ({"text": "a b\n"}, "other white space"),
        ({"targets": None}, "no list of targets"),
        ({"targets": {}}, "no list of targets"),
        ({"targets": [[0, 1]]}, "a target that is no object"),
        ({"targets": [{"label": "x"}]}, "span1 is null"),
        ({"targets": [{"span1": [0, 7], "label": "x"}]}, r"span1 is \[0, 7\], .* span of 6 words"),
        ({"targets": [{"span1": [-1, 1], "label": "x"}]}, "span1 is"),
        ({"targets": [{"span1": [2, 1], "label": "x"}]}, "span1 is"),
        ({"targets": [{"span1": [1, 1], "label": "x"}]}, "span1 is"),
        ({"targets": [{"span1": [0, True], "label": "x"}]}, "span1 is"),
        ({"targets": [{"span1": [0, 1.0], "label": "x"}]}, "span1 is"),
        ({"targets": [{"span1": [0, 1, 2], "label": "x"}]}, "span1 is"),
        ({"targets": [{"span1": "01", "label": "x"}]}, "span1 is"),
        ({"targets": [{"span1": [0, 1], "span2": [6, 7], "label": "x"}]}, "span2 is"),
        ({"targets": [{"span1": [0, 1], "span2": 0, "label": "x"}]}, "span2 is 0"),
        ({"targets": [{"span1": [0, 1]}]}, "the label None"),
        ({"targets": [{"span1": [0, 1], "label": 1}]}, "the label 1"),
        ({"targets": [{"span1": [0, 1], "label": ["x", None]}]}, "the label"),
        ({"info": []}, "info that is no object"),
        ({"info": {"document_id": None}}, "an id that is neither"),
        ({"info": {"document_id": "d", "sentence_id": True}}, "an id that is neither"),
        ({"info": {"words_with_blanks": ["a b"]}}, "words_with_blanks that are not"),
        ({"info": {"words_with_blanks": {"6": "a b"}}}, "words_with_blanks that are not"),
        ({"info": {"words_with_blanks": {"0": "T e"}}}, "words_with_blanks that are not"),
        ({"info": {"words_with_blanks": {"0": 1}}}, "words_with_blanks that are not"),
    ],
)  # fmt: skip
def test_faults_are_told_with_their_line(tmp_path: Path, change: dict[str, Any], what: str) -> None:
    path = file(tmp_path, [LINE, {**LINE, **change}])
    with pytest.raises(DataError, match=what) as caught:
        read_edge_probing(path, "x")
    assert caught.value.where == f"{path}:2"
    assert caught.value.cure


@pytest.mark.parametrize(
    "line",
    ["", "{", "[]", "7", '"text"', "NaN", '{"text": NaN}', '{"x": -Infinity}', '{"x": "\\ud800"}',
     "[" * 100_000, '{"x": ' + "1" * 5000 + "}"],
)  # fmt: skip
def test_lines_that_are_no_objects(tmp_path: Path, line: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(LINE) + "\n" + line + "\n" + json.dumps(LINE) + "\n")
    with pytest.raises(DataError, match="JSON") as caught:
        read_edge_probing(path, "x")
    assert caught.value.where == f"{path}:2"


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("")
    with pytest.raises(DataError, match="an empty file"):
        read_edge_probing(path, "x")


def test_what_is_written(tmp_path: Path) -> None:
    sentences = Sentence.from_words(["10 000", "old"]), Sentence.from_words(["cats"])
    documents = [Document("d", sentences), Document("e", sentences[1:])]
    targets = [
        Target("e", Span(0, 1), None, "N"),
        Target("d", Span(2, 3), Span(0, 1), ("x", "y")),
    ]
    path = tmp_path / "out.jsonl"
    counts = write_edge_probing(documents, targets, path)
    assert counts == {"documents": 2, "words": 4, "words_with_blanks": 1, "targets": 2}
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {
            "text": "10_000 old cats",
            "info": {"document_id": "d", "words_with_blanks": {"0": "10 000"}},
            "targets": [{"span1": [2, 3], "span2": [0, 1], "label": ["x", "y"]}],
        },
        {
            "text": "cats",
            "info": {"document_id": "e"},
            "targets": [{"span1": [0, 1], "label": "N"}],
        },
    ]


@pytest.mark.parametrize(
    ("documents", "target", "what"),
    [
        ("aa", Target("a", Span(0, 1), None, "x"), "a second document 'a'"),
        ("a", Target("b", Span(0, 1), None, "x"), "not there: b"),
        ("a", Target("a", Span(0, 3), None, "x"), "not among 2 words"),
        ("a", Target("a", Span(0, 1), Span(1, 1), "x"), "not among 2 words"),
    ],
)
def test_what_cannot_be_written_leaves_no_file(
    tmp_path: Path, documents: str, target: Target, what: str
) -> None:
    sentence = Sentence.from_words(["a", "b"])
    path = tmp_path / "out.jsonl"
    with pytest.raises(DataError, match=what):
        write_edge_probing([Document(name, (sentence,)) for name in documents], [target], path)
    assert not list(tmp_path.iterdir())


SIGNS = st.one_of(
    st.sampled_from(list(' _\t\n\u00a0\u2028\x7f\x85\x1c"\\é')),
    st.characters(exclude_categories=["Cs"]),
)
WORD = st.text(SIGNS, min_size=1, max_size=5)
LABEL = st.one_of(st.text(SIGNS, max_size=3), st.lists(WORD, max_size=3).map(tuple))


@st.composite
def written(draw: st.DrawFn) -> tuple[list[Document], list[Target]]:
    documents, targets = [], []
    for name in draw(st.lists(st.text(SIGNS, max_size=4), min_size=1, max_size=4, unique=True)):
        words = draw(st.lists(WORD, min_size=1, max_size=8))
        documents.append(Document(name, (Sentence.from_words(words),)))
        spans = st.lists(st.integers(0, len(words)), min_size=2, max_size=2, unique=True).map(
            lambda ends: Span(*sorted(ends))
        )
        targets += [
            Target(name, draw(spans), draw(st.none() | spans), draw(LABEL))
            for _ in range(draw(st.integers(0, 3)))
        ]
    return documents, targets


@QUICK
@given(written())
def test_what_is_written_is_read_again(
    tmp_path: Path, given_: tuple[list[Document], list[Target]]
) -> None:
    documents, targets = given_
    path = tmp_path / "x.jsonl"
    counts = write_edge_probing(documents, targets, path)
    read = read_edge_probing(path, "t")
    assert [d.document.id for d in read.documents] == [d.id for d in documents]
    assert [d.document.words for d in read.documents] == [d.words for d in documents]
    expected = {
        d.id: tuple(
            Edge("t", t.span1, t.span2, (t.label,) if isinstance(t.label, str) else t.label)
            for t in targets
            if t.document == d.id
        )
        for d in documents
    }
    assert {d.document.id: d.edges for d in read.documents} == expected
    assert {name: read.counts[name] for name in counts} == counts
    for line, document in zip(path.read_text("utf-8").split("\n"), documents, strict=False):
        assert len(json.loads(line)["text"].split()) == len(document)  # as jiant splits it


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["span1", "span2", "label", "document_id", "words_with_blanks", "0"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@QUICK
@given(st.sampled_from(["text", "info", "targets"]), JSON, st.booleans())
def test_any_value_is_read_or_refused(tmp_path: Path, key: str, value: Any, inner: bool) -> None:
    damaged = {**LINE, key: value}
    if inner:
        damaged = {**LINE, "targets": [{**LINE["targets"][0], "label": value}, value]}
    path = file(tmp_path, [LINE, damaged])
    try:
        assert len(read_edge_probing(path, "x").documents) == 2
    except DataError as error:
        assert error.where == f"{path}:2"


@QUICK
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read_edge_probing(path, "x")
    assert caught.value.where.startswith(str(path))
