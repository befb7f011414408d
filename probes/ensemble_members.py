"""The members of probe ensembles: what sets them apart, and their fits as groups of problems.

Members that read the same features are problems of one walk of the solver, whatever their label
smoothing, their bootstrap replicate or their starting point; every L2 of the walk's path gives one
candidate more, at no other price than its passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .base import Labels
from .design import Design
from .greedy_selection import log_loss
from .label_smoothing import SmoothedObjective
from .objective import Objective
from .solver import TOLERANCE, Solution, solve

CHOOSE = "choose"
"""The held-out targets on which members are chosen; all of them have labels that train has."""


class Layout(Protocol):
    """What gives the standardised features of a source, whenever they are needed.

    A source is a layer or a mix of layers, known by its number.
    """

    def __call__(self, source: int, subspace: int) -> Mapping[str, Design]:
        """The designs of ``train``, ``choose`` and whatever else is to be predicted.

        ``subspace`` other than 0 asks for those dimensions that ``subspace_of`` draws.
        """
        ...


@dataclass(frozen=True)
class Setting:
    """What a member reads and learns from, all but its L2.

    ``replicate`` and ``subspace`` are seeds of draws of training clusters and of features, 0 for
    all of them; ``seed`` is that of the weights it starts from, which are 0 for 0.
    """

    source: int
    smoothing: float = 0.0
    replicate: int = 0
    subspace: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Member:
    """A fitted linear classifier.

    ``columns`` (classes, dim + 1) gives its logits of standardised features, the intercept last,
    minus infinity for a class that it has not seen; ``right`` (targets,) is what it gives the gold
    labels of the targets to choose on.
    """

    setting: Setting
    l2: float
    columns: Tensor
    right: NDArray[np.float64]
    converged: bool
    passes: int

    @property
    def loss(self) -> float:
        """The log-loss on the targets to choose on, in nats."""
        return float(log_loss(self.right))


@dataclass(frozen=True)
class Learner:
    """The training targets, those to choose on, and how members are fitted to them.

    ``labels`` and ``clusters`` are (targets,) of the training targets, ``chosen_by`` the labels of
    those to choose on. A path ends once its log-loss there was worse than its best ``patience``
    times in a row. ``tolerance`` is that of ``solver.solve``.
    """

    layout: Layout
    labels: Labels
    clusters: NDArray[np.int64]
    chosen_by: Labels
    classes: int
    l2: Sequence[float]
    patience: int = 2
    tolerance: float = TOLERANCE

    def fit(
        self, settings: Sequence[Setting], at: Mapping[Setting, float] | None = None
    ) -> list[Member]:
        """A member for each setting and L2 of its path, or for its own L2 in ``at`` alone.

        Settings that read the same features are fitted together.
        """
        groups: dict[tuple[int, int], list[Setting]] = {}
        for setting in settings:
            groups.setdefault((setting.source, setting.subspace), []).append(setting)
        found: dict[Setting, list[Member]] = {}
        for (source, subspace), group in groups.items():
            found |= self._fit_group(self.layout(source, subspace), group, at)
        return [member for setting in settings for member in found[setting]]

    def predict(self, members: Sequence[Member], name: str) -> NDArray[np.float64]:
        """What each member gives the targets of that name: (members, targets, classes)."""
        groups: dict[tuple[int, int], list[int]] = {}
        for i, member in enumerate(members):
            setting = member.setting
            groups.setdefault((setting.source, setting.subspace), []).append(i)
        found: list[NDArray[np.float64]] = [np.empty(0)] * len(members)
        for (source, subspace), which in groups.items():
            design = self.layout(source, subspace)[name]
            columns = torch.stack([members[i].columns for i in which])
            for i, probabilities in zip(which, _probabilities(design, columns), strict=True):
                found[i] = probabilities
        return np.stack(found)

    def _fit_group(
        self,
        designs: Mapping[str, Design],
        settings: Sequence[Setting],
        at: Mapping[Setting, float] | None,
    ) -> dict[Setting, list[Member]]:
        seen = np.unique(self.labels)
        number = np.zeros(self.classes, dtype=np.int64)
        number[seen] = np.arange(len(seen))
        weights = None
        if any(setting.replicate for setting in settings):
            weights = np.stack([replicate(self.clusters, s.replicate) for s in settings])
        objective = SmoothedObjective(
            designs["train"],
            torch.from_numpy(np.tile(number[self.labels], (len(settings), 1))),
            max(2, len(seen)),
            None if weights is None else torch.from_numpy(weights),
            smoothing=torch.tensor([setting.smoothing for setting in settings]),
            seeds=torch.tensor([setting.seed for setting in settings]),
        )
        found: dict[Setting, list[Member]] = {setting: [] for setting in settings}
        worse = [0] * len(settings)

        def done(solution: Solution) -> bool:
            setting = settings[solution.problem]
            wanted = None if at is None else at[setting]
            if wanted is not None and solution.l2 != wanted:
                return True
            columns = _columns(objective, solution, seen, self.classes)
            right = _probabilities(designs[CHOOSE], columns[None])[0]
            right = right[np.arange(len(self.chosen_by)), self.chosen_by]
            lowest = min((member.loss for member in found[setting]), default=np.inf)
            member = Member(
                setting, solution.l2, columns, right, solution.converged, solution.passes
            )
            found[setting].append(member)
            worse[solution.problem] = worse[solution.problem] + 1 if member.loss >= lowest else 0
            return wanted is None and worse[solution.problem] < self.patience

        weakest = min(self.l2 if at is None else (at[setting] for setting in settings))
        path = [value for value in self.l2 if value >= weakest]
        solve(objective, path, done, tolerance=self.tolerance)
        return found


def replicate(clusters: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """How often each target's cluster is drawn when as many as there are are drawn with
    replacement, (targets,); once for the seed 0.

    What is drawn is scaled to the number of targets, so that an L2 means the same.
    """
    _, number = np.unique(clusters, return_inverse=True)
    total = int(number.max()) + 1
    if not seed or total == 1:
        return np.ones(len(clusters))
    random = np.random.default_rng(seed)
    drawn = random.multinomial(total, np.full(total, 1 / total))[number].astype(np.float64)
    return np.asarray(drawn * (len(drawn) / drawn.sum()))


def mixes(layers: int, count: int, seed: int) -> NDArray[np.float64]:
    """The weights of sources, (sources, layers): each layer alone, then ``count`` random mixes.

    Mixes are uniform over all weights that sum to one. One layer has no mixes.
    """
    random = np.random.default_rng([seed, layers])
    drawn = random.dirichlet(np.ones(layers), size=count if layers > 1 else 0)
    return np.concatenate([np.eye(layers), drawn.reshape(-1, layers)])


def subspace_of(dim: int, seed: int) -> NDArray[np.int64]:
    """Half of the dimensions, drawn without replacement; all of them for the seed 0.

    Source: Ho 1998, The random subspace method for constructing decision forests.
    """
    if not seed:
        return np.arange(dim)
    return np.sort(np.random.default_rng(seed).choice(dim, max(1, dim // 2), replace=False))


def _columns(
    objective: Objective, solution: Solution, seen: NDArray[np.int64], classes: int
) -> Tensor:
    """A solution's logits as columns for all classes, (classes, dim + 1)."""
    problem, vectors = solution.problem, solution.vectors
    columns = vectors.clone()
    first = objective.order[problem]
    if objective.classes == 2:
        columns = vectors.new_zeros(2, vectors.shape[1])
        columns[first[0]] = vectors[0]
    columns[first[objective.absent[problem]], -1] = -torch.inf
    every = vectors.new_zeros(classes, vectors.shape[1])
    every[:, -1] = -torch.inf
    every[torch.from_numpy(seen)] = columns[: len(seen)]
    return every


def _probabilities(design: Design, columns: Tensor) -> NDArray[np.float64]:
    """Of (n, classes, dim + 1) columns in one pass: (n, rows, classes)."""
    count, classes, _ = columns.shape
    columns = columns.to(design.device, design.dtype)
    sweep = design.sweep(columns[..., :-1].flatten(0, 1), columns[..., -1].flatten())
    found = np.empty((count, design.rows, classes))
    for rows in design.parts():
        logits = sweep.logits(rows).view(count, classes, -1).double()
        found[:, rows] = torch.softmax(logits, dim=1).transpose(1, 2).cpu().numpy()
    return found
