"""Phrases of trees, against a reader of brackets of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from layerwise.core.types import Document, Sentence, Span
from layerwise.tasks.base import AnnotatedDocument, Constituent, bare
from layerwise.tasks.conllu import read_conllu
from layerwise.tasks.phrases import category, phrases, trees

Write = Callable[..., Path]


def test_categories() -> None:
    labels = ("NP", "NP-SBJ-1", "VP=2", "S|X", "=")
    assert [category(label) for label in labels] == ["NP", "NP", "VP", "S", "="]


def test_what_a_tree_is_wrapped_in_is_no_phrase() -> None:
    span = Span(0, 1)
    given = [Constituent(span, label) for label in ("", "ROOT", "TOP", "VROOT", "S-TPC")]
    assert list(phrases(given)) == [Constituent(span, "S")]


def test_trees_by_sentence_with_gaps(conllu: Write) -> None:
    text = """
    # newdoc id = d
    1 a a X _ _ 0 root _ _

    # tree = (ROOT (S (NP (X b)) (VP (X c))))
    1 b b X _ _ 0 root _ _
    2 c c X _ _ 1 dep _ _

    # tree = (ROOT (X d))
    1 d d X _ _ 0 root _ _
    """
    (document,) = read_conllu(conllu(text)).documents
    first, second = trees(document)
    assert first.sentence == Span(1, 3) and second.sentence == Span(3, 4)
    assert [(p.span, p.label) for p in first.phrases] == [
        (Span(1, 3), "S"),
        (Span(1, 2), "NP"),
        (Span(2, 3), "VP"),
    ]
    assert [[p.label for p in above] for above in first.above()] == [["S", "NP"], ["S", "VP"]]
    assert second.phrases == () and second.above() == [[]]


def test_no_trees() -> None:
    text = Document("d", (Sentence.from_words("a b".split()),))
    for constituents in (None, ()):
        document = AnnotatedDocument(text, tuple(map(bare, text.words)), None, constituents)
        assert list(trees(document)) == []
