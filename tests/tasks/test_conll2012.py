"""CoNLL-2012 and three-column files: what is read, hostile lines, generated and real data."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.core.types import Document, Sentence, Span
from layerwise.tasks.base import (
    NO_HEAD,
    AnnotatedDocument,
    Constituent,
    Edge,
    Mention,
    Word,
    bare,
)
from layerwise.tasks.conll2012 import COUNTS, read_conll2012
from layerwise.tasks.conllu import ConlluFile

QUICK = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

ONTONOTES = """\
#begin document (bn/a/00/a_1); part 000
bn/a/00/a_1  0  0   Ann    NNP  (TOP(S(NP*)   -    -  -  a  (PERSON)  (ARG0*)  (ARG0*)   (0)
bn/a/00/a_1  0  1   wrote  VBD      (VP(VP*   write 01 1  a     *      (V*)       *       -
bn/a/00/a_1  0  2   her    PRP$     (NP(NP*   -    -  -  a  (ORG*    (ARG1*       *   (1|(0)
bn/a/00/a_1  0  3   boss      NN       *)  -    -  -  a     *)        *        *       1)
bn/a/00/a_1  0  4   -LRB-  -LRB-  (PRN*       -    -  -  a     *         *        *       -
bn/a/00/a_1  0  5   \\/     SYM        *)))      -    -  -  a     *         *)       *       -
bn/a/00/a_1  0  6   left   VBD      (VP*))     leave 02 1  a     *         *      (V*)      -
bn/a/00/a_1  0  7   /.     .          *))      -    -  -  a     *         *        *       -

#end document
#begin document (bn/a/00/a_1); part 001
bn/a/00/a_1  1  0  Go  VB  (TOP(VP*))  -  -  -  b  *  -

bn/a/00/a_1  1  0  -  :  *  -  -  -  b  *  -

#end document
"""


def read(tmp_path: Path, text: str, name: str = "x.conll") -> list[AnnotatedDocument]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return list(read_conll2012(path).documents)


def fault(tmp_path: Path, text: str) -> str:
    with pytest.raises(DataError) as caught:
        read(tmp_path, text)
    assert caught.value.cure
    return str(caught.value).removeprefix(f"{tmp_path}/")


def test_an_example_of_all_columns(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(ONTONOTES.encode()))
    read = read_conll2012(path)
    one, two = read.documents
    assert one.document.id == "bn/a/00/a_1/000"
    assert one.document.sentences[0].text == "Ann wrote her boss ( / left ."
    assert [word.xpos for word in one.words][:3] == ["NNP", "VBD", "PRP$"]
    assert [word.lemma for word in one.words if word.lemma] == ["write", "leave"]
    assert one.mentions == (
        Mention(Span(0, 1), "0", ""),
        Mention(Span(2, 3), "0", ""),
        Mention(Span(2, 4), "1", ""),
    )
    assert one.constituents == tuple(
        Constituent(Span(*span), label)
        for *span, label in [
            (0, 8, "ROOT"), (0, 8, "S"), (0, 1, "NP"), (1, 7, "VP"), (1, 6, "VP"), (2, 6, "NP"),
            (2, 4, "NP"), (4, 6, "PRN"), (6, 7, "VP"),
        ]
    )  # fmt: skip
    assert one.edges == (
        Edge("ner", Span(0, 1), None, ("PERSON",)),
        Edge("ner", Span(2, 4), None, ("ORG",)),
        Edge("srl", Span(1, 2), Span(0, 1), ("ARG0",)),
        Edge("srl", Span(1, 2), Span(2, 6), ("ARG1",)),
        Edge("srl", Span(6, 7), Span(0, 1), ("ARG0",)),
    )
    # No bracket of a mention: not annotated. The second sentence has no tree.
    assert two.document.id == "bn/a/00/a_1/001" and two.mentions is None
    assert two.document.words == ("Go", "-")
    assert two.constituents == (Constituent(Span(0, 1), "ROOT"), Constituent(Span(0, 1), "VP"))
    assert read.counts == {
        "documents": 2,
        "sentences": 3,
        "words": 10,
        "mentions": 3,
        "documents_without_mentions": 1,
        "trees": 2,
        "trees_not_over_the_sentence": 0,
        "names": 2,
        "predicates": 2,
        "predicates_without_one_verb": 0,
        "arguments": 3,
        "forms_unescaped": 3,
        "forms_missing": 0,
    }


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.conll"
    path.write_text(
        ONTONOTES.replace("(TOP(S(NP*)", "(NP*)").replace("*))      -    -", "*   -    -")
        .replace("(V*)      -", "  *       -").replace("(ARG0*)  (ARG0*)", "(C-V*)  (ARG0*)")
    )  # fmt: skip
    read = read_conll2012(path)
    assert read.counts["trees_not_over_the_sentence"] == 1 and read.counts["trees"] == 1
    assert read.documents[0].constituents is None
    assert read.counts["predicates_without_one_verb"] == 1 and read.counts["predicates"] == 1
    assert read.counts["arguments"] == 1, "neither C-V nor the frame without a verb"


THREE = "# begin document\n0\tA b\t(1\n1\t-LRB-\t1)(2)\n2\t\t_\n# end document\n"


def test_three_columns(tmp_path: Path) -> None:
    path = tmp_path / "dev.ontogum.conll"
    path.write_text(THREE + THREE.replace("document", "document GUM_a", 1))
    read = read_conll2012(path)
    assert [each.document.id for each in read.documents] == ["dev.ontogum#1", "GUM_a"]
    for each in read.documents:
        assert each.words == (bare("A b"), bare("-LRB-"), bare("_"))
        assert each.mentions == (Mention(Span(0, 2), "1", ""), Mention(Span(1, 2), "2", ""))
    assert read.counts["forms_missing"] == 2 and read.counts["forms_unescaped"] == 0


def line(*cells: str) -> str:
    return "\t".join(("d", "0", *cells)) + "\n"


EMPTY = ("-",) * 7


def one_document(*lines: str) -> str:
    return "#begin document (d); part 000\n" + "".join(lines) + "#end document\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "x.conll: no document in this file"),
        ("a b\n", "x.conll:1: a line outside of any document"),
        ("#end document\n", "x.conll:1: a document ends that did not begin"),
        (one_document(), "x.conll:1: a document without words"),
        (ONTONOTES + ONTONOTES, "x.conll:18: a second document"),
        ("#begin document (d); part 000\n", "x.conll:1: the document 'd/000' does not end"),
        (
            "#begin document (d); part 000\n#begin document (d); part 001\n",
            "x.conll:1: the document 'd/000' does not end",
        ),
        (one_document(line("0", "a")), "x.conll:2: 4 columns where 12 or more are due"),
        (
            one_document(line("0", "a", *EMPTY, "-"), line("1", "a", *EMPTY, "-", "-")),
            "x.conll:3: 13 columns where 12 are due",
        ),
        (
            one_document(line("0", "a", *EMPTY, "-").replace("d", "e")),
            "x.conll:2: a line of 'e', part '0', in the document d/000",
        ),
        (
            one_document(line("0", "a", *EMPTY, "-").replace("d\t0", "d\t1")),
            "x.conll:2: a line of 'd', part '1', in the document d/000",
        ),
        (
            one_document(line("0", "a", *EMPTY, "-"), line("2", "a", *EMPTY, "-")),
            "x.conll:3: the index '2' where 1 is due",
        ),
        (one_document(line("0", " ", *EMPTY, "-")), "x.conll:2: a word without a form"),
        (one_document(line("0", "a", *EMPTY, "(1")), "x.conll:2: the bracket (1 is not closed"),
        (
            one_document(
                line("0", "a", *EMPTY, "(1"), line("1", "a", *EMPTY, "-"), "\n",
                line("0", "a", *EMPTY, "1)"),
            ),
            "x.conll:2: the bracket (1 is not closed",
        ),
        (one_document(line("0", "a", *EMPTY, "1)")), "x.conll:2: the bracket 1) was not opened"),
        (one_document(line("0", "a", *EMPTY, "x")), "x.conll:2: the coreference 'x' cannot"),
        (one_document(line("0", "a", *EMPTY, "(1)|")), "x.conll:2: the coreference '(1)|' cannot"),
        (one_document(line("0", "a", *EMPTY, "()")), "x.conll:2: the coreference '()' cannot"),
        (
            one_document(line("0", "a", "-", "NP*", *EMPTY[2:], "-")),
            "x.conll:2: the brackets 'NP*' of column 6 cannot be read",
        ),
        (
            one_document(line("0", "a", "-", "(NP*", *EMPTY[2:], "-")),
            "x.conll:2: the bracket (NP of column 6 is not closed",
        ),
        (
            one_document(line("0", "a", *EMPTY[1:], "*)", "-")),
            "x.conll:2: a bracket closes in column 11 that was not opened",
        ),
        ("# begin document a\n0\tb\n", "x.conll:2: 2 columns instead of 3"),
        ("# begin document a\n1\tb\t_\n", "x.conll:2: the index '1' where 0 is due"),
        (
            "# begin document a\n0\tb\t_\n\n0\tb\t_\n# end document\n",
            "x.conll:4: the index '0' where 1 is due",
        ),
        ("# begin document a\n0\t \t_\n", "x.conll:2: a form of blanks alone"),
    ],
)  # fmt: skip
def test_faults_name_their_line(tmp_path: Path, text: str, told: str) -> None:
    assert fault(tmp_path, text).startswith(told)


def test_a_file_that_is_missing_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_conll2012(tmp_path / "none")
    (tmp_path / "x").write_bytes(b"#begin document (d); part 000\n\xff\n")
    with pytest.raises(DataError, match="x:2: not UTF-8"):
        read_conll2012(tmp_path / "x")


def tree(rng: random.Random, start: int, end: int, label: str) -> list[tuple[int, int, str]]:
    """A random tree in preorder."""
    found, at = [(start, end, label)], start
    while at < end and len(found) < 12:
        stop = rng.randint(at + 1, end)
        if rng.random() < 0.6 and (at, stop) != (start, end):
            found += tree(rng, at, stop, rng.choice(["NP", "VP", "S-1"]))
        at = stop
    return found


def flat(rng: random.Random, size: int, labels: list[str]) -> list[tuple[int, int, str]]:
    """Random spans that do not overlap."""
    cuts = sorted(rng.sample(range(size + 1), rng.randint(0, size + 1) // 2 * 2))
    return [(a, b, rng.choice(labels)) for a, b in zip(cuts[::2], cuts[1::2], strict=True)]


def chains(rng: random.Random, size: int) -> set[tuple[int, int, str]]:
    """Mentions that may cross, but not within an entity: the notation could not tell."""
    found: set[tuple[int, int, str]] = set()
    for _ in range(rng.randint(0, 5)):
        start = rng.randrange(size)
        end, entity = rng.randint(start + 1, size), rng.choice("1234")
        if not any(
            e == entity and (s < start < t < end or start < s < end < t) for s, t, e in found
        ):
            found.add((start, end, entity))
    return found


def column(spans: list[tuple[int, int, str]], size: int, rng: random.Random) -> list[str]:
    opened = ["".join(f"({x}" for a, _, x in spans if a == i) for i in range(size)]
    closed = [")" * sum(b == i + 1 for _, b, _ in spans) for i in range(size)]
    # The star may be left out: (PERSON).
    stars = [
        "" if o and c and rng.random() < 0.3 else "*" for o, c in zip(opened, closed, strict=True)
    ]
    return [o + star + c for o, star, c in zip(opened, stars, closed, strict=True)]


def brackets(found: set[tuple[int, int, str]], i: int, joined: str) -> str:
    whole = [f"({e})" for a, b, e in sorted(found) if a == i == b - 1]
    opened = [f"({e}" for a, b, e in sorted(found) if a == i < b - 1]
    closed = [f"{e})" for a, b, e in sorted(found) if a < i == b - 1]
    # Without a sign between, closing brackets come first: (1 and 2) would be (12).
    return joined.join(closed + opened + whole)


def generate(seed: int, full: bool) -> tuple[list[AnnotatedDocument], str]:
    """Random documents, and the file that a plain writer makes of them."""
    rng = random.Random(seed)
    forms = ["a", "Haus", "不", "#", "x|y", "%", "🙂"]
    documents, lines = [], []
    tabs = rng.random() < 0.5
    for d in range(rng.randint(1, 3)):
        lines.append(f"#begin document (a/b_{d}); part 00{d}" if full else f"# begin document d{d}")
        sentences, words, base = [], [], 0
        mentions: list[Mention] = []
        constituents: list[Constituent] = []
        edges: list[Edge] = []
        for _ in range(rng.randint(1, 3)):
            size = rng.randint(1, 7)
            here = [
                Word(
                    rng.choice(forms),
                    *(("go", "", "NN") if full else ("", "", "")),
                    {},
                    NO_HEAD,
                    "",
                )
                for _ in range(size)
            ]
            found = chains(rng, size)
            coreference = [brackets(found, i, "|" if full else "") for i in range(size)]
            phrases = tree(rng, 0, size, "TOP") if rng.random() < 0.8 else []
            names = flat(rng, size, ["PER", "ORG"])
            frames = []
            for _ in range(rng.randint(0, 2)):
                verb = rng.randrange(size)
                others = [x for x in flat(rng, size, ["A0", "C-A1"]) if not x[0] <= verb < x[1]]
                frames.append((verb, others))
            columns = [
                column(x, size, rng)
                for x in (phrases, names, *([*o, (v, v + 1, "V")] for v, o in frames))
            ]
            for i in range(size):
                rest = coreference[i] or ("-" if full else "_")
                if full:
                    parse, name, *arguments = (each[i] for each in columns)
                    cells = [f"a/b_{d}", str(d), str(i), here[i].form, "NN", parse, "go", "-", "-"]
                    cells += ["anon", name, *arguments, rest]
                    lines.append("\t".join(cells) if tabs else "   ".join(cells))
                else:
                    lines.append(f"{base + i}\t{here[i].form}\t{rest}")
            lines.append("")
            mentions += sorted(Mention(Span(base + a, base + b), e, "") for a, b, e in found)
            if full:
                constituents += [
                    Constituent(Span(base + a, base + b), "ROOT" if x == "TOP" else x)
                    for a, b, x in phrases
                ]
                edges += [Edge("ner", Span(base + a, base + b), None, (x,)) for a, b, x in names]
                edges += [
                    Edge("srl", Span(base + v, base + v + 1), Span(base + a, base + b), (x,))
                    for v, others in frames
                    for a, b, x in others
                ]
            words += here
            sentences.append(Sentence.from_words(word.form for word in here))
            base += size
        lines.append("#end document" if full else "# end document")
        documents.append(
            AnnotatedDocument(
                Document(f"a/b_{d}/00{d}" if full else f"d{d}", tuple(sentences)),
                tuple(words),
                tuple(mentions) or None,
                tuple(constituents) or None,
                tuple(edges),
            )
        )
    return documents, "\n".join(lines) + "\n"


@QUICK
@given(st.integers(0, 2**32), st.booleans())
def test_a_sound_file_is_read_as_it_was_written(tmp_path: Path, seed: int, full: bool) -> None:
    documents, text = generate(seed, full)
    path = tmp_path / "x"
    path.write_text(text, encoding="utf-8")
    read = read_conll2012(path)
    assert list(read.documents) == documents
    assert read.counts["mentions"] == sum(len(each.mentions or ()) for each in documents)
    assert read.counts["words"] == sum(len(each.words) for each in documents)
    assert set(read.counts) == set(COUNTS)


def reads_or_refuses(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        read_conll2012(path)
    except DataError as error:
        name, _, number = error.where.rpartition(":")
        assert error.where == str(path) or name == str(path)
        assert error.where == str(path) or 1 <= int(number) <= data.count(b"\n") + 1


@QUICK
@given(st.binary(max_size=200))
def test_arbitrary_bytes(tmp_path: Path, data: bytes) -> None:
    reads_or_refuses(tmp_path / "x", data)
    reads_or_refuses(tmp_path / "x", b"#begin document (d); part 0\n" + data + b"\n#end document\n")


CELLS = st.sampled_from(["", "-", "*", "(A*", "*)", "(1", "1)", "(", ")", "|", "0", "d", "\u00a0"])


@QUICK
@given(st.integers(0, 2**32), st.booleans(), st.integers(0, 10**6), CELLS | st.text(max_size=3))
def test_a_damaged_cell(tmp_path: Path, seed: int, full: bool, place: int, cell: str) -> None:
    _, text = generate(seed, full)
    lines = text.split("\n")
    at = place % len(lines)
    cells = lines[at].split("\t")
    cells[place // 7 % len(cells)] = cell
    lines[at] = "\t".join(cells)
    reads_or_refuses(tmp_path / "x", "\n".join(lines).encode("utf-8", "replace"))


@QUICK
@given(st.integers(0, 2**32), st.booleans(), st.integers(0, 10**6))
def test_no_word_goes_missing_unseen(tmp_path: Path, seed: int, full: bool, place: int) -> None:
    documents, text = generate(seed, full)
    lines = text.split("\n")
    rows = [i for i, each in enumerate(lines) if each and not each.startswith("#")]
    removed = rows[place % len(rows)]
    del lines[removed]
    path = tmp_path / "x"
    path.write_text("\n".join(lines), encoding="utf-8")
    last = removed + 1 == len(lines) or not lines[removed]
    try:
        read = read_conll2012(path)
    except DataError as error:
        assert error.where.startswith(f"{path}:")
    else:
        # Only a last word can go without a gap in the count.
        assert last
        assert read.counts["words"] == sum(len(each.words) for each in documents) - 1


def test_ontogum(shared_data: Path, read_shared: Callable[[str], ConlluFile]) -> None:
    path = shared_data / "gum" / "en_gum-ud-dev.ontogum.conll.gz"
    read = read_conll2012(path)
    gum = read_shared("gum/en_gum-ud-dev.conllu.gz")
    differ = 0
    for ours, theirs in zip(read.documents, gum.documents, strict=True):
        assert len(ours.words) == len(theirs.words)
        differ += sum(
            a != b for a, b in zip(ours.document.words, theirs.document.words, strict=True)
        )
    assert differ == read.counts["forms_missing"] == 1
    # By hand: the brackets of one entity open and close like those of a sum.
    expected, position, at = [], 0, -1
    opened: list[tuple[str, int]] = []
    for each in gzip.decompress(path.read_bytes()).decode().split("\n"):
        if each.startswith("# begin"):
            position, at = 0, at + 1
        elif each.count("\t") == 2:
            for piece in each.split("\t")[2].replace(")", ") ").replace("(", " (").split():
                entity = piece.strip("()")
                if piece[0] == "(":
                    opened.append((entity, position))
                if piece[-1] == ")":
                    last = max(i for i, (e, _) in enumerate(opened) if e == entity)
                    expected.append((at, opened.pop(last)[1], position + 1, entity))
            position += 1
    assert not opened
    got = [
        (i, *mention.span, mention.entity)
        for i, each in enumerate(read.documents)
        for mention in each.mentions or ()
    ]
    assert got == sorted(expected) and len(got) == read.counts["mentions"] == 3818
