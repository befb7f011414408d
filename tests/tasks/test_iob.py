"""Tagged words: spans of every scheme, columns, documents, hostile lines and real data."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError, UsageError
from layerwise.core.types import Span
from layerwise.tasks.base import Edge
from layerwise.tasks.conllu import ConlluFile
from layerwise.tasks.iob import COUNTS, read_iob
from layerwise.tasks.iob_tags import are_tags, read_spans, told_task

QUICK = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

CONLL2003 = """\
-DOCSTART- -X- O O

EU NNP I-NP I-ORG
rejects VBZ I-VP O
German JJ I-NP I-MISC
Swiss JJ I-NP B-MISC
call NN I-NP O
. . O O

-DOCSTART- -X- O O

Peter NNP I-NP I-PER
Blackburn NNP I-NP I-PER

1996-08-22 CD I-NP O
"""
CONLL2000 = """\
He PRP B-NP
pays VBZ B-VP
# # B-NP
5 CD I-NP
"""
UNER = """\
# newdoc id = one
# sent_id = 1
# text = I'm in  New York.
1 I O - -
2 'm O - -
3 in O - -
4 New B-LOC - ann
5 York I-LOC - ann
6 . O - -

# sent_id = 2
# text = Other words
1 Paris B-LOC - ann

# newdoc id = two
1 We O - -
"""


def tabs(text: str) -> str:
    return "\n".join(
        line if line.startswith("#") else line.replace(" ", "\t") for line in text.split("\n")
    )


def file(folder: Path, text: str, name: str = "train.txt") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def edges(*found: tuple[str, int, int, str]) -> tuple[Edge, ...]:
    return tuple(Edge(task, Span(start, end), None, (kind,)) for task, start, end, kind in found)


def test_conll2003(tmp_path: Path) -> None:
    path = tmp_path / "train.txt.gz"
    path.write_bytes(gzip.compress(CONLL2003.encode()))
    read = read_iob(path)
    one, two = read.documents
    assert [one.document.id, two.document.id] == ["train#1", "train#2"]
    assert one.edges == edges(("ner", 0, 1, "ORG"), ("ner", 2, 3, "MISC"), ("ner", 3, 4, "MISC"))
    assert two.edges == edges(("ner", 0, 2, "PER"))
    assert [word.xpos for word in one.words] == ["NNP", "VBZ", "JJ", "JJ", "NN", "."]
    assert [sentence.text for sentence in two.document.sentences] == [
        "Peter Blackburn",
        "1996-08-22",
    ]
    assert one.mentions is None and one.constituents is None
    counts = {"documents": 2, "sentences": 3, "words": 9, "spans": 4, "iob1_openings": 3}
    assert read.counts == {**dict.fromkeys(COUNTS, 0), **counts}


def test_the_chunks_of_conll2003(tmp_path: Path) -> None:
    path = file(tmp_path, CONLL2003)
    for read in (read_iob(path, task="chunk"), read_iob(path, column=3)):
        assert read.documents[0].edges == edges(
            ("chunk", 0, 1, "NP"), ("chunk", 1, 2, "VP"), ("chunk", 2, 5, "NP")
        )
        assert read.documents[0].words[0].xpos == "NNP"
    assert {edge.task for edge in read_iob(path, column=3, task="np").documents[0].edges} == {"np"}


def test_conll2000_where_the_hash_is_a_word(tmp_path: Path) -> None:
    (document,) = read_iob(file(tmp_path, CONLL2000)).documents
    assert document.document.id == "train"
    assert document.document.words == ("He", "pays", "#", "5")
    assert document.edges == edges(
        ("chunk", 0, 1, "NP"), ("chunk", 1, 2, "VP"), ("chunk", 2, 4, "NP")
    )
    assert [word.xpos for word in document.words] == ["PRP", "VBZ", "#", "CD"]


def test_universal_ner(tmp_path: Path) -> None:
    read = read_iob(file(tmp_path, tabs(UNER)))
    one, two = read.documents
    assert (one.document.id, two.document.id) == ("one", "two")
    assert one.edges == edges(("ner", 3, 5, "LOC"), ("ner", 6, 7, "LOC"))
    first, second = one.document.sentences
    assert first.text == "I'm in  New York."
    assert first.offsets == ((0, 1), (1, 3), (4, 6), (8, 11), (12, 16), (16, 17))
    assert second.text == "Paris" and read.counts["text_differs"] == 1
    assert {word.xpos for word in one.words} == {""}


@pytest.mark.parametrize(
    ("text", "words", "same"),
    [
        ("a b", "a b", True), ("ab", "a b", True), (" a\u00a0b ", "a b", True),
        ("ab c", "a b", False), ("b a", "a b", False), ("a", "a b", False), ("a x b", "a b", False),
    ],
)  # fmt: skip
def test_the_text_is_used_where_it_holds_the_words_alone(
    tmp_path: Path, text: str, words: str, same: bool
) -> None:
    rows = "".join(f"{i}\t{word}\tO\n" for i, word in enumerate(words.split(), 1))
    read = read_iob(file(tmp_path, f"# text = {text}\n{rows}"))
    (sentence,) = read.documents[0].document.sentences
    assert read.counts["text_differs"] == (not same)
    assert sentence.words == tuple(words.split())
    assert [sentence.text[start:end] for start, end in sentence.offsets] == words.split()
    assert (sentence.text.split() == text.split()) is same or text == "ab"


def test_documents(tmp_path: Path) -> None:
    text = "a O\n\n-DOCSTART- O\n\n-DOCSTART- O\n\nb O\n"
    read = read_iob(file(tmp_path, text))
    assert [each.document.id for each in read.documents] == ["train", "train#2"]
    assert read.counts["documents_without_words"] == 1
    read = read_iob(file(tmp_path, "# any note\n\n# newdoc\na O\n\n# newdoc = x\n"))
    assert [each.document.id for each in read.documents] == ["train#1"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "train.txt: no word in this file"),
        ("# newdoc\n\n-DOCSTART- O\n", "train.txt: no word in this file"),
        ("O\nO\n", "train.txt:1: words without tags"),
        ("a O\nb\n", "train.txt:2: 1 columns where 2 are due"),
        ("a O\nb x O\n", "train.txt:2: 3 columns where 2 are due"),
        ("a B-X\nb I-Y\nc L\n", "train.txt:3: 'L' in column 2 is no tag"),
        ("a B-X N\nb I-Y N\nc L N\n", "train.txt:3: 'L' in column 2 is no tag"),
        ("a x\nb y\n", "train.txt:1: 'x' in column 2 is no tag"),
        ("a B-\n", "train.txt:1: 'B-' in column 2 is no tag"),
        ("a b-per\n", "train.txt:1: 'b-per' in column 2 is no tag"),
        ("a B-PER B-LOC\n", "train.txt: the columns 2, 3 may all hold the tags"),
        ("a N O O\n", "train.txt: the columns 3, 4 may all hold the tags"),
        ("1\ta\tO\n2\tb\tO\n3\t\tO\n", "train.txt:3: a word without a form"),
        ("1\ta\tO\n2\tb\tO\n4\tc\tO\n", "train.txt:3: the index '4' where 3 is due"),
        ("1\ta\tO\n2\tb\tO\n2-3\tc\tO\n", "train.txt:3: the index '2-3' where 3 is due"),
        ("1\ta\tO\n# sent_id = b\n2\tb\tO\n", "train.txt:2: a comment among the words"),
        ("1\ta\tO\n# newdoc id = b\n1\tb\tO\n", "train.txt:2: a comment among the words"),
        ("# text = a\n\n1\ta\tO\n", "train.txt:2: a text without words below it"),
        ("1\ta\tO\n\n# text = a", "train.txt:4: a text without words below it"),
        ("# newdoc id = a\n1\ta\tO\n\n# newdoc id = a\n1\ta\tO\n",
         "train.txt:4: a second document 'a'"),
    ],
)  # fmt: skip
def test_faults_name_their_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(DataError) as caught:
        read_iob(file(tmp_path, text))
    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(told)
    assert caught.value.cure


def test_a_column_that_is_named(tmp_path: Path) -> None:
    path = file(tmp_path, "a B-PER B-LOC\n")
    assert read_iob(path, column=2).documents[0].edges == edges(("ner", 0, 1, "PER"))
    assert read_iob(path, column=3).documents[0].edges == edges(("ner", 0, 1, "LOC"))
    for column in (-1, 0, 1, 4):
        with pytest.raises(UsageError, match=f"no column {column} of tags among 3"):
            read_iob(path, column=column)
    with pytest.raises(DataError, match=r"train\.txt:1: 'NN' in column 2 is no tag"):
        read_iob(file(tmp_path, "a NN B-NP\n"), column=2)


def conlleval(tags: list[str]) -> list[tuple[int, int, str]]:
    """The rules of conlleval, as tables of neighbours: where one ends and where one starts."""
    ends = {"BB", "BO", "BS", "IB", "IO", "IS", "EB", "EI", "EO", "EE", "ES",
            "SB", "SI", "SO", "SE", "SS"}  # fmt: skip
    starts = {"BB", "IB", "OB", "EB", "SB", "OI", "EI", "SI", "OE", "EE", "SE",
              "BS", "IS", "OS", "ES", "SS"}  # fmt: skip
    found, begin = [], 0
    places = ["O", *[tag[0].translate({ord("L"): "E", ord("U"): "S"}) for tag in tags], "O"]
    types = ["", *[tag[2:] for tag in tags], ""]
    for i in range(1, len(places)):
        pair, other = places[i - 1] + places[i], types[i - 1] != types[i]
        if pair in ends or (places[i - 1] != "O" and other):
            found.append((begin - 1, i - 1, types[i - 1]))
        if pair in starts or (places[i] != "O" and other):
            begin = i
    return found


TAGS = st.one_of(
    st.just("O"), st.tuples(st.sampled_from("BIESLU"), st.sampled_from("XY")).map("-".join)
)


@settings(max_examples=500, deadline=None)
@given(st.lists(TAGS, max_size=12), st.integers(0, 5))
def test_the_spans_are_those_of_conlleval(tags: list[str], start: int) -> None:
    spans, openings = read_spans(tags, start)
    assert [(*span, kind) for span, kind in spans] == [
        (begin + start, end + start, kind) for begin, end, kind in conlleval(tags)
    ]
    assert openings == sum(tags[span.start - start][0] in "IEL" for span, _ in spans)


def write_tags(spans: list[tuple[int, int, str]], size: int, scheme: str) -> list[str]:
    tags = ["O"] * size
    for start, end, kind in spans:
        for i in range(start, end):
            if scheme == "iob1":
                touches = start > 0 and tags[start - 1] in (f"I-{kind}", f"B-{kind}")
                place = "B" if i == start and touches else "I"
            elif scheme == "iob2":
                place = "B" if i == start else "I"
            else:
                first, inner, last, alone = scheme
                place = first if i == start else last if i == end - 1 else inner
                place = alone if end - start == 1 else place
            tags[i] = f"{place}-{kind}"
    return tags


SENTENCES = st.lists(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 3), st.sampled_from(["PER", "A-B", "NP"])),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=4,
)


@QUICK
@given(
    SENTENCES,
    st.sampled_from(["iob1", "iob2", "BIES", "BILU"]),
    st.sampled_from(["two", "four", "uner"]),
)
def test_a_sound_file_is_read_as_it_was_written(
    tmp_path: Path, sentences: list[list[tuple[int, int, str]]], scheme: str, form: str
) -> None:
    expected, lines, base = [], [], 0
    for gaps in sentences:
        spans, at = [], 0
        for gap, length, kind in gaps:
            spans.append((at + gap, at + gap + length, kind))
            at += gap + length
        expected += [(base + start, base + end, kind) for start, end, kind in spans]
        for i, tag in enumerate(write_tags(spans, at + 1, scheme), 1):
            row = {
                "two": f"w{i} {tag}",
                "four": f"w{i} NN B-NP {tag}",
                "uner": f"{i}\tw {i}\t{tag}\t-\tann",
            }
            lines.append(row[form])
        lines.append("")
        base += at + 1
    only_phrases = {kind for _, _, kind in expected} == {"NP"}
    path = file(tmp_path, "\n".join(lines))
    read = read_iob(path, column=4 if form == "four" and only_phrases else None)
    (document,) = read.documents
    task = "chunk" if only_phrases else "ner"
    assert document.edges == edges(*((task, *each) for each in expected))
    assert read.counts["words"] == base and read.counts["sentences"] == len(sentences)
    assert (read.counts["iob1_openings"] > 0) <= (scheme == "iob1")
    assert document.words[0].form == ("w 1" if form == "uner" else "w1")
    assert document.words[0].xpos == ("NN" if form == "four" else "")


def reads_or_refuses(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        read_iob(path)
    except DataError as error:
        name, _, line = error.where.rpartition(":")
        assert error.where == str(path) or name == str(path)
        assert error.where == str(path) or 1 <= int(line) <= data.count(b"\n") + 2


CELL = st.sampled_from(["a", "O", "B-X", "I-X", "1", "2", "#", "", " ", "-DOCSTART-", "# text = a"])
LINE = st.one_of(
    st.lists(CELL, max_size=4).map("\t".join),
    st.lists(CELL, max_size=4).map(" ".join),
    st.sampled_from(["", "# newdoc", "# newdoc id = a", "# sent_id = a", "# text = a b", "#"]),
    st.text(max_size=8),
)


@QUICK
@given(st.binary(max_size=200), st.lists(LINE, max_size=8))
def test_anything_is_read_or_refused(tmp_path: Path, data: bytes, lines: list[str]) -> None:
    reads_or_refuses(tmp_path / "x", data)
    reads_or_refuses(tmp_path / "x", "\n".join(lines).encode("utf-8", "replace"))


def test_tags_and_tasks() -> None:
    assert are_tags(["O", "B-X", "U-a-b", "L-1"])
    assert not any(are_tags([tag]) for tag in ("", "B", "B-", "X-PER", "o", "B-a b", "BO", "O-"))
    assert told_task(["O", "B-NP", "I-VP"]) == "chunk"
    assert told_task(["O", "B-NP", "I-PER"]) == told_task(["O"]) == "ner"


@pytest.mark.parametrize(("split", "entities"), [("dev", 966), ("test", 1088)])
def test_the_entities_of_universal_ner(
    shared_data: Path, read_shared: Callable[[str], ConlluFile], split: str, entities: int
) -> None:
    path = shared_data / "uner_ewt" / f"en_ewt-ud-{split}.iob2.gz"
    read = read_iob(path)
    assert read.counts["spans"] == entities
    assert read.counts["iob1_openings"] == read.counts["text_differs"] == 0
    # The same spans by one search over all tags, in IOB2.
    rows = [line.split("\t") for line in gzip.decompress(path.read_bytes()).decode().split("\n")]
    tags = "".join(row[2][0] if len(row) == 5 else "\n" for row in rows)
    lengths = [len(each) for each in re.findall("BI*", tags)]
    found = [edge for each in read.documents for edge in each.edges]
    assert [edge.span1.end - edge.span1.start for edge in found] == lengths
    assert [edge.labels[0] for edge in found] == [
        row[2][2:] for row in rows if len(row) == 5 and row[2][0] == "B"
    ]
    # And the documents are those of the treebank, in another order and of another release.
    treebank = read_shared(f"ewt/en_ewt-ud-{split}.conllu.gz")
    ours = {each.document.id: each.document.words for each in read.documents}
    theirs = {each.document.id: each.document.words for each in treebank.documents}
    assert ours.keys() == theirs.keys()
    assert 0 < sum(ours[name] != theirs[name] for name in ours) <= 4
    assert read.counts["sentences"] == treebank.counts["sentences"]
