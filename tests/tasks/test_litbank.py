"""LitBank: its published counts, and files that disagree."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.core.types import SPLITS, Span
from layerwise.tasks.annotated_file import AnnotatedFile
from layerwise.tasks.base import Edge, Mention
from layerwise.tasks.litbank import COUNTS, read_litbank


def conll(document: str) -> str:
    rows = [
        (0, "Ann", "(1)"), (1, "saw", ""), (2, "her", "(2|(1)"), (3, "boss", "2)"), None,
        (0, "Who", ""), (1, "?", "(3)"),
    ]  # fmt: skip
    lines = [f"#begin document ({document}); part 0"]
    for row in rows:
        lines.append(
            ""
            if row is None
            else "\t".join((document, "0", str(row[0]), row[1], *"________", row[2]))
        )
    return "\n".join([*lines, "", "#end document"]) + "\n"


ANNOTATION = """\
a COREF T1 Ann-1
a MENTION T1 0 0 0 0 Ann PER PROP
a MENTION T2 0 2 0 2 her PER PRON
a MENTION T3 0 2 0 3 her_boss PER NOM
a MENTION T4 1 1 1 1 ? ORG PROP
a COREF T2 Ann-1
a COREF T3 boss-2
a COP T3 T1
a APPOS T3 T1
"""
SPLIT = {"note": "ours", "train": ["a"], "dev": ["b"], "test": ["c"]}


def rows(text: str) -> str:
    return text.replace(" ", "\t").replace("_", " ")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path)
    return tmp_path


def write(
    folder: Path, annotation: str = ANNOTATION, splits: object = SPLIT, documents: str = "abc"
) -> Path:
    (folder / "litbank.coref.conll").write_text("".join(map(conll, documents)))
    (folder / "litbank.coref.ann.tsv").write_text(rows(annotation))
    (folder / "splits.json").write_text(json.dumps(splits))
    return folder


def test_the_files_are_joined(folder: Path) -> None:
    read = read_litbank(folder)
    assert list(read) == list(SPLITS)
    (document,) = read["train"].documents
    assert document.document.id == "a"
    assert [sentence.text for sentence in document.document.sentences] == [
        "Ann saw her boss",
        "Who ?",
    ]
    assert document.mentions == (
        Mention(Span(0, 1), "1", "PER"),
        Mention(Span(2, 3), "1", "PER"),
        Mention(Span(2, 4), "2", "PER"),
        Mention(Span(5, 6), "3", "ORG"),
    )
    assert document.edges == tuple(
        Edge("mention_kind", Span(start, end), None, (kind,))
        for start, end, kind in [(0, 1, "PROP"), (2, 3, "PRON"), (2, 4, "NOM"), (5, 6, "PROP")]
    )
    assert read["train"].counts == {
        **dict.fromkeys(COUNTS, 0),
        **{"documents": 1, "sentences": 2, "words": 6, "mentions": 4, "entities": 3},
        **{"copulas": 1, "appositions": 1},
    }
    # No row tells anything of the mentions of b.
    assert read["dev"].counts["mentions_without_annotation"] == 4
    assert read["dev"].documents[0].edges == ()
    assert {mention.entity_type for mention in read["dev"].documents[0].mentions or ()} == {""}


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("0 2 0 3 her_boss", "0 1 0 3 saw_her_boss",
         {"mentions_without_annotation": 1, "annotations_without_mention": 1}),
        ("her_boss", "his_boss",
         {"mentions_without_annotation": 1, "annotations_of_other_words": 1}),
        ("COREF T2 Ann-1", "COREF T2 boss-2", {"chains_differ": 2}),
        ("COREF T2 Ann-1", "COREF T2 Bob-9", {"chains_differ": 2}),
        ("COREF T3 boss-2", "COREF T3 Ann-1", {"chains_differ": 1}),
    ],
)  # fmt: skip
def test_what_does_not_agree_is_counted(
    folder: Path, old: str, new: str, counts: Mapping[str, int]
) -> None:
    read = read_litbank(write(folder, ANNOTATION.replace(old, new)))["train"]
    assert {name: read.counts[name] for name in COUNTS[7:] if read.counts[name]} == counts
    (document,) = read.documents
    assert [mention.entity for mention in document.mentions or ()] == ["1", "1", "2", "3"]
    assert len(document.edges) == 4 - counts.get("mentions_without_annotation", 0)


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        ("a MENTION T1 0 0 0 0 Ann PER", "1: 9 columns that begin with"),
        ("a", "1: 1 columns that begin with"),
        ("a LINK T1 T2", "1: 4 columns that begin with"),
        ("z MENTION T1 0 0 0 0 Ann PER PROP", "1: the document 'z' has no words"),
        ("a MENTION T1 0 0 0 4 Ann PER PROP", "1: the mention T1 has no words"),
        ("a MENTION T1 0 4 1 1 Ann PER PROP", "1: the mention T1 has no words"),
        ("a MENTION T1 0 3 0 1 Ann PER PROP", "1: the mention T1 has no words"),
        ("a MENTION T1 2 0 2 0 Ann PER PROP", "1: the mention T1 has no words"),
        ("a MENTION T1 0 -1 0 0 Ann PER PROP", "1: the mention T1 has no words"),
        ("a MENTION T1 0 0 0 0 Ann PER NAME", "1: the mention T1 has no words"),
        ("a COREF T9 x", "1: COREF of the mention T9, which is not there"),
        (f"{ANNOTATION}a MENTION T1 0 1 0 1 saw PER NOM", "10: a second mention T1"),
        (f"{ANNOTATION}a MENTION T9 0 0 0 0 Ann PER NOM", "10: a second mention T9"),
    ],
)
def test_faults_of_the_annotation(folder: Path, annotation: str, told: str) -> None:
    with pytest.raises(DataError) as caught:
        read_litbank(write(folder, annotation))
    assert str(caught.value).startswith(f"{folder / 'litbank.coref.ann.tsv'}:{told}")
    assert caught.value.cure


@pytest.mark.parametrize(
    ("splits", "told"),
    [
        ([], "no list of documents for train"),
        ({"train": ["a"], "dev": "b", "test": []}, "no list of documents for dev"),
        ({**SPLIT, "test": ["c", "a"]}, "the document 'a' is in 2 splits"),
        ({**SPLIT, "test": []}, "the document 'c' is in 0 splits"),
        ({**SPLIT, "test": ["c", "d"]}, "the document 'd' is without text"),
    ],
)
def test_faults_of_the_splits(folder: Path, splits: object, told: str) -> None:
    with pytest.raises(DataError, match=rf"splits\.json: {told}.*; "):
        read_litbank(write(folder, splits=splits))


def test_a_missing_file_is_named(folder: Path) -> None:
    for name in ("litbank.coref.conll", "litbank.coref.ann.tsv", "splits.json"):
        write(folder)
        (folder / name).unlink()
        with pytest.raises(DataError, match=rf"{name}.*: no such file"):
            read_litbank(folder)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.integers(0, 8),
    st.integers(0, 9),
    st.sampled_from(["", "0", "1", "9" * 30, "²", "a", "T1", "COREF", "PER"]) | st.text(max_size=3),
)
def test_a_damaged_cell(folder: Path, at: int, place: int, cell: str) -> None:
    lines = rows(ANNOTATION).split("\n")
    cells = lines[at].split("\t")
    cells[place % len(cells)] = cell
    lines[at] = "\t".join(cells)
    path = folder / "litbank.coref.ann.tsv"
    path.write_bytes("\n".join(lines).encode("utf-8", "replace"))
    try:
        read = read_litbank(folder)
    except DataError as error:
        name, _, line = error.where.rpartition(":")
        assert name == str(path) and 1 <= int(line) <= len(lines) + cell.count("\n")
    else:
        assert read["train"].counts["mentions"] == 4


@pytest.fixture(scope="module")
def litbank(shared_data: Path) -> dict[str, AnnotatedFile]:
    return read_litbank(shared_data / "litbank")


def test_published_counts(litbank: dict[str, AnnotatedFile]) -> None:
    total: Counter[str] = Counter()
    for read in litbank.values():
        total.update(read.counts)
    # Bamman et al. 2020, section 3, and the README of the data.
    assert total == {
        "documents": 100, "sentences": 8562, "words": 210532, "mentions": 29103, "entities": 7927,
        "copulas": 466, "appositions": 226, "mentions_without_annotation": 0,
        "annotations_without_mention": 0, "annotations_of_other_words": 0,
        # The sea and the churchyard of Great Expectations are two chains each.
        "chains_differ": 2,
    }  # fmt: skip
    assert [len(read.documents) for read in litbank.values()] == [80, 10, 10]
    chains = Counter(
        (each.document.id, mention.entity)
        for read in litbank.values()
        for each in read.documents
        for mention in each.mentions or ()
    )
    assert sum(count > 1 for count in chains.values()) == 2164


def test_types_and_kinds_are_those_of_the_rows(
    litbank: dict[str, AnnotatedFile], shared_data: Path
) -> None:
    expected: Counter[tuple[str, ...]] = Counter()
    with gzip.open(shared_data / "litbank" / "litbank.coref.ann.tsv.gz", "rt") as stream:
        for row in stream:
            cells = row.rstrip("\n").split("\t")
            if cells[1] == "MENTION":
                expected[cells[0], cells[7], cells[8], cells[9]] += 1
    got: Counter[tuple[str, ...]] = Counter()
    for read in litbank.values():
        for each in read.documents:
            types = {mention.span: mention.entity_type for mention in each.mentions or ()}
            for edge in each.edges:
                text = " ".join(each.document.words[edge.span1.start : edge.span1.end])
                got[each.document.id, text, types[edge.span1], *edge.labels] += 1
    assert got == expected
