"""Hyper-deep ensembles of linear probes, and the ensembles that they have to be better than.

Deep ensembles average networks that started from different weights. A linear probe has one
optimum, wherever it starts, so that such an ensemble is its member; what can set members apart is
what they read (a layer, a mix of layers), how they are regularised (L2, label smoothing), and
which training targets they saw. Source: Wenzel et al. 2020, Hyperparameter ensembles for
robustness and uncertainty quantification, algorithms 1 to 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from .base import Features, Labels
from .design import DenseDesign, Design, Moments
from .ensemble_members import CHOOSE, Learner, Member, Setting
from .greedy_selection import log_loss, select
from .hyper_batch import HyperBatch
from .linear import HALF_DECADES

L2_GRID = tuple(value for value in HALF_DECADES if value <= 1e4)
"""10,000 down to 0.001."""

LOWEST_SMOOTHING, HIGHEST_SMOOTHING = 1e-3, 0.3


class Ensemble:
    """Classifiers whose probabilities are averaged, each as often as it was chosen."""

    def __init__(self, learner: Learner, members: Sequence[Member], counts: Sequence[int]) -> None:
        """``counts`` has a number for each member; those of 0 are left out."""
        kept = [(m, int(n)) for m, n in zip(members, counts, strict=True) if n]
        self.learner = learner
        self.members = [member for member, _ in kept]
        self.counts = np.array([count for _, count in kept])

    def predict_proba(self, name: str) -> NDArray[np.float64]:
        """The mean over members of what they give the targets of that name: (targets, classes)."""
        found = self.learner.predict(self.members, name)
        return np.asarray(np.average(found, axis=0, weights=self.counts))

    def report(self) -> dict[str, Any]:
        """The members, how often each counts, and whether all reached their optimum."""
        return {
            "members": [
                {
                    "source": member.setting.source,
                    "l2": member.l2,
                    "smoothing": round(member.setting.smoothing, 6),
                    "times": int(times),
                    **({"replicate": r} if (r := member.setting.replicate) else {}),
                    **({"subspace": s} if (s := member.setting.subspace) else {}),
                    **({"seed": s} if (s := member.setting.seed) else {}),
                    "held_out_nats": member.loss,
                }
                for member, times in zip(self.members, self.counts, strict=True)
            ],
            "converged": all(member.converged for member in self.members),
        }


class HyperDeep:
    """Greedy ensembles over L2, label smoothing, layer or layer mix, and bootstrap replicate.

    The sources are the layers and ``mixes`` random mixes of them. For each source there are
    ``draws`` settings: labels as they are, and smoothed by shares drawn log-uniform between
    ``LOWEST_SMOOTHING`` and ``HIGHEST_SMOOTHING``, each with every L2 of the grid down to where
    held-out log-loss no longer falls. From these candidates ``members`` different ones are
    selected (``greedy_selection``); each selected one is fitted again on ``members`` bootstrap
    replicates of the training clusters, where a deep ensemble would take other seeds, and the
    selection is made anew among both.

    As a probe of one matrix of features (``fit``) its rows are their own clusters.
    """

    name = "hyper-deep"
    version = "v1"

    def __init__(
        self,
        *,
        members: int = 4,
        draws: int = 3,
        mixes: int = 3,
        l2: Sequence[float] = L2_GRID,
        tolerance: float = 1e-5,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.members = members
        self.draws = draws
        self.mixes = mixes
        self.l2 = l2
        self.tolerance = tolerance
        self.seed = seed
        self.device = device

    def settings(self) -> Mapping[str, Any]:
        """Everything that decides its numbers."""
        return {
            "members": self.members,
            "draws": self.draws,
            "mixes": self.mixes,
            "l2_grid": "/".join(f"{value:.4g}" for value in self.l2),
            "tolerance": self.tolerance,
            "seed": self.seed,
        }

    def fit(self, X: Features, y: Labels, X_dev: Features, y_dev: Labels, *, classes: int) -> Self:
        """Fit on (rows, dim) features and (rows,) labels; members are chosen on the dev rows."""
        known = np.isin(y_dev, y)
        self.moments_ = Moments.of([X])
        designs = {"train": self._design(X), CHOOSE: self._design(X_dev[known])}
        learner = Learner(
            lambda source, subspace: designs, y, np.arange(len(y)), y_dev[known], classes,
            self.l2, tolerance=self.tolerance,
        )  # fmt: skip
        self.ensemble_ = Arms(self, learner, layers=1, sources=1).hyper_deep()
        return self

    def predict_proba(self, X: Features) -> NDArray[np.float64]:
        """Probabilities of shape (rows, classes)."""
        design = self._design(X)
        learner = replace(self.ensemble_.learner, layout=lambda source, subspace: {"rows": design})
        ensemble = self.ensemble_
        return Ensemble(learner, ensemble.members, ensemble.counts.tolist()).predict_proba("rows")

    def fit_report(self) -> Mapping[str, Any]:
        """The members that were chosen."""
        return self.ensemble_.report()

    def candidates_of(self, source: int) -> list[Setting]:
        """The settings that are tried on a source; other sources draw other smoothing."""
        random = np.random.default_rng([self.seed, source])
        low, high = np.log([LOWEST_SMOOTHING, HIGHEST_SMOOTHING])
        drawn = np.exp(random.uniform(low, high, size=self.draws - 1))
        return [Setting(source, float(smoothing)) for smoothing in (0.0, *drawn)]

    def _design(self, X: Features) -> Design:
        return DenseDesign(X, self.moments_, device=self.device)


@dataclass(frozen=True)
class HyperBatchArm:
    """A fitted hyper-batch ensemble on one source."""

    learner: Learner
    source: int
    model: HyperBatch

    def predict_proba(self, name: str) -> NDArray[np.float64]:
        """The mean over members of what they give the targets of that name: (targets, classes)."""
        return self.model.predict_proba(self.learner.layout(self.source, 0)[name])

    def report(self) -> dict[str, Any]:
        """The source, each member's tuned hyperparameters, parameters in those of one probe."""
        return {"source": self.source, **self.model.report()}


Arm = Ensemble | HyperBatchArm

ARMS = (
    "single-layer",
    "single",
    "seeds",
    "bootstrap",
    "subspaces",
    "hyper-deep",
    "hyper-deep-one-source",
    "hyper-batch",
)
"""What is compared, in the order of the table: each has as many members as the others."""


class Arms:
    """The ensembles of one task on one encoder, each fitted when it is asked for.

    All choices (of L2, source, members) are made on the targets ``choose``. The rivals of
    hyper-deep take the settings of the best single candidate, and, where their members have seen
    less than it has, the L2 that does best for their ensemble.
    """

    def __init__(self, probe: HyperDeep, learner: Learner, *, layers: int, sources: int) -> None:
        """Of the ``sources`` the first ``layers`` are single layers."""
        self.probe, self.learner, self.layers = probe, learner, layers
        settings = [each for source in range(sources) for each in probe.candidates_of(source)]
        self.pool = learner.fit(settings)
        """Every candidate: each setting with each L2 of its path."""
        self.best = min(self.pool, key=lambda member: member.loss)

    def __iter__(self) -> Iterator[tuple[str, Callable[[], Arm]]]:
        """The arms by name, in order."""
        makers = (
            self.single_layer, self.single, self.seeds, self.bootstrap, self.subspaces,
            self.hyper_deep, lambda: self.hyper_deep(self.best.setting.source), self.hyper_batch,
        )  # fmt: skip
        return iter(zip(ARMS, makers, strict=True))

    def single_layer(self) -> Ensemble:
        """The best probe of a single layer: what ``probe run`` finds, label smoothing aside."""
        pool = [member for member in self.pool if member.setting.source < self.layers]
        return Ensemble(self.learner, [min(pool, key=lambda member: member.loss)], [1])

    def single(self) -> Ensemble:
        """The best single candidate, of a layer or a mix."""
        return Ensemble(self.learner, [self.best], [1])

    def seeds(self) -> Ensemble:
        """The best candidate's settings from other starting points: a deep ensemble."""
        settings = [replace(self.best.setting, seed=seed) for seed in self._numbers()]
        members = self.learner.fit(settings, dict.fromkeys(settings, self.best.l2))
        return Ensemble(self.learner, members, [1] * len(members))

    def bootstrap(self) -> Ensemble:
        """The best candidate's settings on bootstrap replicates of the training clusters."""
        return self._at_common_l2(
            [replace(self.best.setting, replicate=number) for number in self._numbers()]
        )

    def subspaces(self) -> Ensemble:
        """The best candidate's settings on random halves of its features."""
        return self._at_common_l2(
            [replace(self.best.setting, subspace=number) for number in self._numbers()]
        )

    def hyper_deep(self, source: int | None = None) -> Ensemble:
        """The ensemble of this module, over all sources or over one."""
        pool = [member for member in self.pool if source in (None, member.setting.source)]
        counts = self._select(pool)
        chosen = [member for member, count in zip(pool, counts, strict=True) if count]
        at = {
            replace(member.setting, replicate=_number(place, number, self.probe.members)): member.l2
            for place, member in enumerate(chosen)
            for number in self._numbers()
        }
        stratified = [*chosen, *self.learner.fit(list(at), at)]
        return Ensemble(self.learner, stratified, self._select(stratified).tolist())

    def hyper_batch(self) -> HyperBatchArm:
        """All members and their hyperparameters in one model, on the best candidate's source."""
        source, learner = self.best.setting.source, self.learner
        designs = learner.layout(source, 0)
        model = HyperBatch(members=self.probe.members, l2=self.best.l2, seed=self.probe.seed).fit(
            designs["train"],
            learner.labels,
            designs[CHOOSE],
            learner.chosen_by,
            classes=learner.classes,
        )
        return HyperBatchArm(learner, source, model)

    def _select(self, members: Sequence[Member]) -> NDArray[np.int64]:
        return select(np.stack([member.right for member in members]), self.probe.members)

    def _numbers(self) -> range:
        return range(1, self.probe.members + 1)

    def _at_common_l2(self, settings: Sequence[Setting]) -> Ensemble:
        by_l2: dict[float, list[Member]] = {}
        for member in self.learner.fit(settings):
            by_l2.setdefault(member.l2, []).append(member)
        whole = [members for members in by_l2.values() if len(members) == len(settings)]
        best = min(whole, key=lambda each: log_loss(np.mean([m.right for m in each], axis=0)))
        return Ensemble(self.learner, best, [1] * len(best))


def _number(place: int, number: int, members: int) -> int:
    """Replicates that no two of the chosen share: they would err alike."""
    return place * members + number
