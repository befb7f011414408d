"""Who depends on whom, subjects and finite verbs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from layerwise.core.types import Document, Sentence, Span
from layerwise.tasks.base import NO_HEAD, AnnotatedDocument, Corpus, Word
from layerwise.tasks.clauses import Clauses
from layerwise.tasks.conllu import ConlluFile, read_conllu
from layerwise.tasks.tree_depth import WordDepth

Write = Callable[..., Path]

TEXT = """
# newdoc id = d
1 Ann Ann PROPN _ Number=Sing 4 nsubj:pass _ _
2 was be AUX _ VerbForm=Fin|Tense=Past 4 aux:pass _ _
3 not not PART _ _ 4 advmod _ _
4 seen see VERB _ VerbForm=Part|Tense=Past 0 root _ _
5 and and CCONJ _ _ 7 cc _ _
6 Bob Bob PROPN _ Number=Sing,Plur 7 nsubj _ _
7 left leave VERB _ VerbForm=Fin 4 conj _ _

1 That that PRON _ Number=Sing 4 nsubj:outer _ _
2 Tom Tom PROPN _ Number=Sing 4 nsubj _ _
3 is be AUX _ Tense=Pres 4 cop _ _
4 king king NOUN _ Number=Sing 0 root _ _
5 and and CCONJ _ _ 6 cc _ _
6 Sue Sue PROPN _ Number=Sing 2 conj _ _
"""


def test_relations(conllu: Write) -> None:
    (document,) = read_conllu(conllu(TEXT)).documents
    clauses = Clauses(document)
    assert clauses.root(Span(0, 7)) == 3 and clauses.root(Span(7, 13)) == 10
    assert clauses.dependents(3, ("nsubj", "aux")) == [0, 1]
    assert clauses.subtree(6) == [4, 5, 6]
    assert clauses.argument(3, "nsubj") == 0 and clauses.number(0) == "Sing"
    assert clauses.argument(6, "nsubj") == 5 and clauses.number(5) is None  # two values
    assert clauses.argument(10, "nsubj") is None  # coordinated; the outer one is not its own
    assert clauses.argument(3, "obj") is None and clauses.number(None) is None
    assert clauses.finite(3) == 1 and clauses.finite(6) == 6
    assert clauses.finite(10) == 9  # no VerbForm, but a tense
    part = Clauses(document, Span(7, 13))
    assert part.dependents(10, ("nsubj",)) == [8] and part.dependents(3, ("nsubj",)) == []


@st.composite
def forests(draw: st.DrawFn) -> list[list[int]]:
    found = []
    for _ in range(draw(st.integers(1, 3))):
        order = draw(st.permutations(range(draw(st.integers(1, 12)))))
        heads = [NO_HEAD] * len(order)
        for place, word in enumerate(order[1:], 1):
            heads[word] = order[draw(st.integers(0, place - 1))]
        found.append(heads)
    return found


@settings(max_examples=100, deadline=None)
@given(forests())
def test_depths_against_shortest_paths(forest: list[list[int]]) -> None:
    words: list[Word] = []
    expected: list[int] = []
    for heads in forest:
        base, size = len(words), len(heads)
        words += [Word("w", "", "", "", {}, h if h < 0 else h + base, "dep") for h in heads]
        arcs = [(d, h) for d, h in enumerate(heads) if h != NO_HEAD]
        rows, columns = zip(*arcs, strict=True) if arcs else ((), ())
        graph = coo_array((np.ones(len(arcs)), (rows, columns)), shape=(size, size))
        far = shortest_path(graph.tocsr(), directed=False, unweighted=True)
        expected += far[heads.index(NO_HEAD)].astype(int).tolist()
    sentences = tuple(Sentence.from_words(["w"] * len(heads)) for heads in forest)
    document = AnnotatedDocument(Document("d", sentences), tuple(words))
    clauses = Clauses(document)
    starts = document.document.sentence_starts
    spans = [Span(*each) for each in pairwise(starts)]
    assert [depth for span in spans for depth in clauses.depths(span)] == expected
    assert [t.label for t in WordDepth().targets(document)] == [
        str(depth) if depth < 7 else "7+" for depth in expected
    ]


@pytest.mark.parametrize(("heads", "deprel"), [([-1, -1], ""), ([-1], ""), ([-1, 0, -1], "dep")])
def test_a_sentence_without_one_root_has_no_depths(heads: list[int], deprel: str) -> None:
    words = tuple(Word("w", "", "", "", {}, head, deprel) for head in heads)
    text = Document("d", (Sentence.from_words(["w"] * len(heads)),))
    document = AnnotatedDocument(text, words)
    assert Clauses(document).depths(Span(0, len(heads))) == []
    assert list(WordDepth().targets(document)) == []


def test_real_data(read_shared: Callable[[str], ConlluFile]) -> None:
    read = read_shared("ud/UD_Turkish-IMST/tr_imst-ud-dev.conllu.gz")
    labels = [t.label for d in read.documents for t in WordDepth().targets(d)]
    assert len(labels) == 10542
    assert labels.count("0") == 1100  # a root a sentence
    corpus = Corpus("c", dict.fromkeys(("train", "dev", "test"), read.documents))
    assert WordDepth.available(corpus) == ["depth"]
