"""Labels of arcs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from layerwise.core.errors import UsageError
from layerwise.core.types import Span, Target
from layerwise.tasks.base import Corpus
from layerwise.tasks.conllu import ConlluFile, read_conllu
from layerwise.tasks.syntax import ArcLabel

Write = Callable[..., Path]

TEXT = """
# newdoc id = d
1 a a X _ _ 0 root _ _

1 b b X _ _ 2 nsubj:pass _ _
2 c c X _ _ 0 root _ _
3 d d X _ _ 1 _ _ _
4 e e X _ _ 3 conj _ _
"""


def test_dependent_first_head_second_over_the_document(conllu: Write) -> None:
    (document,) = read_conllu(conllu(TEXT)).documents
    assert list(ArcLabel("").targets(document)) == [
        Target("d", Span(1, 2), Span(2, 3), "nsubj:pass"),
        Target("d", Span(4, 5), Span(3, 4), "conj"),
    ]


def test_no_argument_is_taken() -> None:
    with pytest.raises(UsageError, match="deprel takes no argument"):
        ArcLabel("nsubj")


def test_what_a_corpus_offers(conllu: Write) -> None:
    arcs = read_conllu(conllu(TEXT)).documents
    bare = read_conllu(conllu("1 a a X _ _ _ _ _ _\n2 a a X _ _ _ _ _ _")).documents
    assert ArcLabel.available(Corpus("c", {"train": arcs, "dev": arcs, "test": arcs})) == ["deprel"]
    assert ArcLabel.available(Corpus("c", {"train": arcs, "dev": bare, "test": arcs})) == []
    assert list(ArcLabel().targets(bare[0])) == []


def test_real_data(read_shared: Callable[[str], ConlluFile]) -> None:
    read = read_shared("gum_open/gum_open-train.conllu.gz")
    targets = [target for d in read.documents for target in ArcLabel().targets(d)]
    # A tree has one arc fewer than words.
    assert len(targets) == read.counts["words"] - read.counts["sentences"]
    for document in read.documents:
        starts = document.document.sentence_starts
        sentence_of = [i for i in range(len(starts) - 1) for _ in range(starts[i], starts[i + 1])]
        for _, dependent, head, _ in ArcLabel().targets(document):
            assert head is not None and dependent != head
            assert sentence_of[dependent.start] == sentence_of[head.start]
