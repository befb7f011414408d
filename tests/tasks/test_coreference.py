"""Coreferent pairs and their negatives."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import layerwise
from layerwise.core.errors import UsageError
from layerwise.core.types import Document, Sentence, Span, Target
from layerwise.tasks.aspects import Located
from layerwise.tasks.base import NO_HEAD, AnnotatedDocument, Corpus, Mention, Word, bare
from layerwise.tasks.conllu import ConlluFile
from layerwise.tasks.coreference import NATURAL_RATE, MentionPair
from layerwise.tasks.preparation import prepare


def document(
    mentions: Iterable[tuple[int, int, str]] | None, size: int = 40, name: str = "d"
) -> AnnotatedDocument:
    words = ["w"] * size
    return AnnotatedDocument(
        Document(name, (Sentence.from_words(words),)),
        tuple(Word(word, "", "", "", {}, NO_HEAD, "") for word in words),
        None
        if mentions is None
        else tuple(Mention(Span(start, end), entity, "") for start, end, entity in mentions),
    )


def pairs(targets: Iterable[Target], label: str) -> set[tuple[Span, Span]]:
    return {(t.span1, t.span2) for t in targets if t.label == label and t.span2 is not None}


def oracle(
    mentions: Iterable[tuple[int, int, str]],
) -> tuple[set[tuple[Span, Span]], set[tuple[Span, Span]]]:
    """All positives and all admissible negatives, from all pairs."""
    entities: dict[Span, set[str]] = {}
    for start, end, entity in mentions:
        entities.setdefault(Span(start, end), set()).add(entity)
    positive, negative = set(), set()
    for a, b in combinations(sorted(entities), 2):
        if entities[a] & entities[b]:
            positive.add((a, b))
        elif a.end <= b.start:
            negative.add((a, b))
    return positive, negative


MENTIONS = st.lists(
    st.tuples(st.integers(0, 35), st.integers(1, 5), st.sampled_from("aaabbcdefg")).map(
        lambda m: (m[0], m[0] + m[1], m[2])
    ),
    max_size=25,
)


@settings(max_examples=300, deadline=None)
@given(MENTIONS, st.sampled_from([1, 1, 2, 5]))
def test_against_all_pairs(mentions: list[tuple[int, int, str]], ratio: int) -> None:
    positive, negative = oracle(mentions)
    targets = list(MentionPair("" if ratio == 1 else str(ratio)).targets(document(mentions)))
    assert pairs(targets, "yes") == positive
    drawn = pairs(targets, "no")
    assert drawn <= negative
    assert len(targets) == len(positive) + len(drawn), "no pair twice"
    # As many as asked for, or all there are.
    assert len(drawn) == min(ratio * len(positive), len(negative))
    # The same anaphors as the positives, as far as they have candidates.
    wanted = Counter(b for _, b in positive)
    there = Counter(b for _, b in negative)
    got = Counter(b for _, b in drawn)
    for anaphor, count in wanted.items():
        assert got[anaphor] >= min(ratio * count, there[anaphor])
    assert targets == sorted(targets, key=lambda t: (t.span1, t.span2 or t.span1))
    assert all(t.span2 is not None and t.span1 < t.span2 for t in targets)


@settings(max_examples=50, deadline=None)
@given(MENTIONS, st.randoms(use_true_random=False))
def test_the_order_of_mentions_and_documents_changes_nothing(mentions, rng) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(mentions)
    rng.shuffle(shuffled)
    task = MentionPair()
    list(task.targets(document([(0, 1, "a"), (2, 3, "a"), (4, 5, "b")], name="other")))
    assert list(task.targets(document(mentions))) == list(task.targets(document(shuffled)))


def test_an_example() -> None:
    targets = list(
        MentionPair().targets(document([(0, 2, "a"), (1, 2, "b"), (4, 5, "a"), (6, 7, "c")]))
    )
    assert pairs(targets, "yes") == {((0, 2), (4, 5))}
    # The only span before (4, 5) that neither overlaps it nor corefers.
    assert pairs(targets, "no") == {((1, 2), (4, 5))}


def test_an_anaphor_without_candidates_takes_any_pair_of_the_document() -> None:
    targets = list(MentionPair().targets(document([(0, 1, "a"), (2, 3, "a"), (4, 5, "b")])))
    assert pairs(targets, "no") < {((0, 1), (4, 5)), ((2, 3), (4, 5))}
    assert len(targets) == 2


def test_no_chain_no_pairs_and_no_layer_no_pairs() -> None:
    task = MentionPair()
    assert list(task.targets(document([(0, 1, "a"), (2, 3, "b")]))) == []
    assert list(task.targets(document([(0, 1, "a"), (0, 1, "a")]))) == []
    assert list(task.targets(document([]))) == []
    assert list(task.targets(document(None))) == []


def test_a_span_of_two_entities_corefers_with_both() -> None:
    mentions = [(0, 1, "a"), (2, 3, "a"), (2, 3, "b"), (4, 5, "b")]
    targets = list(MentionPair().targets(document(mentions)))
    assert pairs(targets, "yes") == {((0, 1), (2, 3)), ((2, 3), (4, 5))}
    assert pairs(targets, "no") == {((0, 1), (4, 5))}


def test_negatives_are_uniform() -> None:
    # Ten candidates for one anaphor; the document's name is the seed.
    mentions = [(i, i + 1, f"x{i}") for i in range(10)] + [(20, 21, "a"), (22, 23, "a")]
    drawn = Counter(
        first.start
        for i in range(3000)
        for first, _ in pairs(MentionPair().targets(document(mentions, name=f"d{i}")), "no")
    )
    assert sorted(drawn) == list(range(10))
    assert sum((count - 300) ** 2 / 300 for count in drawn.values()) < 27.9  # chi2(9), p = .001


def test_the_ratio() -> None:
    mentions = [(i, i + 1, "a" if i > 35 else f"x{i}") for i in range(40)]
    for argument, ratio in [("", 1), ("1", 1), ("3", 3), ("100", 100)]:
        task = MentionPair(argument)
        labels = Counter(t.label for t in task.targets(document(mentions)))
        assert labels["yes"] == 6
        assert labels["no"] == min(6 * ratio, 36 * 4 + 36 * 35 // 2)
        assert task.facts["ratio"] == ratio
    assert MentionPair("3").name == "coref:3"
    for argument in ("0", "-1", "x", "1.5", "101", "01", "²", "9" * 5000):
        with pytest.raises(UsageError, match="not a number of negatives"):
            MentionPair(argument)


def test_thousands_of_mentions_take_no_time() -> None:
    size = 20000
    mentions = [(i, i + 1, f"x{i - i % 4 % 2 if i % 4 < 2 else i}") for i in range(size)]
    start = time.process_time()
    targets = list(MentionPair().targets(document(mentions, size)))
    assert len(targets) == 2 * size // 4
    assert time.process_time() - start < 3, "all pairs would be 2e8"


def test_one_long_chain_among_few_others() -> None:
    mentions = [(i, i + 1, "a" if i % 10 else f"x{i}") for i in range(300)]
    start = time.process_time()
    targets = list(MentionPair().targets(document(mentions, 300)))
    positive, negative = oracle(mentions)
    assert pairs(targets, "yes") == positive
    assert pairs(targets, "no") == negative
    assert time.process_time() - start < 5


# sha256 over the targets of `fixed()`; it changes only together with the task's version.
FIXED = "ade5fe162b24a73e1d3ad96cbfa09581264ac803027938e550f5194d4da0b3fc"


def fixed() -> str:
    mentions = [(i, i + 1 + i % 3, f"e{i * i % 7 if i % 2 else i}") for i in range(36)]
    targets = list(MentionPair("2").targets(document(mentions, name="fixed é")))
    return hashlib.sha256(repr([tuple(t) for t in targets]).encode()).hexdigest()


def test_the_sample_is_the_same_everywhere() -> None:
    assert fixed() == FIXED


def test_the_sample_does_not_hang_on_the_hash_seed() -> None:
    code = (
        "from layerwise.tasks.base import *\n"
        "from layerwise.core.types import *\n"
        "from layerwise.tasks.coreference import MentionPair\n"
        "w = ['w'] * 60\n"
        "m = tuple(Mention(Span(i, i + 1), f'e{i * i % 7}', '') for i in range(60))\n"
        "d = AnnotatedDocument(Document('d', (Sentence.from_words(w),)),"
        " tuple(Word(x, '', '', '', {}, -1, '') for x in w), m)\n"
        "print(list(MentionPair().targets(d)))\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": os.pathsep.join(
                    [str(Path(next(iter(layerwise.__path__))).parent), *sys.path]
                ),
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_what_a_corpus_offers() -> None:
    chain = (document([(0, 1, "a"), (2, 3, "a"), (4, 5, "b")]),)
    single = (document([(0, 1, "a"), (2, 3, "b")]),)
    layerless = (document(None),)
    assert MentionPair.available(Corpus("c", dict.fromkeys(("train", "dev", "test"), chain))) == [
        "coref"
    ]
    for none in (single, layerless):
        splits = {"train": chain, "dev": chain, "test": none}
        assert MentionPair.available(Corpus("c", splits)) == []


def test_prepared_task() -> None:
    chain = (document([(0, 1, "a"), (2, 3, "a"), (4, 5, "b")]),)
    data = prepare(MentionPair(), Corpus("c", dict.fromkeys(("train", "dev", "test"), chain)))
    assert (data.task, data.metric, data.positive) == ("coref.v2", "f1", "yes")
    assert data.facts["task"]["ratio"] == 1
    assert data.facts["counts"]["train"]["labels"] == {"no": 1, "yes": 1}
    assert data.keys["test"] == (("w", "w"), ("w", "w"))
    assert set(data.strata) == {"string", "kinds", "distance", "sentences"}
    assert len(data.guesses) == 4
    assert all(len(labels) == 2 for labels in data.guesses.values())


def test_strata_guesses_and_control_of_an_example() -> None:
    words = "Ann met Bob . She saw ann".split()
    one = replace(
        document(None),
        document=Document("d", (Sentence.from_words(words[:4]), Sentence.from_words(words[4:]))),
        words=tuple(map(bare, words)),
        mentions=tuple(
            Mention(Span(at, at + 1), entity, "")
            for at, entity in ((0, "a"), (2, "b"), (4, "a"), (6, "a"))
        ),
    )
    task = MentionPair()
    first, last = Span(0, 1), Span(6, 7)
    far = Target("d", first, last, "yes")
    assert task.strata(one, far) == {
        "string": "same",
        "kinds": "name-nominal",  # without tags a name is told by its capital
        "distance": "<10",
        "sentences": "1-2",
    }
    assert task.control_key(one, far) == ("ann", "ann")
    assert task.strata(one, Target("d", first, Span(4, 5), "yes"))["kinds"] == "name-pronoun"
    located = [Located(one, target) for target in task.targets(one)]
    guesses = task.guesses(located, located)
    assert guesses["same string"] == ["yes" if t == far else "no" for _, t in located]


@settings(max_examples=50, deadline=None)
@given(MENTIONS)
def test_natural_pairs_are_of_all_pairs(mentions: list[tuple[int, int, str]]) -> None:
    positive, negative = oracle(mentions)
    targets = list(MentionPair().natural(document(mentions)))
    assert pairs(targets, "yes") <= positive
    assert pairs(targets, "no") <= negative
    assert targets == sorted(set(targets))
    assert list(MentionPair("7").natural(document(mentions[::-1]))) == targets


def test_without_pairs_none_is_natural() -> None:
    for mentions in (None, [], [(0, 1, "a")]):
        assert list(MentionPair().natural(document(mentions))) == []


def test_real_data(read_shared: Callable[[str], ConlluFile]) -> None:
    documents = read_shared("gum_open/gum_open-dev.conllu.gz").documents
    labels: Counter[str] = Counter()
    for one in documents:
        targets = list(MentionPair().targets(one))
        positive, negative = oracle([(*m.span, m.entity) for m in one.mentions or ()])
        assert pairs(targets, "yes") == positive
        assert pairs(targets, "no") <= negative
        labels.update(target.label for target in targets)
    assert labels == {"yes": 10481, "no": 10481}


def test_natural_pairs_of_real_data(read_shared: Callable[[str], ConlluFile]) -> None:
    documents = read_shared("gum_open/gum_open-dev.conllu.gz").documents
    positive = negative = 0
    labels: Counter[str] = Counter()
    for one in documents:
        all_of_them = oracle([(*m.span, m.entity) for m in one.mentions or ()])
        positive, negative = positive + len(all_of_them[0]), negative + len(all_of_them[1])
        labels.update(target.label for target in MentionPair().natural(one))
    assert (positive, negative) == (10481, 272731)
    for label, there in (("yes", positive), ("no", negative)):
        deviation = (there * NATURAL_RATE * (1 - NATURAL_RATE)) ** 0.5
        assert abs(labels[label] - there * NATURAL_RATE) < 4 * deviation
