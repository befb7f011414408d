"""What a probe got wrong on test: single targets in their context, and which labels it takes for
which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.errors import DataError
from ..predictions import Predictions
from ..targets import TestTargets
from .context import Piece, in_context

MOST_LABELS = 20
"""Labels of a confusion matrix: those with most mistakes."""

_CURE = "delete the record's line and run the same command again"
_RIGHT = "yes"  # the label of the right candidates of a choice


@dataclass(frozen=True)
class Mistake:
    """A target, or a choice, that was got wrong; ``probability`` is that of what was predicted."""

    pieces: list[Piece]
    gold: str
    predicted: str
    probability: float | None
    of_gold: float | None
    strata: dict[str, str]


@dataclass(frozen=True)
class Mistakes:
    """``wrong`` of ``of`` test targets, some of them in ``shown``.

    ``confusion`` counts (gold, predicted) over ``labels``; the mistakes with any other label are
    in ``elsewhere``.
    """

    wrong: int
    of: int
    order: str
    shown: list[Mistake]
    labels: list[str]
    confusion: dict[tuple[str, str], int]
    elsewhere: int = 0


def mistakes(kept: Predictions, targets: TestTargets, most: int, where: str) -> Mistakes:
    """The mistakes, at most ``most`` of them in their context.

    The most confident first, where probabilities are kept; otherwise in the order of the text.
    Raises DataError where predictions and targets do not belong together.
    """
    try:
        return _mistakes(kept, targets, most, where)
    except (LookupError, TypeError) as error:
        raise DataError(
            f"its predictions and test targets do not fit ({type(error).__name__}: {error})",
            where=where,
            cure=_CURE,
        ) from error


def _mistakes(kept: Predictions, targets: TestTargets, most: int, where: str) -> Mistakes:
    if kept.gold is not None and kept.predicted is not None:
        _same_number(len(kept.gold), len(targets.labels), where)
        return (_several if kept.gold.ndim == 2 else _one_label)(kept, targets, most)
    groups = _groups(targets)
    credit = kept.credit
    if credit is None:
        raise DataError("no labels and no credits are kept", where=where, cure=_CURE)
    _same_number(len(credit), len(groups), where)
    wrong = [number for number, earned in enumerate(credit) if earned < 1]
    shown = [_choice(groups[number], float(credit[number]), targets) for number in wrong[:most]]
    return Mistakes(len(wrong), len(groups), "in the order of the text", shown, [], {})


def _one_label(kept: Predictions, targets: TestTargets, most: int) -> Mistakes:
    assert kept.gold is not None and kept.predicted is not None
    wrong = np.flatnonzero(kept.gold != kept.predicted)
    confident = kept.probability
    if confident is not None:
        wrong = wrong[np.argsort(-confident[wrong], kind="stable")]
    shown = [
        Mistake(
            _pieces(targets, row),
            ", ".join(targets.labels[row]),
            targets.classes[int(kept.predicted[row])],
            None if confident is None else float(confident[row]),
            None if kept.of_gold is None else float(kept.of_gold[row]),
            _strata(targets, row),
        )
        for row in map(int, wrong[:most])
    ]
    pairs = Counter(
        (", ".join(labels), targets.classes[int(said)])
        for labels, said in zip(targets.labels, kept.predicted, strict=True)
    )
    labels, confusion, elsewhere = _largest(pairs)
    order = "in the order of the text" if confident is None else "the most confident first"
    return Mistakes(len(wrong), len(kept.gold), order, shown, labels, confusion, elsewhere)


def _several(kept: Predictions, targets: TestTargets, most: int) -> Mistakes:
    """Of targets with several labels: the labels missed and those made up."""
    assert kept.gold is not None and kept.predicted is not None
    said = [
        frozenset(targets.classes[int(label)] for label in np.flatnonzero(row))
        for row in kept.predicted
    ]
    gold = [frozenset(labels) for labels in targets.labels]
    wrong = [row for row, (a, b) in enumerate(zip(gold, said, strict=True)) if a != b]
    shown = [
        Mistake(
            _pieces(targets, row),
            ", ".join(sorted(gold[row])) or "none",
            ", ".join(sorted(said[row])) or "none",
            None,
            None,
            _strata(targets, row),
        )
        for row in wrong[:most]
    ]
    return Mistakes(len(wrong), len(gold), "in the order of the text", shown, [], {})


def _choice(rows: Sequence[int], credit: float, targets: TestTargets) -> Mistake:
    """A choice among candidates, shown with its right one; what was chosen is not kept."""
    right = [row for row in rows if targets.labels[row] == (_RIGHT,)]
    row = (right or list(rows))[0]
    said = f"shared among equals ({credit:.2f})" if credit else "another candidate"
    gold = f"the marked one of {len(rows)} candidates" if right else "none of the candidates"
    return Mistake(_pieces(targets, row), gold, said, None, None, _strata(targets, row))


def _groups(targets: TestTargets) -> list[list[int]]:
    found: dict[int, list[int]] = {}
    for row, group in enumerate(targets.groups or ()):
        found.setdefault(group, []).append(row)
    return list(found.values())


def _largest(
    pairs: Mapping[tuple[str, str], int],
) -> tuple[list[str], dict[tuple[str, str], int], int]:
    """The labels with most mistakes, in alphabetical order, their part, and the mistakes beside."""
    wrong: Counter[str] = Counter()
    for pair, count in pairs.items():
        for label in {*pair}:
            wrong[label] += count if len({*pair}) > 1 else 0
    ranked = sorted(wrong, key=lambda label: (-wrong[label], label))
    labels = sorted(ranked[:MOST_LABELS])
    inside = {pair: count for pair, count in pairs.items() if {*pair} <= {*labels}}
    beside = sum(
        count for pair, count in pairs.items() if pair not in inside and pair[0] != pair[1]
    )
    return labels, inside, beside


def _pieces(targets: TestTargets, row: int) -> list[Piece]:
    sentences = targets.sentences[targets.documents[row]]
    words = [word for sentence in sentences for word in sentence]
    span2 = None if targets.spans2 is None else targets.spans2[row]
    return in_context(words, targets.spans1[row], span2)


def _strata(targets: TestTargets, row: int) -> dict[str, str]:
    if targets.groups is not None:  # then they are of choices, not of candidates
        return {}
    return {name: values[row] for name, values in targets.strata.items()}


def _same_number(predictions: int, targets: int, where: str) -> None:
    if predictions != targets:
        raise DataError(
            f"{predictions} predictions are kept, but {targets} test targets",
            where=where,
            cure=_CURE,
        )


def as_plain(found: Mistakes) -> dict[str, Any]:
    """For the page's script."""
    number = {label: i for i, label in enumerate(found.labels)}
    return {
        "wrong": found.wrong,
        "of": found.of,
        "order": found.order,
        "shown": [
            {
                "pieces": each.pieces,
                "gold": each.gold,
                "predicted": each.predicted,
                "probability": _rounded(each.probability),
                "of_gold": _rounded(each.of_gold),
                "strata": ", ".join(f"{name}={value}" for name, value in each.strata.items()),
            }
            for each in found.shown
        ],
        "labels": found.labels,
        "confusion": [
            [number[gold], number[said], count]
            for (gold, said), count in sorted(found.confusion.items())
        ],
        "elsewhere": found.elsewhere,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
