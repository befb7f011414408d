"""Labels of constituents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from layerwise.core.errors import UsageError
from layerwise.core.types import Span, Target
from layerwise.tasks.base import Corpus
from layerwise.tasks.conllu import ConlluFile, read_conllu
from layerwise.tasks.constituents import ConstituentLabel

Write = Callable[..., Path]

TEXT = """
# newdoc id = d
# tree = (ROOT (FRAG (NP (DT a))))
1 a a X _ _ 0 root _ _

# tree = (ROOT (S (NP-SBJ-1 (PRP b)) (VP=2 (VBZ c) (S|X (VP (TO d) (PRN-1=2 (Y e)))))))
1 b b X _ _ 2 nsubj _ _
2 c c X _ _ 0 root _ _
3 d d X _ _ 4 mark _ _
4 e e X _ _ 2 xcomp _ _
"""


def test_categories_alone_chains_joined_over_the_document(conllu: Write) -> None:
    (document,) = read_conllu(conllu(TEXT)).documents
    assert list(ConstituentLabel("").targets(document)) == [
        Target("d", Span(0, 1), None, "FRAG+NP"),
        Target("d", Span(1, 5), None, "S"),
        Target("d", Span(1, 2), None, "NP"),
        Target("d", Span(2, 5), None, "VP"),
        Target("d", Span(3, 5), None, "S+VP"),
        Target("d", Span(4, 5), None, "PRN"),
    ]


def test_the_control_goes_by_the_first_word(conllu: Write) -> None:
    (document,) = read_conllu(conllu(TEXT)).documents
    task = ConstituentLabel()
    assert task.version == "v2"
    keys = [task.control_key(document, target) for target in task.targets(document)]
    assert keys == [("a",), ("b",), ("b",), ("c",), ("d",), ("e",)]


def test_no_argument_is_taken() -> None:
    with pytest.raises(UsageError, match="constituent takes no argument"):
        ConstituentLabel("NP")


def test_what_a_corpus_offers(conllu: Write) -> None:
    trees = read_conllu(conllu(TEXT)).documents
    bare = read_conllu(conllu("1 a a X _ _ 0 root _ _")).documents
    all_three = Corpus("c", {"train": trees, "dev": trees, "test": trees})
    assert ConstituentLabel.available(all_three) == ["constituent"]
    assert ConstituentLabel.available(Corpus("c", {**all_three.splits, "test": bare})) == []
    assert list(ConstituentLabel().targets(bare[0])) == []


def test_real_data(read_shared: Callable[[str], ConlluFile]) -> None:
    read = read_shared("gum_open/gum_open-train.conllu.gz")
    targets = [target for d in read.documents for target in ConstituentLabel().targets(d)]
    spans = {(target.document, target.span1) for target in targets}
    assert len(spans) == len(targets)  # one label a span
    labels = Counter(target.label for target in targets)
    assert [label for label, _ in labels.most_common(3)] == ["NP", "VP", "PP"]
    assert not any(set(label) & set("-=|") for label in labels)
    phrases = sum(
        constituent.label != "ROOT" for d in read.documents for constituent in d.constituents or ()
    )
    assert sum(n * len(label.split("+")) for label, n in labels.items()) == phrases
