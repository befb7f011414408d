"""Word identity alone does not give the annotation away."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest

Label = Callable[[Any], str]


def _rows(documents: list[Any]) -> list[Any]:
    return [row for document in documents for row in document.rows]


def _majority_accuracy(corpus: dict[str, list[Any]], label: Label) -> float:
    """Accuracy on test of the commonest label of each form in train."""
    by_form: dict[str, Counter[str]] = defaultdict(Counter)
    overall: Counter[str] = Counter()
    for row in _rows(corpus["train"]):
        by_form[row.form.lower()][label(row)] += 1
        overall[label(row)] += 1
    test = _rows(corpus["test"])
    hits = 0
    for row in test:
        counts = by_form.get(row.form.lower(), overall)
        hits += counts.most_common(1)[0][0] == label(row)
    return hits / len(test)


@pytest.mark.parametrize(
    ("label", "low", "high"),
    [
        (lambda row: row.upos, 0.90, 0.95),
        (lambda row: row.xpos, 0.85, 0.93),
        (lambda row: row.upos + row.feats, 0.80, 0.90),
        (lambda row: row.deprel, 0.60, 0.80),
    ],
    ids=["upos", "xpos", "upos+feats", "deprel"],
)
def test_majority_tagger_is_clearly_below_perfect(
    corpus: dict[str, list[Any]], label: Label, low: float, high: float
) -> None:
    assert low < _majority_accuracy(corpus, label) < high


def test_some_forms_of_test_are_unseen(corpus: dict[str, list[Any]]) -> None:
    known = {row.form.lower() for row in _rows(corpus["train"])}
    test = _rows(corpus["test"])
    unseen = sum(row.form.lower() not in known for row in test)
    assert 0.02 < unseen / len(test) < 0.05


# Form, and two or more readings as UPOS, UPOS/deprel, UPOS/XPOS or UPOS/feature=value.
_READINGS = {
    "her": ("PRON/PRP$", "PRON/PRP"),
    "that": ("SCONJ", "DET", "PRON/WDT", "PRON/DT"),
    "to": ("PART", "ADP"),
    "so": ("ADV", "SCONJ"),
    "as": ("ADP", "SCONJ", "ADV"),
    "before": ("ADP", "SCONJ"),
    "after": ("ADP", "SCONJ"),
    "since": ("ADP", "SCONJ"),
    "like": ("VERB", "ADP"),
    "had": ("AUX", "VERB"),
    "have": ("AUX", "VERB"),
    "was": ("AUX", "VERB"),
    "there": ("PRON", "ADV"),
    "no": ("DET", "INTJ"),
    "both": ("DET", "CCONJ"),
    "one": ("NUM/nummod", "NUM/nsubj"),
    "what": ("PRON", "DET"),
    "this": ("DET", "PRON"),
    "out": ("ADP", "ADV"),
    "up": ("ADP/RP", "ADP/IN", "ADV"),
    "in": ("ADP/RP", "ADP/IN"),
    "on": ("ADP/RP", "ADP/IN"),
    "'s": ("PART", "AUX"),
    "you": ("PRON/Case=Nom", "PRON/Case=Acc", "PRON/Number=Plur", "PRON/Number=Sing"),
    "fast": ("ADJ", "ADV"),
    "hard": ("ADJ", "ADV"),
    "early": ("ADJ", "ADV"),
    "light": ("ADJ", "NOUN", "VERB"),
    "open": ("ADJ", "VERB"),
    "clean": ("ADJ", "VERB"),
    "walk": ("VERB", "NOUN"),
    "love": ("VERB", "NOUN"),
    "work": ("VERB", "NOUN"),
    "watch": ("VERB", "NOUN"),
    "play": ("VERB", "NOUN"),
    "plant": ("VERB", "NOUN"),
    "saw": ("VERB", "NOUN"),
    "fish": ("NOUN/Number=Sing", "NOUN/Number=Plur"),
    "sheep": ("NOUN/Number=Sing", "NOUN/Number=Plur"),
    "put": ("VERB/VBD", "VERB/VB"),
    "read": ("VERB/VBD", "VERB/VB"),
    "helped": ("VERB/VBD", "VERB/VBN"),
    "found": ("VERB/VBD", "VERB/VBN"),
    "cook": ("VERB", "NOUN", "PROPN"),
}


@pytest.mark.parametrize("form", list(_READINGS))
def test_ambiguous_forms_occur_in_every_reading(documents: list[Any], form: str) -> None:
    rows = [row for row in _rows(documents) if row.form.lower() == form]
    for reading in _READINGS[form]:
        upos, _, more = reading.partition("/")
        found = [
            row for row in rows
            if row.upos == upos
            and (not more or more in (row.xpos, row.deprel) or more in row.feats.split("|"))
        ]  # fmt: skip
        assert found, (form, reading, Counter((r.upos, r.xpos, r.deprel) for r in rows))


def test_function_words_are_balanced_enough(corpus: dict[str, list[Any]]) -> None:
    for form in ("to", "that", "as", "before", "after", "her", "had"):
        key: Label = lambda row: row.upos + row.xpos  # noqa: E731
        counts = Counter(key(r) for r in _rows(corpus["train"]) if r.form.lower() == form)
        assert counts.most_common(1)[0][1] < 0.9 * sum(counts.values()), (form, counts)
