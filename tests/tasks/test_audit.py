"""The audit's numbers, against plain loops, scipy and scikit-learn."""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy
from sklearn.dummy import DummyClassifier

from layerwise.core.errors import DataError
from layerwise.core.types import SPLITS, Document, Sentence, Span, Target
from layerwise.tasks.aspects import Located
from layerwise.tasks.audit import PAIRS, Shared, audit, audit_targets
from layerwise.tasks.base import AnnotatedDocument, Corpus, Word
from layerwise.tasks.conllu import ConlluFile
from layerwise.tasks.disjoint import disjoint
from layerwise.tasks.morphology import PartOfSpeech

Words = list[list[Word]]


def document(name: str, sentences: Words) -> AnnotatedDocument:
    parts = tuple(Sentence.from_words(word.form for word in words) for words in sentences)
    return AnnotatedDocument(Document(name, parts), tuple(w for words in sentences for w in words))


def shared(
    held_out: Sequence[AnnotatedDocument], known: Sequence[AnnotatedDocument], n: int
) -> Any:
    """What is shared, by loops over lists."""

    def words(of: Sequence[AnnotatedDocument]) -> list[Word]:
        return [word for each in of for word in each.words]

    def sentences(of: Sequence[AnnotatedDocument]) -> list[list[str]]:
        return [list(s.words) for each in of for s in each.document.sentences]

    def share(part: list[Any], whole: list[Any]) -> float | None:
        return len(part) / len(whole) if whole else None

    def texts(of: Sequence[AnnotatedDocument]) -> list[list[str]]:
        return [re.findall(r"\w+", " ".join(d.document.words).lower()) for d in of]

    there = sentences(known)
    repeated = [s for s in sentences(held_out) if s in there]
    result: dict[str, Any] = {
        "documents_by_id": sum(d.document.id in [k.document.id for k in known] for d in held_out),
        "documents_by_text": sum(
            d.document.words in [k.document.words for k in known] for d in held_out
        ),
        "sentences": share(repeated, sentences(held_out)),
        "sentence_words": share([w for s in repeated for w in s], words(held_out)),
    }
    grams = [text[i : i + n] for text in texts(known) for i in range(len(text) - n + 1)]
    covered = [
        word
        for text in texts(held_out)
        for word in range(len(text))
        if any(
            text[i : i + n] in grams
            for i in range(max(word - n + 1, 0), min(word, len(text) - n) + 1)
        )
    ]
    result["ngram_words"] = share(covered, [w for text in texts(held_out) for w in text]) or 0
    for kind in ("form", "lemma"):
        mine = [getattr(w, kind) for w in words(held_out) if getattr(w, kind)]
        theirs = [getattr(w, kind) for w in words(known)]
        result[f"{kind}_tokens"] = share([w for w in mine if w in theirs], mine)
        result[f"{kind}_types"] = share([w for w in set(mine) if w in theirs], list(set(mine)))
    return result


WORD = st.builds(
    lambda form, lemma, upos, case, relation: Word(
        form, lemma, upos, "", {"Case": case} if case else {}, -1, relation
    ),
    st.sampled_from(["a", "A", "b", "Ä", "."]),
    st.sampled_from(["", "l", "m"]),
    st.sampled_from(["", "X", "NOUN", "VERB"]),
    st.sampled_from(["", "Nom", "Acc"]),
    st.sampled_from(["", "dep", "root"]),
)
DOCUMENTS = st.lists(
    st.lists(st.lists(WORD, min_size=1, max_size=4), min_size=1, max_size=4),
    min_size=1,
    max_size=3,
)


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS, DOCUMENTS, DOCUMENTS, st.integers(1, 5))
def test_against_loops(train: list[Words], dev: list[Words], test: list[Words], n: int) -> None:
    splits = {
        name: tuple(document(f"d{i + k}", sentences) for i, sentences in enumerate(documents))
        for k, (name, documents) in enumerate(zip(SPLITS, (train, dev, test), strict=True))
    }
    found = audit(Corpus("c", splits, {"split": "by hand"}), n)
    assert (found.corpus, found.split, found.ngram) == ("c", "by hand", n)
    for name, size in found.sizes.items():
        sentences = [s.words for d in splits[name] for s in d.document.sentences]
        assert size.documents == len(splits[name]) and size.sentences == len(sentences)
        assert size.words == sum(map(len, sentences))
        assert size.repeated_sentences == sum(s in sentences[:i] for i, s in enumerate(sentences))
    for pair, got in zip(PAIRS, found.shared, strict=True):
        assert (got.held_out, got.known) == pair
        expected = shared(splits[got.held_out], splits[got.known], n)
        assert {name: getattr(got, name) for name in expected} == pytest.approx(expected)
        check_values(got, splits)
    json.dumps(found.facts(), allow_nan=False)


def check_values(got: Shared, splits: dict[str, tuple[AnnotatedDocument, ...]]) -> None:
    def values(name: str, kind: str) -> list[str]:
        words = [word for each in splits[name] for word in each.words]
        if kind == "Case":
            return [w.feats["Case"] for w in words if "Case" in w.feats]
        return [getattr(w, kind) for w in words if getattr(w, kind)]

    for kind in ("upos", "xpos", "deprel", "Case"):
        there = values(got.known, kind)
        expected = Counter(v for v in values(got.held_out, kind) if v not in there)
        assert got.unseen_values.get(kind, {}) == expected
    assert set(got.unseen_values) <= {"upos", "deprel", "Case"}


def test_an_empty_split_is_an_error() -> None:
    one = (document("d", [[Word("a", "", "", "", {}, -1, "")]]),)
    with pytest.raises(DataError, match="--data c: the dev split is empty"):
        audit(Corpus("c", {"train": one, "dev": (), "test": one}))


def located(items: Sequence[tuple[str, Any]], other: Span | None = None) -> list[Located]:
    """A target for each form and its label, in one document."""
    if not items:
        return []
    words = [Word(form, "", "", "", {}, -1, "") for form, _ in items]
    one = document("d", [words])
    return [
        Located(one, Target("d", Span(i, i + 1), other, label))
        for i, (_, label) in enumerate(items)
    ]


ITEMS = st.lists(
    st.tuples(st.sampled_from(["a", "A", "b", "c", "d", "e"]), st.sampled_from("xyz")),
    min_size=1,
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(ITEMS, ITEMS)
def test_targets_against_scipy_and_loops(
    train: list[tuple[str, str]], test: list[tuple[str, str]]
) -> None:
    told = audit_targets(located(train), located(test))
    for name, items in (("train", train), ("test", test)):
        labels = [label for _, label in items]
        counts = [labels.count(label) for label in set(labels)]
        assert told[f"{name}_targets"] == len(items)
        assert told[f"{name}_classes"] == len(counts)
        assert told[f"{name}_label_entropy"] == pytest.approx(entropy(counts, base=2))
        dummy = DummyClassifier(strategy="most_frequent").fit([[0]] * len(labels), labels)
        majority = dummy.score([[0]] * len(labels), labels)
        assert told[f"{name}_majority_share"] == pytest.approx(majority)
        assert told[f"{name}_imbalance"] == max(counts) / min(counts)
    labels_of = defaultdict(set)
    for form, label in train:
        labels_of[form.lower()].add(label)
    forms = [form.lower() for form, _ in test]
    known = {label for _, label in train}
    assert told["test_keys_seen"] == sum(f in labels_of for f in forms) / len(test)
    assert told["test_keys_decided"] == sum(len(labels_of[f]) == 1 for f in forms) / len(test)
    assert told["test_labels_unseen"] == sum(label not in known for _, label in test) / len(test)
    assert told["test_classes_unseen"] == len({label for _, label in test} - known)
    assert all(isinstance(number, (int, float)) for number in told.values())
    json.dumps(told, allow_nan=False)


def test_pairs_are_known_by_both_spans() -> None:
    train = located([("a", "x"), ("b", "y")], Span(0, 1))  # (a, a), (b, a)
    assert (
        audit_targets(train, located([("b", "y"), ("b", "x")], Span(0, 2)))["test_keys_seen"] == 0
    )
    assert (
        audit_targets(train, located([("A", "x"), ("b", "x")], Span(0, 1)))["test_keys_seen"] == 1
    )
    spans = [Located(one.document, one.target._replace(span1=Span(0, 2))) for one in train]
    assert audit_targets(spans, train)["test_keys_seen"] == 0
    assert audit_targets(spans, spans)["test_keys_decided"] == 0, "one key, two labels"


def test_several_labels_a_target() -> None:
    train = located([("a", ("x", "y")), ("b", ()), ("b", ())])
    told = audit_targets(train, located([("a", ("y", "z")), ("b", ("x",)), ("c", ())]))
    assert (told["train_targets"], told["train_classes"], told["train_label_entropy"]) == (3, 2, 1)
    assert told["test_labels_unseen"] == pytest.approx(1 / 3) and told["test_classes_unseen"] == 1
    assert told["test_keys_decided"] == pytest.approx(2 / 3)
    none = audit_targets(located([("a", ())]), located([("a", ())]))
    assert (none["train_classes"], none["train_label_entropy"], none["train_imbalance"]) == (
        0,
        0,
        1,
    )


def test_no_targets_are_an_error() -> None:
    for train, test, name in ((ITEM, [], "test"), ([], ITEM, "train")):
        with pytest.raises(DataError, match=f"the {name} split has no targets"):
            audit_targets(located(train), located(test))


ITEM = [("a", "x")]


def test_many_targets_take_no_time() -> None:
    rng = random.Random(0)
    items = [(f"w{rng.randrange(20_000)}", f"l{rng.randrange(40)}") for _ in range(180_000)]
    train, test = located(items), located(items[:20_000])
    start = time.process_time()
    assert audit_targets(train, test)["test_keys_seen"] == 1
    assert time.process_time() - start < 2, "about 0.3 s"


def test_real_data(read_shared: Callable[[str], ConlluFile]) -> None:
    splits = {name: read_shared(f"gum_open/gum_open-{name}.conllu.gz").documents for name in SPLITS}
    corpus = Corpus("gum_open", splits)
    found = audit(corpus)
    assert {name: (s.documents, s.sentences, s.words) for name, s in found.sizes.items()} == {
        "train": (30, 1247, 26579),
        "dev": (10, 341, 8383),
        "test": (9, 383, 7996),
    }
    known = {word.form for d in splits["train"] for word in d.words}
    test = [word for d in splits["test"] for word in d.words]
    in_train = found.shared[PAIRS.index(("test", "train"))]
    assert in_train.form_tokens == sum(word.form in known for word in test) / len(test)
    assert in_train.form_tokens == pytest.approx(0.7903, abs=1e-4)
    assert in_train.documents_by_id == 0 == in_train.ngram_words

    targets = {
        name: [Located(d, t) for d in splits[name] for t in PartOfSpeech().targets(d)]
        for name in SPLITS
    }
    told = audit_targets(targets["train"], targets["test"])
    lower = {form.lower() for form in known}
    assert told["test_keys_seen"] == sum(w.form.lower() in lower for w in test) / len(test)
    # Where the words are kept apart, the audit finds none that is shared.
    kept = disjoint(corpus, targets, "type").kept
    assert audit_targets(kept["train"], kept["test"])["test_keys_seen"] == 0
