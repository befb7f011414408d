"""Control tasks: what a probe scores on labels that it can only have memorised by word type.

Hewitt and Liang 2019, section 2. Each word type gets a random label, the same wherever it occurs.
No state is kept: the label is a function of the control's name and seed, the type and the training
labels, so it is the same in every split, layer, encoder and process.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError

Ints = NDArray[np.integer[Any]]


def control_labels(
    types: Sequence[str], train_labels: Ints, classes: int, *, seed: int, name: str
) -> NDArray[np.int64]:
    """The control's label of each target, (n,), from the types (n) of the targets of any split.

    A type's label is that of a training target drawn at random, so every class is as likely as it
    is frequent among ``train_labels``, whole numbers below ``classes``. The draw is told by the
    sha256 of ``name`` (of the task), ``seed`` and type: with u its first 64 bits read as a fraction
    in [0, 1), it is the target at u of the training labels in ascending order, without rounding.

    The types draw, and not the targets: a frequent word brings its label with it, and a rare class
    may get no type at all. Such a control has fewer classes, and is as valid. No label is UNSEEN:
    a type that training does not have has its label too, though no probe can know it (see
    ``seen_types``). Raises DataError for training labels that are none of the classes.
    """
    labels = np.asarray(train_labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not labels.size:
        raise DataError("the training labels are no list of integers")
    if labels.min() < 0 or labels.max() >= classes:
        raise DataError(
            f"the training labels run from {labels.min()} to {labels.max()}, "
            f"outside {classes} classes"
        )
    number: dict[str, int] = {}
    places = [number.setdefault(kind, len(number)) for kind in types]
    drawn = np.array([_draw(name, seed, kind, len(labels)) for kind in number], dtype=np.int64)
    of_type = np.searchsorted(np.cumsum(np.bincount(labels)), drawn, side="right")
    return of_type[np.array(places, dtype=np.int64)].astype(np.int64)


@dataclass(frozen=True)
class Equivalence:
    """A control of pairs: every type is in one random class, and a pair is a yes within a class.

    ``shares`` are the probabilities of the classes. Like coreference, of which it is the control,
    it is reflexive, symmetric and transitive, and a pair's label is told by both of its types.
    """

    shares: NDArray[np.float64]
    seed: int
    name: str

    def same(self, first: Sequence[str], second: Sequence[str]) -> NDArray[np.bool_]:
        """Whether the types of each pair are in one class: (pairs,)."""
        classes: dict[str, int] = {}
        bounds = np.cumsum(self.shares)
        for kind in {*first, *second}:
            place = _draw(self.name, self.seed, kind, _FINE) / _FINE
            classes[kind] = int(np.searchsorted(bounds, place, side="right"))
        pairs = zip(first, second, strict=True)
        return np.array([classes[a] == classes[b] for a, b in pairs], dtype=bool)


def equivalence(
    first: Sequence[str], second: Sequence[str], rate: float, *, seed: int, name: str
) -> Equivalence:
    """The control under which the share ``rate`` of the pairs of training can be expected a yes.

    Pairs of one type twice are a yes in any case; the classes are as many, and all but the last
    as large, as gives the rest. Raises DataError for a rate outside (0, 1).
    """
    if not 0 < rate < 1 or not len(first):
        raise DataError(f"no control of pairs with the share {rate:g} of yes")
    always = float(np.mean([a == b for a, b in zip(first, second, strict=True)]))
    wanted = max((rate - always) / (1 - always) if always < 1 else 0.0, 1 / _MOST_CLASSES)
    # k - 1 classes of share q and one of what is left, whose squares sum to what is wanted.
    m = max(int(np.ceil(1 / wanted - 1e-9)) - 1, 1)
    q = (m + np.sqrt(max(m * m - m * (m + 1) * (1 - wanted), 0.0))) / (m * (m + 1))
    return Equivalence(np.array([q] * m + [1 - m * q]), seed, name)


def seen_types(train_types: Sequence[str], test_types: Sequence[str]) -> NDArray[np.bool_]:
    """Whether training has the type of each test target: (n,).

    Score a control on these targets too: the label of any other type cannot be learnt, so that a
    control's score on all targets is also a measure of how many new words the test set has.
    """
    known = set(train_types)
    return np.array([kind in known for kind in test_types], dtype=bool)


def selectivity(score: float, control_scores: Sequence[float]) -> float:
    """The score on the task minus the mean score on its controls (Hewitt and Liang 2019).

    All by the same metric, probe and choice of hyperparameters. Raises DataError without a control.
    """
    if not len(control_scores):
        raise DataError("selectivity needs a control task")
    return float(score - np.mean(control_scores))


_FINE = 1 << 53
_MOST_CLASSES = 1000


def _draw(name: str, seed: int, kind: str, limit: int) -> int:
    # JSON keeps the three apart whatever they hold; half a surrogate pair is text here as well.
    key = json.dumps([name, seed, kind], ensure_ascii=False)
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") * limit >> 64
