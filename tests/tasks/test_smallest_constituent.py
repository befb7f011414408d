"""The smallest constituent around a word against a search over all of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from layerwise.core.types import Document, Sentence, Span
from layerwise.tasks.base import NO_HEAD, AnnotatedDocument, Constituent, Word
from layerwise.tasks.brackets import parse_tree
from layerwise.tasks.smallest_constituent import SmallestConstituents


def document(
    heads: list[int], constituents: tuple[Constituent, ...] | None = None
) -> AnnotatedDocument:
    words = tuple(Word("w", "w", "X", "X", {}, head, "dep") for head in heads)
    text = Document("d", (Sentence.from_words(["w"] * len(heads)),))
    return AnnotatedDocument(text, words, None, constituents)


def test_of_a_tree() -> None:
    tree = parse_tree("(S (NP (PRP He)) (VP (VB likes) (NP (PRP$ his) (NN hat))) (. .))")
    found = SmallestConstituents(document([NO_HEAD] * 5, tree.constituents))
    assert found.source == "trees"
    # "He" is a constituent alone; the smallest of more words is the sentence.
    assert [found.around(i) for i in range(5)] == [(0, 5), (1, 4), (2, 4), (2, 4), (0, 5)]


def test_of_heads() -> None:
    # He likes his hat . ; a second sentence of one word
    found = SmallestConstituents(document([1, NO_HEAD, 3, 1, 1, NO_HEAD]))
    assert found.source == "heads"
    assert [found.around(i) for i in range(6)] == [(0, 5), (0, 5), (2, 4), (2, 4), (0, 5), None]


def test_a_sentence_without_its_tree_has_no_constituent_from_heads_instead() -> None:
    assert SmallestConstituents(document([1, NO_HEAD], ())).around(0) is None


@given(st.integers(1, 9).flatmap(lambda n: st.tuples(*(st.integers(-1, i - 1) for i in range(n)))))
def test_the_stretches_of_subtrees_are_those_of_a_search(heads: tuple[int, ...]) -> None:
    below = {i: {i} for i in range(len(heads))}
    for i in range(len(heads)):
        above = i
        while heads[above] != NO_HEAD:
            above = heads[above]
            below[above].add(i)
    stretches = {Span(min(words), max(words) + 1) for words in below.values() if len(words) > 1}
    found = SmallestConstituents(document(list(heads)))
    for i in range(len(heads)):
        around = [span for span in stretches if span.start <= i < span.end]
        got = found.around(i)
        assert (got is None) == (not around)
        if got is not None:
            assert got in around
            assert got.end - got.start == min(span.end - span.start for span in around)
