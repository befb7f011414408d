"""Trees of sentences: which are taken, which words are scored, and how far apart words are."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from layerwise.core.errors import DataError, UsageError
from layerwise.core.types import Document, Sentence
from layerwise.tasks.base import NO_HEAD, AnnotatedDocument, Corpus, Word
from layerwise.tasks.conllu import ConlluFile
from layerwise.tasks.dependency_trees import (
    PTB_PUNCTUATION,
    TreeDepth,
    TreeDistance,
    TreeTask,
    prepare_trees,
    tree_depths,
    tree_distances,
)

Read = Callable[[str], ConlluFile]
Row = tuple[str, str, int]
"""UPOS, XPOS and head, which counts from 1 as in CoNLL-U; 0 is the root."""


def document(*sentences: Sequence[Row], name: str = "d") -> AnnotatedDocument:
    words, start = [], 0
    for rows in sentences:
        for upos, xpos, head in rows:
            words.append(
                Word("w", "w", upos, xpos, {}, NO_HEAD if head == 0 else start + head - 1, "")
            )
        start += len(rows)
    text = tuple(Sentence.from_words(["w"] * len(rows)) for rows in sentences)
    return AnnotatedDocument(Document(name, text), tuple(words))


def corpus(*documents: AnnotatedDocument) -> Corpus:
    return Corpus("x", dict(zip(("train", "dev", "test"), [(d,) for d in documents], strict=True)))


FIRST = [("DET", "DT", 2), ("NOUN", "NN", 3), ("VERB", "VBZ", 0), ("PUNCT", ".", 3)]
SECOND = [("NOUN", "NN", 0), ("SYM", ":", 1)]


@st.composite
def trees(draw: st.DrawFn) -> list[int]:
    """Heads of any tree of 1 to 12 words: each but the first of a random order hangs on one before
    it in that order."""
    order = draw(st.permutations(range(draw(st.integers(1, 12)))))
    heads = [NO_HEAD] * len(order)
    for place, word in enumerate(order[1:], 1):
        heads[word] = order[draw(st.integers(0, place - 1))]
    return heads


def by_scipy(heads: list[int]) -> NDArray[np.float64]:
    below = [word for word, head in enumerate(heads) if head != NO_HEAD]
    arcs = (np.ones(len(below)), (below, [heads[word] for word in below]))
    return shortest_path(csr_array(arcs, shape=(len(heads),) * 2), directed=False)


@settings(max_examples=200, deadline=None)
@given(trees())
def test_distances_and_depths_are_shortest_paths(heads: list[int]) -> None:
    paths = by_scipy(heads)
    assert np.array_equal(tree_distances(heads), paths)
    assert np.array_equal(tree_depths(heads), paths[heads.index(NO_HEAD)])
    assert tree_distances(np.array(heads)).dtype == tree_depths(heads).dtype == np.int64


def test_a_long_chain_is_exact() -> None:
    heads = [NO_HEAD, *range(499)]
    places = np.arange(500)
    assert np.array_equal(tree_depths(heads), places)
    assert np.array_equal(tree_distances(heads), np.abs(places[:, None] - places))


@pytest.mark.parametrize(
    ("argument", "scored"),
    [
        ("", ((True, True, True, False), (True, True))),
        ("ud", ((True, True, True, False), (True, True))),
        ("all", ((True, True, True, True), (True, True))),
    ],
)
def test_heads_count_within_the_sentence_and_punctuation_stays_in_the_tree(
    argument: str, scored: tuple[tuple[bool, ...], ...]
) -> None:
    found = TreeDistance(argument).trees(document(FIRST, SECOND))
    assert [tree.heads for tree in found.trees] == [(1, 2, -1, 2), (-1, 0)]
    assert [tree.start for tree in found.trees] == [0, 4]
    assert tuple(tree.scored for tree in found.trees) == scored
    assert {tree.document for tree in found.trees} == {"d"}
    assert found.counts["words_in_trees"] == 6


def test_the_tags_of_the_penn_treebank() -> None:
    rows: list[Row] = [("X", tag, 1) for tag in (*PTB_PUNCTUATION, "$", "#", "NN", "HYPH")]
    (tree,) = TreeDistance("ptb").trees(document([("X", "NN", 0), *rows])).trees
    assert tree.scored == (True, *[False] * 7, True, True, True, True)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("X", "", 0), ("X", "", 0)], "left_out_no_tree"),
        ([("X", "", 2), ("X", "", 1)], "left_out_no_tree"),
        ([("X", "", 0), ("X", "", 3), ("X", "", 2)], "left_out_no_tree"),
        ([("X", "", 0), ("X", "", -1)], "left_out_no_tree"),  # hangs on the sentence before
        ([("X", "", 0), ("X", "", 9)], "left_out_no_tree"),
        ([("X", "", 0), ("", "", 1), ("X", "", 1)], "left_out_no_tag"),
        ([("X", "", 0), ("PUNCT", "", 1)], "left_out_fewer_than_two_scored_words"),
        ([("X", "", 0)], "left_out_fewer_than_two_scored_words"),
    ],
)
def test_what_is_left_out_is_counted(rows: list[Row], reason: str) -> None:
    found = TreeDepth().trees(document(FIRST, FIRST, rows, SECOND))
    assert len(found.trees) == 3 and found.trees[-1].start == 8 + len(rows)
    assert {k: n for k, n in found.counts.items() if k.startswith("left_out")} == {reason: 1}


def test_words_whose_heads_are_not_scored_are_counted() -> None:
    rows = [("PUNCT", "", 0), ("X", "", 1), ("X", "", 1), ("X", "", 3)]
    counts = TreeDistance().trees(document(rows, FIRST)).counts
    assert counts["scored_words_whose_head_is_not"] == 2
    assert counts["roots_not_scored"] == 1
    assert counts["scored_words"] == 6


def test_names_versions_and_arguments() -> None:
    assert [TreeDistance(a).name for a in ("", "ud", "ptb", "all")] == [
        "tree-distance",
        "tree-distance",
        "tree-distance:ptb",
        "tree-distance:all",
    ]
    assert TreeDepth("all").name == "tree-depth:all"
    for task in (TreeDistance("ptb"), TreeDepth()):
        assert isinstance(task, TreeTask) and task.version == "v1" and task.facts
    for argument in ("UD", "ud,ptb", "5", " "):
        with pytest.raises(UsageError, match="--task tree-depth: not a rule for which words"):
            TreeDepth(argument)


def test_a_corpus_is_offered_what_its_tags_can_serve() -> None:
    upos, xpos, bare, flat = (
        document([(*tags, head) for head in heads])
        for tags, heads in [
            (("X", "NN"), (0, 1)),
            (("", "NN"), (0, 1)),
            (("", ""), (0, 1)),
            (("X", "NN"), (0, 0)),
        ]
    )
    assert TreeDepth.available(corpus(upos, upos, upos)) == ["tree-depth"]
    assert TreeDistance.available(corpus(upos, xpos, upos)) == ["tree-distance:ptb"]
    assert TreeDistance.available(corpus(upos, xpos, bare)) == ["tree-distance:all"]
    assert TreeDistance.available(corpus(upos, upos, flat)) == []


def test_a_corpus_as_trees() -> None:
    data = prepare_trees(TreeDistance(), corpus(*(document(FIRST, SECOND),) * 3))
    assert data.task == "tree-distance.v1" and data.quantity == "distance"
    assert {name: len(split.trees) for name, split in data.splits.items()} == {
        "train": 2,
        "dev": 2,
        "test": 2,
    }
    assert data.facts["counts"]["dev"] == {
        "documents": 1,
        "sentences": 2,
        "words": 6,
        "trees": 2,
        "words_in_trees": 6,
        "scored_words": 5,
        "scored_words_whose_head_is_not": 0,
        "roots_not_scored": 0,
    }
    whole, none = document(FIRST), document([("X", "", 0)])
    with pytest.raises(DataError, match=r"the dev split has no tree to score \(1 left_out_fewer"):
        prepare_trees(TreeDepth(), corpus(whole, none, whole))
    with pytest.raises(DataError, match="--task tree-depth --data x: the test split has no tree"):
        prepare_trees(TreeDepth(), Corpus("x", {"train": (whole,), "dev": (whole,)}))


def test_a_real_treebank(read_shared: Read, shared_data: Path) -> None:
    name = "gum_open/gum_open-test.conllu.gz"
    found = [TreeDistance().trees(each) for each in read_shared(name).documents]
    trees = [tree for each in found for tree in each.trees]
    with gzip.open(shared_data / name, "rt", encoding="utf-8") as stream:
        blocks = stream.read().strip().split("\n\n")
    rows = [
        [r.split("\t") for r in block.split("\n") if r.split("\t")[0].isdigit()] for block in blocks
    ]
    full = [each for each in rows if sum(row[3] != "PUNCT" for row in each) > 1]
    assert len(full) == len(trees) == 367
    left_out = sum(each.counts["left_out_fewer_than_two_scored_words"] for each in found)
    assert left_out == len(rows) - len(full)
    for tree, gold in zip(trees, full, strict=True):
        assert [head + 1 for head in tree.heads] == [int(row[6]) for row in gold]
        assert list(tree.scored) == [row[3] != "PUNCT" for row in gold]
    for tree in trees[::20]:
        assert np.array_equal(tree_distances(tree.heads), by_scipy(list(tree.heads)))
