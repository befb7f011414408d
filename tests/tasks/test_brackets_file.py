"""Files of trees alone: words, tags and phrases, traces, documents, hostile text, real data."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.core.types import Document, Sentence, Span
from layerwise.tasks.base import NO_HEAD, AnnotatedDocument, Constituent, Word, bare
from layerwise.tasks.brackets import read_trees
from layerwise.tasks.brackets_file import COUNTS, read_brackets
from layerwise.tasks.conllu import ConlluFile

QUICK = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

WSJ = """
( (S (NP-SBJ-1 (PRP$ Her) (NN-TMP day))
     (VP (VBD was) (VP (VBN spent) (NP (-NONE- *-1)) (PP (-LRB- -LRB-) (IN in) (NP (-NONE- 0)))))
     (. .)) )

(TOP (NP (-NONE- *T*))) (TOP (FRAG (CD 1\\/2) (NP (NN s\\*))))
(UH Oh)
"""


def file(folder: Path, text: str, name: str = "wsj_0001.mrg") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_leaves_are_words(tmp_path: Path) -> None:
    path = tmp_path / "wsj_0001.mrg.gz"
    path.write_bytes(gzip.compress(WSJ.encode()))
    read = read_brackets(path)
    (document,) = read.documents
    assert document.document.id == "wsj_0001"
    assert [sentence.text for sentence in document.document.sentences] == [
        "Her day was spent ( in .",
        "1/2 s*",
        "Oh",
    ]
    assert [word.xpos for word in document.words] == [
        "PRP$", "NN", "VBD", "VBN", "-LRB-", "IN", ".", "CD", "NN", "UH",
    ]  # fmt: skip
    assert {word.head for word in document.words} == {NO_HEAD}
    assert [(*span, label) for span, label in document.constituents or ()] == [
        (0, 7, "ROOT"), (0, 7, "S"), (0, 2, "NP-SBJ-1"), (2, 6, "VP"), (3, 6, "VP"), (4, 6, "PP"),
        (7, 9, "ROOT"), (7, 9, "FRAG"), (8, 9, "NP"),
    ]  # fmt: skip
    assert document.mentions is None
    assert read.counts == {
        "documents": 1, "documents_without_words": 0, "sentences": 3, "words": 10,
        "constituents": 9, "traces": 3, "empty_phrases": 4, "trees_without_words": 1,
    }  # fmt: skip


def test_documents(tmp_path: Path) -> None:
    text = "(A b)\n# newdoc id = one\n# note\n(A b)(A c)\n# newdoc\n(A d)\n# newdoc id = none\n"
    read = read_brackets(file(tmp_path, text))
    assert [(each.document.id, each.document.words) for each in read.documents] == [
        ("wsj_0001", ("b",)),
        ("one", ("b", "c")),
        ("wsj_0001#2", ("d",)),
    ]
    assert read.counts["documents_without_words"] == 1 and read.counts["sentences"] == 4
    assert all(each.constituents is None for each in read.documents)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ": no tree with words"),
        ("# newdoc id = a\n", ": no tree with words"),
        ("(S (-NONE- *))", ": no tree with words"),
        ("\n(A a)\nb (A a)", ":3: 'b' stands where"),
        ("(A a)\nb", ":2: 'b' stands where"),
        ("(A a)\n)", ":2: a bracket closes that holds nothing"),
        ("(A a)\n\n(S\n (A a)\n", ":3: this tree is not closed"),
        ("(S\n# newdoc id = a\n(A a))", ":1: this tree is not closed before the next document"),
        ("(S (A a) b)", ":1: 'b' stands where"),
        ("(A a)\n(S ())", ":2: a bracket closes that holds nothing"),
        ("# newdoc id = a\n(A a)\n# newdoc id = a\n(A a)", ":3: a second document 'a'"),
    ],
)
def test_faults_name_their_line(tmp_path: Path, text: str, told: str) -> None:
    path = file(tmp_path, text)
    with pytest.raises(DataError) as caught:
        read_brackets(path)
    assert str(caught.value).startswith(f"{path}{told}")
    assert caught.value.cure


LEAVES = [("a", "a"), ("(", "-LRB-"), ("/", "\\/"), ("不", "不")]
TAGS = [("NN", "NN"), ("NN-TMP", "NN"), ("-RRB-", "-RRB-")]


def phrase(
    rng: random.Random, label: str, depth: int, words: list[Word], found: list[Constituent]
) -> str:
    """Write a random phrase; its words and phrases go behind those that were found before."""
    place, start, parts = len(found), len(words), []
    found.append(Constituent(Span(0, 0), label))
    for _ in range(rng.randint(1, 3)):
        draw = rng.random()
        if draw < 0.4 and depth < 5:
            label_below = rng.choice(["NP", "S-TPC-1", "VP=2"])
            parts.append(phrase(rng, label_below, depth + 1, words, found))
        elif draw < 0.5:
            parts.append("(-NONE- *T*-1)")
        else:
            (form, leaf), (tag, plain_tag) = rng.choice(LEAVES), rng.choice(TAGS)
            parts.append(f"({tag} {leaf})")
            words.append(bare(form)._replace(xpos=plain_tag))
    if start < len(words):
        found[place] = Constituent(Span(start, len(words)), label)
    else:
        del found[place:]
    return f"({'' if label == 'ROOT' else label} {' '.join(parts)})"


def generate(seed: int) -> tuple[list[AnnotatedDocument], str]:
    """Random documents, and the file that a plain writer makes of them."""
    rng = random.Random(seed)
    documents, lines = [], []
    for d in range(rng.randint(1, 3)):
        lines.append(f"# newdoc id = d{d}")
        sentences: list[Sentence] = []
        words: list[Word] = []
        found: list[Constituent] = []
        for _ in range(rng.randint(1, 3)):
            start = len(words)
            text = phrase(rng, "ROOT", 0, words, found)
            lines.append(text.replace(" ", rng.choice([" ", "\n  "])))
            if start < len(words):
                sentences.append(Sentence.from_words(word.form for word in words[start:]))
        if words:
            document = Document(f"d{d}", tuple(sentences))
            documents.append(AnnotatedDocument(document, tuple(words), None, tuple(found)))
    return documents, rng.choice(["\n", "\n\n"]).join(lines)


@QUICK
@given(st.integers(0, 2**32))
def test_a_sound_file_is_read_as_it_was_written(tmp_path: Path, seed: int) -> None:
    documents, text = generate(seed)
    path = file(tmp_path, text)
    if not documents:
        with pytest.raises(DataError, match="no tree with words"):
            read_brackets(path)
        return
    read = read_brackets(path)
    assert list(read.documents) == documents
    assert set(read.counts) == set(COUNTS) and read.counts["traces"] == text.count("-NONE-")
    # All phrases are kept or counted.
    phrases = len(re.findall(r"\([^\s()]*\s+(?=\()", text))
    assert read.counts["constituents"] + read.counts["empty_phrases"] == phrases


def reads_or_refuses(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        read_brackets(path)
    except DataError as error:
        name, _, line = error.where.rpartition(":")
        assert error.where == str(path) or name == str(path)
        assert error.where == str(path) or 1 <= int(line) <= data.count(b"\n") + 1


@QUICK
@given(
    st.binary(max_size=100),
    st.text("()ab-# \n", max_size=40),
    st.integers(0, 2**32),
    st.integers(0, 10**6),
)
def test_anything_is_read_or_refused(
    tmp_path: Path, data: bytes, signs: str, seed: int, place: int
) -> None:
    path = tmp_path / "x"
    reads_or_refuses(path, data)
    reads_or_refuses(path, signs.encode())
    _, text = generate(seed)
    at = place % len(text)
    reads_or_refuses(path, (text[:at] + text[at + 1 :]).encode())


@QUICK
@given(st.text("()ab \n", max_size=30))
def test_the_trees_are_those_of_the_file_beside(tmp_path: Path, signs: str) -> None:
    """A file is sound here where it is sound beside a CoNLL-U file, and gives the same words."""
    path = file(tmp_path, signs)
    try:
        trees = read_trees(path)
    except DataError:
        trees = []
    if trees:
        assert read_brackets(path).documents[0].document.words == tuple(
            word for tree in trees for word in tree.words
        )
    else:
        with pytest.raises(DataError):
            read_brackets(path)


def test_gum(shared_data: Path, read_shared: Callable[[str], ConlluFile]) -> None:
    path = shared_data / "gum" / "en_gum-ud-dev.ptb.gz"
    read = read_brackets(path)
    treebank = read_shared("gum/en_gum-ud-dev.conllu.gz")
    assert read.counts["sentences"] == 1575 and read.counts["words"] == 28119
    text = gzip.decompress(path.read_bytes()).decode()
    assert read.counts["constituents"] == len(re.findall(r"\([^\s()]*\s*(?=\()", text))
    other_tag = 0
    for ours, theirs in zip(read.documents, treebank.documents, strict=True):
        assert ours.document.id == theirs.document.id
        assert ours.document.words == theirs.document.words
        pairs = zip(ours.words, theirs.words, strict=True)
        other_tag += sum(a.xpos != b.xpos for a, b in pairs)
        # Where the treebank's reader has all trees of a document, they are these.
        if theirs.constituents and len(theirs.constituents) == len(ours.constituents or ()):
            assert ours.constituents == theirs.constituents
    assert other_tag == 7, "GUM's own disagreements"
