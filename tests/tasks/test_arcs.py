"""Arcs against pairs of words that no arc joins."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.core.errors import UsageError
from layerwise.core.types import Document, Sentence
from layerwise.tasks.arcs import ArcExistence
from layerwise.tasks.base import NO_HEAD, AnnotatedDocument, Corpus, Word
from layerwise.tasks.conllu import ConlluFile
from layerwise.tasks.preparation import prepare


def document(trees: Sequence[Sequence[int]], name: str = "d") -> AnnotatedDocument:
    """Heads by sentence, from 0 within it, NO_HEAD for the root."""
    words: list[Word] = []
    for heads in trees:
        base = len(words)
        words += [
            Word(f"w{i}", "", "", "", {}, h if h == NO_HEAD else h + base, "dep")
            for i, h in enumerate(heads)
        ]
    sentences = tuple(Sentence.from_words(f"w{i}" for i in range(len(heads))) for heads in trees)
    return AnnotatedDocument(Document(name, sentences), tuple(words))


@st.composite
def heads(draw: st.DrawFn) -> list[int]:
    """The heads of a random tree."""
    order = draw(st.permutations(range(draw(st.integers(1, 9)))))
    found = [NO_HEAD] * len(order)
    for place, word in enumerate(order[1:], 1):
        found[word] = order[draw(st.integers(0, place - 1))]
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(heads(), min_size=1, max_size=3), st.sampled_from([1, 2, 5]))
def test_against_all_pairs(trees: list[list[int]], ratio: int) -> None:
    annotated = document(trees)
    task = ArcExistence("" if ratio == 1 else str(ratio))
    yes: set[tuple[int, int]] = set()
    no: dict[int, set[int]] = {}
    base = 0
    for tree in trees:
        arcs = {(base + d, base + h) for d, h in enumerate(tree) if h != NO_HEAD}
        yes |= arcs
        for d, _ in arcs:
            everyone = range(base, base + len(tree))
            no[d] = {o for o in everyone if o != d and not {(d, o), (o, d)} & arcs}
        base += len(tree)
    found = [
        (t.span1.start, t.span2.start if t.span2 else -1, t.label) for t in task.targets(annotated)
    ]
    assert {(d, o) for d, o, label in found if label == "yes"} == yes
    drawn = [(d, o) for d, o, label in found if label == "no"]
    assert all(o in no[d] for d, o in drawn) and len(set(drawn)) == len(drawn)
    counts = Counter(d for d, _ in drawn)
    assert all(counts[d] == min(ratio, len(others)) for d, others in no.items())
    assert found == sorted(found, key=lambda each: each[:2])


def test_negatives_are_uniform() -> None:
    # Word 1 has the head 0 and the dependent 2; ten others are left.
    tree = [NO_HEAD, 0, 1, *[0] * 10]
    drawn = Counter(
        t.span2.start
        for i in range(2000)
        for t in ArcExistence().targets(document([tree], f"d{i}"))
        if t.span1.start == 1 and t.label == "no" and t.span2
    )
    assert sorted(drawn) == list(range(3, 13))
    assert sum((count - 200) ** 2 / 200 for count in drawn.values()) < 27.9  # chi2(9), p = .001


def test_strata_and_control_keys() -> None:
    annotated = document([[NO_HEAD, 0, 1, *[0] * 10]])
    words = list(annotated.words)
    words[2] = words[2]._replace(upos="PUNCT")
    annotated = AnnotatedDocument(annotated.document, tuple(words))
    task = ArcExistence("100")
    by_place = {(t.span1.start, t.span2.start): t for t in task.targets(annotated) if t.span2}
    kinds = {place: task.strata(annotated, target) for place, target in by_place.items()}
    assert kinds[2, 1] == {"distance": "1", "direction": "backward", "dependent": "punctuation"}
    assert kinds[1, 12] == {"distance": ">10", "direction": "forward", "dependent": "word"}
    assert [kinds[1, other]["distance"] for other in (3, 4, 6, 7, 11)] == [
        "2", "3-5", "3-5", "6-10", "6-10",
    ]  # fmt: skip
    assert task.control_key(annotated, by_place[1, 12]) == ("w1", "w12")


@pytest.mark.parametrize("argument", ["0", "-1", "x", "1.5", "101", "01", "²"])
def test_no_ratio_is_a_usage_error(argument: str) -> None:
    with pytest.raises(UsageError, match="write arc, or arc:N"):
        ArcExistence(argument)


def test_no_syntax_no_arcs_and_what_a_corpus_offers() -> None:
    bare = document([[NO_HEAD], [NO_HEAD]])
    assert list(ArcExistence().targets(bare)) == []
    tree = document([[NO_HEAD, 0, 0]])
    splits = {"train": (tree,), "dev": (tree,), "test": (tree,)}
    assert ArcExistence.available(Corpus("c", splits)) == ["arc"]
    assert ArcExistence.available(Corpus("c", {**splits, "dev": (bare,)})) == []
    pair = document([[NO_HEAD, 0]])  # no third word, no negative
    assert ArcExistence.available(Corpus("c", {**splits, "train": (pair,)})) == []


# sha256 over the targets of `fixed()`; it changes only together with the task's version.
FIXED = "ff35fc5d"


def test_the_sample_is_the_same_everywhere() -> None:
    tree = [NO_HEAD, *[i * i % (i + 1) for i in range(20)]]
    targets = list(ArcExistence("2").targets(document([tree, tree], "fixed é")))
    found = hashlib.sha256(repr([tuple(t) for t in targets]).encode()).hexdigest()
    assert found[:8] == FIXED


def test_real_data(read_shared: Callable[[str], ConlluFile]) -> None:
    documents = read_shared("gum_open/gum_open-dev.conllu.gz").documents
    splits = {"train": documents[:2], "dev": documents[2:4], "test": documents[4:]}
    data = prepare(ArcExistence(), Corpus("c", splits))
    counts = data.facts["counts"]["test"]
    sentences = [s for d in splits["test"] for s in d.document.sentences]
    arcs = sum(len(s.words) - 1 for s in sentences)
    assert counts["labels"]["yes"] == arcs
    assert 0 <= arcs - counts["labels"]["no"] <= 0.02 * arcs
    assert {len(key) for key in data.keys["train"]} == {2}
