"""Mistakes against scikit-learn's confusion matrix and against plain loops."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from layerwise.core.errors import DataError
from layerwise.core.types import Span
from layerwise.results.predictions import Predictions
from layerwise.results.report import errors_in_context as section
from layerwise.results.report.context import AROUND, WITHIN, in_context
from layerwise.results.report.mistakes import MOST_LABELS, as_plain, mistakes
from layerwise.results.report.series import series_of
from layerwise.results.targets import TestTargets

CLASSES = tuple(f"L{i:02}" for i in range(30))


@st.composite
def spans(draw: st.DrawFn, words: int) -> Span:
    start = draw(st.integers(0, words - 1))
    return Span(start, draw(st.integers(start + 1, words)))


@given(st.data())
def test_the_words_of_a_context(data: st.DataObject) -> None:
    words = [f"w{i}" for i in range(data.draw(st.integers(1, 120)))]
    first = data.draw(spans(len(words)))
    second = data.draw(st.none() | spans(len(words)))
    pieces = in_context(words, first, second)
    told = [(word, piece.spans) for piece in pieces for word in piece.text.split(" ")]
    expected = []
    for i in range(len(words)):
        marks, near = 0, False
        for bit, span in ((1, first), (2, second)):
            if span is not None:
                start, end = span
                marks |= bit if start <= i < end else 0
                left, right = i - start, end - 1 - i
                near |= -AROUND <= left < WITHIN if right >= 0 else right >= -AROUND
                near |= left >= 0 and -AROUND <= right < WITHIN
        if near:
            expected.append((words[i], marks))
    assert [each for each in told if each[0] != "…"] == expected
    # Dots stand exactly where words are missing.
    shown = [int(word[1:]) for word, _ in expected]
    gaps = sum(b > a + 1 for a, b in zip([-1, *shown], [*shown, len(words)], strict=True))
    assert sum(word == "…" for word, _ in told) == gaps
    assert all(a.spans != b.spans for a, b in pairwise(pieces))


def test_dots_within_a_long_span_belong_to_it() -> None:
    words = [f"w{i}" for i in range(100)]
    [piece] = in_context(words, Span(0, 100), None)
    assert piece.spans == 1
    assert piece.text == " ".join([*words[:WITHIN], "…", *words[-WITHIN:]])


def targets_of(labels: list[tuple[str, ...]], **more: Any) -> TestTargets:
    plain: dict[str, Any] = {
        "task": "pos.v1",
        "classes": CLASSES,
        "documents": ("d",) * len(labels),
        "spans1": tuple(Span(i, i + 1) for i in range(len(labels))),
        "spans2": None,
        "labels": tuple(labels),
        "sentences": {"d": [[f"word{i}" for i in range(len(labels))]]},
    }
    return TestTargets(**(plain | more))


@pytest.mark.parametrize("classes", [3, 30])
def test_confusion_and_order(classes: int) -> None:
    random = np.random.default_rng(0)
    n = 400
    gold, said = random.integers(classes, size=(2, n))
    said = np.where(random.random(n) < 0.5, gold, said)
    probability = random.random(n).astype(np.float32).round(2)  # with equals
    kept = Predictions(
        np.arange(n, dtype=np.int32),
        gold=gold.astype(np.int32),
        predicted=said.astype(np.int32),
        probability=probability,
        of_gold=(1 - probability),
    )
    targets = targets_of([(CLASSES[g],) for g in gold], strata={"kind": ["even", "odd"] * (n // 2)})
    found = mistakes(kept, targets, 25, "here")
    whole = confusion_matrix(gold, said, labels=range(classes))
    wrong = whole.sum() - np.trace(whole)
    assert (found.wrong, found.of) == (wrong, n)
    assert len(found.labels) == min(classes, MOST_LABELS)
    inside = {CLASSES.index(label) for label in found.labels}
    for (a, b), count in found.confusion.items():
        assert whole[CLASSES.index(a), CLASSES.index(b)] == count
    off = sum(c for (a, b), c in found.confusion.items() if a != b)
    assert off + found.elsewhere == wrong
    # No label outside has more mistakes than one inside.
    each = whole.sum(0) + whole.sum(1) - 2 * np.diag(whole)
    outside = {*range(classes)} - inside
    assert not outside or max(each[list(outside)]) <= min(each[list(inside)])
    rows = sorted(np.flatnonzero(gold != said), key=lambda row: (-probability[row], row))[:25]
    assert [m.probability for m in found.shown] == [float(probability[row]) for row in rows]
    for row, mistake in zip(rows, found.shown, strict=True):
        [marked] = [piece.text for piece in mistake.pieces if piece.spans]
        assert marked == f"word{row}"
        assert (mistake.gold, mistake.predicted) == (CLASSES[gold[row]], CLASSES[said[row]])
        assert mistake.strata == {"kind": ("even", "odd")[row % 2]}
    plain = as_plain(found)
    assert sum(count for *_, count in plain["confusion"]) == sum(found.confusion.values())


def test_a_label_that_training_lacks_is_a_mistake() -> None:
    kept = Predictions(
        np.zeros(1, np.int32),
        gold=np.array([-1], np.int32),
        predicted=np.array([2], np.int32),
        probability=np.array([0.9], np.float32),
        of_gold=np.zeros(1, np.float32),
    )
    [mistake] = mistakes(kept, targets_of([("NEW",)]), 5, "here").shown
    assert (mistake.gold, mistake.predicted, mistake.of_gold) == ("NEW", "L02", 0.0)


def test_several_labels_and_choices() -> None:
    gold = [("L00", "L02"), (), ("L01",)]
    said = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 0]], np.int8)
    kept = Predictions(np.zeros(3, np.int32), gold=np.zeros((3, 3), np.int8), predicted=said)
    found = mistakes(kept, targets_of(gold), 5, "here")
    assert found.wrong == 1 and [(m.gold, m.predicted) for m in found.shown] == [
        ("L01", "L00, L01")
    ]

    targets = targets_of(
        [("no",), ("yes",), ("no",), ("yes",), ("no",)],
        classes=("no", "yes"),
        groups=(0, 0, 1, 1, 2),
    )
    credit = np.array([1, 0, 0.5], np.float32)
    found = mistakes(Predictions(np.zeros(3, np.int32), credit=credit), targets, 5, "here")
    assert (found.wrong, found.of) == (2, 3)
    marked = [p.text for m in found.shown for p in m.pieces if p.spans]
    assert marked == ["word3", "word4"]
    assert "0.50" in found.shown[1].predicted and "none" in found.shown[1].gold


def test_what_does_not_belong_together_is_told() -> None:
    kept = Predictions(np.zeros(2, np.int32), gold=np.array([0, 1]), predicted=np.array([1, 99]))
    for targets, message in (
        (targets_of([("L00",)]), "2 predictions are kept, but 1 test targets"),
        (targets_of([("L00",)] * 2), "do not fit"),
        (targets_of([("L00",)] * 2, sentences={}), "do not fit"),
    ):
        with pytest.raises(DataError, match=message):
            mistakes(kept, targets, 5, "here")
    with pytest.raises(DataError, match="no labels and no credits"):
        mistakes(replace(kept, gold=None), targets_of([("L00",)] * 2), 5, "here")


def test_chosen_layers_come_first_and_what_is_left_out_is_counted(
    unit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [unit("lstm", layer=n, value=0.5 + n / 10) for n in range(3)] + [unit("other")]
    kept = section.Kept(
        Predictions(np.zeros(1, np.int32), gold=np.array([0]), predicted=np.array([1])),
        targets_of([("L00",)]),
    )
    series = series_of(records)
    whole = section.errors_in_context(series, lambda record: kept)
    assert whole.count('"task":"pos.v1"') == 4 and "left out" not in whole
    size = len(whole[whole.index("[{") : whole.index("</script>")])
    monkeypatch.setattr(section, "BUDGET", size * 7 // 10)
    part = section.errors_in_context(series, lambda record: kept)
    assert part.count('"task":"pos.v1"') == 2 and "2 measured layers are left out" in part
    assert '"number":2' in part and '"encoder":"other"' in part
    none = section.errors_in_context(series, lambda record: None)
    assert "Of 4 measured layers no predictions" in none and "mistakes-data" not in none
