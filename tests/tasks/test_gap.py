"""GAP: rows into documents, offsets on words, published counts, rows that do not fit."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.core.types import Span
from layerwise.tasks.base import AnnotatedDocument, Edge, Mention
from layerwise.tasks.gap import read_gap

QUICK = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
HEADER = "ID\tText\tPronoun\tPronoun-offset\tA\tA-offset\tA-coref\tB\tB-offset\tB-coref\tURL"
TEXT = 'Ann Lee met Eve. "Her" aunt, Ann\'s, left.'
ROW = f"t-1\t{TEXT}\tHer\t18\tAnn Lee\t0\tFALSE\tEve\t12\tTRUE\thttp://x/y"


def file(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "gap.tsv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8", newline="")
    return path


def at(document: AnnotatedDocument, span: Span) -> str:
    return " ".join(document.document.words[slice(*span)])


def test_a_row(tmp_path: Path) -> None:
    read = read_gap(file(tmp_path, ROW))
    (document,) = read.documents
    assert document.document.id == "t-1"
    first, second = document.document.sentences
    assert first.text == "Ann Lee met Eve." and second.text == '"Her" aunt, Ann\'s, left.'
    assert second.words == ('"', "Her", '"', "aunt", ",", "Ann", "'s", ",", "left", ".")
    assert document.mentions == (
        Mention(Span(0, 2), "A", ""),
        Mention(Span(3, 4), "P", ""),
        Mention(Span(6, 7), "P", ""),
    )
    assert document.edges == (
        Edge("choice", Span(6, 7), Span(0, 2), ("no",)),
        Edge("choice", Span(6, 7), Span(3, 4), ("yes",)),
    )
    assert document.attributes == {"id": "t-1", "gender": "feminine", "url": "http://x/y"}
    assert read.counts == {
        "documents": 1,
        "sentences": 2,
        "words": 15,
        "a_right": 0,
        "b_right": 1,
        "neither_right": 0,
        "both_right": 0,
        "feminine": 1,
        "masculine": 0,
    }


def test_neither_is_right_and_names_inside_of_words(tmp_path: Path) -> None:
    text = "He saw McBob Foo-Bar"
    row = f"a\t{text}\tHe\t0\tBob\t9\tFALSE\tFoo\t13\tFALSE\tu"
    read = read_gap(file(tmp_path, row))
    (document,) = read.documents
    assert document.document.words == ("He", "saw", "Mc", "Bob", "Foo", "-", "Bar")
    assert [(at(document, m.span), m.entity) for m in document.mentions or ()] == [
        ("He", "P"), ("Bob", "A"), ("Foo", "B"),
    ]  # fmt: skip
    assert [edge.labels for edge in document.edges] == [("no",), ("no",)]
    assert document.attributes["gender"] == "masculine"
    assert read.counts["neither_right"] == 1


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("t-1", "t-0", "a second row 't-0'"),
        ("\tHer\t18", "\tIts\t18", "'Its' is no pronoun"),
        ("\tHer\t18", "\tHer\t19", "'Her' does not stand at the offset '19'"),
        ("\tHer\t18", "\tHer\t-1", "does not stand at the offset '-1'"),
        ("\tHer\t18", "\tHer\t+18", "does not stand at the offset"),
        ("\tHer\t18", "\tHer\t18.0", "does not stand at the offset"),
        ("\tHer\t18", "\tHer\t１８", "does not stand at the offset"),
        ("\tHer\t18", "\tHer\t" + "9" * 5000, "does not stand at the offset"),
        ("Ann Lee\t0", "Ann Lee \t0", "'Ann Lee ' does not stand"),
        ("\tEve\t12", "\tEve\t11", "'Eve' does not stand at the offset '11'"),
        ("TRUE", "True", "'True' where TRUE or FALSE is due"),
        ("FALSE", "no", "'no' where TRUE or FALSE is due"),
        ("\thttp://x/y", "", "10 columns instead of 11"),
        ("http://x/y", "a\tb", "12 columns instead of 11"),
        ("http://x/y", "", "the column URL is empty"),
        (TEXT, " ", "the column Text is empty"),
    ],
)  # fmt: skip
def test_faults_are_told_with_their_line(tmp_path: Path, old: str, new: str, what: str) -> None:
    assert old in ROW
    path = file(tmp_path, ROW.replace("t-1", "t-0"), ROW.replace(old, new))
    with pytest.raises(DataError, match=what) as caught:
        read_gap(path)
    assert caught.value.where == f"{path}:3" and caught.value.cure


def test_the_header_and_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="names of the columns") as caught:
        read_gap(file(tmp_path, header=ROW))
    assert caught.value.where.endswith(":1")
    with pytest.raises(DataError, match="no row"):
        read_gap(file(tmp_path))


@st.composite
def rows(draw: st.DrawFn) -> tuple[str, list[str], list[int]]:
    """A text, and what stands in it at three places that may overlap."""
    pronoun = draw(st.sampled_from(["he", "She", "him", "Hers"]))
    sign = st.sampled_from(list("aB'.-1é ,!")) | st.characters(exclude_categories=["Cs", "Cc"])
    before, after = draw(st.text(sign, max_size=15)), draw(st.text(sign, max_size=15))
    text = f"{before}{pronoun}{after}"
    found, offsets = [pronoun], [len(before)]
    for _ in range(2):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        name = text[start:end]
        start += len(name) - len(name.lstrip())
        if not name.strip():
            start, name = offsets[0], pronoun
        found.append(name.strip())
        offsets.append(start)
    return text, found, offsets


@QUICK
@given(rows(), st.booleans(), st.booleans())
def test_what_is_named_is_what_the_spans_hold(
    tmp_path: Path, row: tuple[str, list[str], list[int]], a: bool, b: bool
) -> None:
    text, (pronoun, one, two), offsets = row
    truth = [str(each).upper() for each in (a, b)]
    cells = ["i", text, pronoun, offsets[0], one, offsets[1], truth[0], two, offsets[2], truth[1]]
    (document,) = read_gap(file(tmp_path, "\t".join(map(str, [*cells, "u"])))).documents
    words = document.document.words
    spans = [document.edges[0].span1, *(edge.span2 for edge in document.edges)]
    for name, span in zip((pronoun, one, two), spans, strict=True):
        assert span is not None
        assert "".join(words[slice(*span)]) == "".join(name.split())
    starts = {start for start in document.document.sentence_starts}
    assert not any(span.start < start < span.end for span in spans if span for start in starts)
    assert "".join(words) == "".join(text.split())
    assert [edge.labels for edge in document.edges] == [("yes" if t else "no",) for t in (a, b)]


@QUICK
@given(st.integers(0, 10), st.text(max_size=4) | st.sampled_from(["0", "TRUE", "\t", "He"]))
def test_a_damaged_cell_is_read_or_refused(tmp_path: Path, column: int, value: str) -> None:
    cells = ROW.split("\t")
    cells[column] = value
    path = file(tmp_path)
    path.write_bytes("\n".join([HEADER, ROW.replace("t-1", "t-0")]).encode())
    with path.open("ab") as stream:
        stream.write(b"\n" + "\t".join(cells).encode("utf-8", "replace"))
    try:
        assert len(read_gap(path).documents) == 2
    except DataError as error:
        assert int(error.where.removeprefix(f"{path}:")) >= 3


# Rows, and those whose A, B or neither is right (counted in the files with `cut` and `sort`).
PUBLISHED = {"development": (2000, 874, 925, 201), "validation": (454, 187, 205, 62)}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_files(shared_data: Path, name: str) -> None:
    path = shared_data / f"gap/gap-{name}.tsv.gz"
    read = read_gap(path)
    rows, a, b, neither = PUBLISHED[name]
    assert (read.counts["documents"], read.counts["a_right"]) == (rows, a)
    assert (read.counts["b_right"], read.counts["neither_right"]) == (b, neither)
    assert read.counts["both_right"] == 0
    # The corpus is balanced by gender (Webster et al. 2018, section 3).
    assert read.counts["feminine"] == read.counts["masculine"] == rows // 2
    lines = gzip.decompress(path.read_bytes()).decode().split("\n")[1:-1]
    labels: Counter[tuple[str, ...]] = Counter()
    for document, line in zip(read.documents, lines, strict=True):
        cells = line.split("\t")
        one, two = document.edges
        assert one.span1 == two.span1 and one.span2 and two.span2
        assert at(document, one.span1) == cells[2]
        for span, column in ((one.span1, 2), (one.span2, 4), (two.span2, 7)):
            surface = _surface(document, span)
            assert surface == cells[column]
            assert _characters_before(document, span) == len(
                "".join(cells[1][: int(cells[column + 1])].split())
            )
        labels[(*one.labels, *two.labels)] += 1
        entities = {m.span: m.entity for m in document.mentions or ()}
        assert (entities[one.span2] == "P", entities[two.span2] == "P") == (
            cells[6] == "TRUE",
            cells[9] == "TRUE",
        )
    assert labels == {("yes", "no"): a, ("no", "yes"): b, ("no", "no"): neither}


def _surface(document: AnnotatedDocument, span: Span) -> str:
    """The characters of the span, which lies in one sentence."""
    starts = document.document.sentence_starts
    number = next(n for n, start in enumerate(starts) if start > span.start) - 1
    sentence = document.document.sentences[number]
    offsets = sentence.offsets[span.start - starts[number] : span.end - starts[number]]
    assert len(offsets) == span.end - span.start
    return sentence.text[offsets[0].start : offsets[-1].end]


def _characters_before(document: AnnotatedDocument, span: Span) -> int:
    return sum(map(len, document.document.words[: span.start]))
