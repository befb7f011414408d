"""The kinds of task, and what each asks: which problems to fit, and how to score their outcome.

One label a target, several labels a target, or choices among candidates. A *labelling* is one set
of labels for all targets, the task's own or a control's; it makes one problem, or one a label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..probes import label_sets, metrics, ranking
from .arrays import TaskArrays

Labels = NDArray[np.int64]
Probabilities = NDArray[np.float64]
Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Counted:
    """What a bootstrap needs of predictions: counts, (clusters, ...), and the score of sums."""

    by_cluster: NDArray[Any]
    statistic: Callable[[NDArray[Any]], NDArray[Any]]


class Scheme(Protocol):
    """How labels of targets become problems, and their probabilities scores on the test split."""

    def problems(self, labels: Labels) -> Labels:
        """The labels of each problem of a labelling: (problems, targets)."""
        ...

    @property
    def classes(self) -> int:
        """The number of classes of each problem."""
        ...

    def joined(self, probabilities: Sequence[Probabilities]) -> Probabilities:
        """One array of the (targets, classes) probabilities of a labelling's problems."""
        ...

    def certain(self, labels: Labels) -> Probabilities:
        """Predictions without a doubt in the form of ``joined``, for baselines."""
        ...

    def scores(self, joined: Probabilities, labels: Labels, rows: Rows) -> dict[str, float]:
        """All scores on the chosen test targets; none where nothing is defined on them."""
        ...

    def counted(self, joined: Probabilities, labels: Labels) -> Counted:
        """The task's metric on the test split, for an interval."""
        ...


def scheme_of(arrays: TaskArrays) -> Scheme:
    """That of the task."""
    if arrays.several:
        return SeveralLabels(arrays)
    return OneLabel(arrays) if arrays.groups is None else Choices(arrays, arrays.groups)


@dataclass(frozen=True)
class OneLabel:
    """One label a target: one problem of all classes."""

    arrays: TaskArrays

    def problems(self, labels: Labels) -> Labels:
        return labels[None]

    @property
    def classes(self) -> int:
        return len(self.arrays.classes)

    def joined(self, probabilities: Sequence[Probabilities]) -> Probabilities:
        return probabilities[0]

    def certain(self, labels: Labels) -> Probabilities:
        return np.eye(self.classes)[labels]

    def scores(self, joined: Probabilities, labels: Labels, rows: Rows) -> dict[str, float]:
        gold, probabilities = labels[rows], joined[rows]
        found = metrics.scores(
            gold, probabilities.argmax(axis=1), probabilities, self.classes, self.arrays.positive
        )
        if self.arrays.positive is not None and not (gold == self.arrays.positive).any():
            for name in ("f1", "precision", "recall"):
                del found[name]  # of nothing
        return found

    def counted(self, joined: Probabilities, labels: Labels) -> Counted:
        clusters = self.arrays.splits["test"].clusters
        return Counted(
            metrics.tallies_by_cluster(labels, joined.argmax(axis=1), clusters, self.classes),
            metrics.statistic(self.arrays.metric, self.arrays.positive),
        )


@dataclass(frozen=True)
class SeveralLabels:
    """Any number of labels a target: a problem of yes and no for each label."""

    arrays: TaskArrays
    classes = 2

    def problems(self, labels: Labels) -> Labels:
        return labels.T

    def joined(self, probabilities: Sequence[Probabilities]) -> Probabilities:
        return np.stack([each[:, 1] for each in probabilities], axis=1)

    def certain(self, labels: Labels) -> Probabilities:
        return labels.astype(np.float64)

    def scores(self, joined: Probabilities, labels: Labels, rows: Rows) -> dict[str, float]:
        return label_sets.scores(labels[rows] > 0, joined[rows] > 0.5, self._unknown(labels)[rows])

    def counted(self, joined: Probabilities, labels: Labels) -> Counted:
        clusters = self.arrays.splits["test"].clusters
        tallies = label_sets.tallies_by_cluster(
            labels > 0, joined > 0.5, self._unknown(labels), clusters
        )
        return Counted(tallies, label_sets.micro_f1)

    def by_label(self, joined: Probabilities, labels: Labels) -> Iterator[tuple[str, float]]:
        """Each label that occurs, and its F1."""
        values = label_sets.f1_by_label(labels > 0, joined > 0.5)
        yield from (
            (label, float(value))
            for label, value in zip(self.arrays.classes, values, strict=True)
            if not np.isnan(value)
        )

    def _unknown(self, labels: Labels) -> Labels:
        """Gold labels that training lacks: the task has them, a control does not."""
        test = self.arrays.splits["test"]
        own = labels is test.labels and test.unknown is not None
        return test.unknown if own and test.unknown is not None else np.zeros(len(labels), np.int64)


@dataclass(frozen=True)
class Choices(OneLabel):
    """Pairs of yes and no, of which the most probable of each choice is taken."""

    groups: Labels

    def scores(self, joined: Probabilities, labels: Labels, rows: Rows) -> dict[str, float]:
        chosen = rows[ranking.representatives(self._right(labels), self.groups)]
        if not chosen.any():
            return {}
        yes = joined[:, self._positive]
        credits = ranking.credits(yes, self._right(labels), self.groups)
        ranks = ranking.reciprocal_ranks(yes, self._right(labels), self.groups)
        return {
            "choice_accuracy": float(credits[chosen].mean()),
            "mean_reciprocal_rank": float(ranks[chosen].mean()),
        }

    def counted(self, joined: Probabilities, labels: Labels) -> Counted:
        right = self._right(labels)
        credits = ranking.credits(joined[:, self._positive], right, self.groups)
        clusters = self.arrays.splits["test"].clusters[ranking.starts_of(self.groups)]
        _, number = np.unique(clusters, return_inverse=True)
        table = np.stack([np.bincount(number, credits), np.bincount(number)], axis=1)
        return Counted(table, lambda sums: sums[..., 0] / sums[..., 1])

    def _right(self, labels: Labels) -> Rows:
        return np.asarray(labels == self._positive)

    @property
    def _positive(self) -> int:
        assert self.arrays.positive is not None  # or there would be nothing to choose
        return self.arrays.positive
