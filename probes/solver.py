"""Many linear classifiers on one set of features, each to its optimum, fitted together.

The problems share every pass over the features: their weights stand side by side in one matrix
product. Each walks its own path of L2 values from strong to weak, at its own pace, so that the
product stays wide; one that is done leaves the work.

The method is L-BFGS with an inverse Hessian estimated from the features (``curvature``). Along the
path nothing that was learnt is lost: the optimum under one L2 is the start under the next, and the
pairs of steps and gradient changes are corrected exactly for the new penalty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from .curvature import Curvature, Curvatures
from .objective import Objective

TOLERANCE = 3e-7

_MEMORY = 20  # pairs of steps and gradient changes that are kept
_AHEAD = 0.7  # of the last move along the path: the first step under the next L2
_STRIDE = 10**0.5  # from one L2 to the next; a coarser path takes more passes in all
_SLOW = 5  # passes under one L2, after which a new estimate of the curvature may be worth it
_SHORTEST = 1e-6  # of a step, below which nothing is to be gained in this precision


@dataclass(frozen=True)
class Solution:
    """One problem's optimum under one L2.

    ``vectors`` (vectors, dim + 1), the intercept last; ``value`` the objective per unit of weight,
    penalty included, in nats; ``gap`` the estimated distance of the value from the optimum, as a
    share of the value; ``passes`` over the features that it took.
    """

    problem: int
    l2: float
    vectors: Tensor
    value: float
    gap: float
    converged: bool
    passes: int


def solve(
    objective: Objective,
    l2: Sequence[float],
    done: Callable[[Solution], bool],
    *,
    tolerance: float = TOLERANCE,
    limit: int = 300,
) -> None:
    """Walk every problem down the path of L2 values; ``done`` gets each solution as it is found.

    Minimises, for each problem, ``sum_i w_i * -ln p(y_i | x_i) + l2 / 2 * ||W||^2``; ``l2`` is
    1 / C of scikit-learn. ``done`` says whether the problem should go on to its next L2.

    The test of convergence is on the gap between the objective and its minimum, estimated as half
    the product of the gradient and the quasi-Newton step, over the objective. A problem that takes
    more than ``limit`` passes under one L2, or can no longer be improved in this precision, is
    handed over with ``converged`` False.

    Beside the design's own memory this takes, in values of its precision, for each problem about
    50 * vectors * (dim + 1) and, as long as all of them fit into ``design.IN_MEMORY`` bytes,
    2 * vectors * (dim + 1)^2 for its blocks; and once 3 * dim^2, a sample of 16 * dim rows, and a
    number a row. A pass holds a part of the rows times all columns.
    """
    walk = _Walk(objective, _path(l2), done, tolerance, limit)
    while len(walk.ids):
        walk.step()


def _path(l2: Sequence[float]) -> list[tuple[float, bool]]:
    """The values from strong to weak, each with whether it was asked for or is a step between."""
    asked = sorted(set(l2), reverse=True)
    path = [(asked[0], True)]
    for strong, weak in pairwise(asked):
        strides = max(1, round(np.log(strong / weak) / np.log(_STRIDE)))
        between = np.geomspace(strong, weak, strides + 1)[1:-1]
        path += [*((float(value), False) for value in between), (weak, True)]
    return path


class _Walk:
    """Where the active problems stand: tensors of shape (active, ...), scalars in float64."""

    def __init__(
        self,
        objective: Objective,
        path: list[tuple[float, bool]],
        done: Callable[[Solution], bool],
        tolerance: float,
        limit: int,
    ) -> None:
        self.objective, self.path, self.done = objective, path, done
        self.tolerance, self.limit = tolerance, limit
        self.aim = tolerance
        if objective.design.dtype == torch.float64:
            # The last steps are cheap there, and worth more; fewer to who asks for less than usual.
            self.aim = tolerance**2 if tolerance <= TOLERANCE else tolerance / 1000
        self.curvatures = Curvatures(objective)
        count = objective.problems
        self.ids = torch.arange(count, device=objective.design.device)
        self.place = [0] * count  # on the path
        self.passes = [0] * count  # under the present L2
        self.point = objective.start()  # (active, vectors, dim + 1)
        self.optimum = self.point.clone()  # under the L2 before
        memory = (count, _MEMORY, self.point[0].numel())
        self.moves, self.changes = self.point.new_zeros(memory), self.point.new_zeros(memory)
        self.newest = torch.zeros_like(self.ids)  # the place of the newest pair
        self.penalty = path[0][0] / objective.total  # (active,)
        self.value, self.gradient = self._evaluate(self.point)
        self.direction = torch.zeros_like(self.point)
        self.slope = torch.zeros_like(self.value)
        self.length = torch.ones_like(self.value)
        self.ahead = torch.zeros_like(self.value, dtype=torch.bool)
        self.curvature = [self._estimate(i) for i in range(count)]
        self._aim(torch.ones_like(self.ahead))

    def step(self) -> None:
        """Try a step of every active problem in one pass."""
        move = self.length.to(self.point.dtype)[:, None, None] * self.direction
        trial = self.point + move
        value, gradient = self._evaluate(trial)
        slack = 4 * torch.finfo(self.point.dtype).eps * self.value.abs()
        good = value <= self.value + 1e-4 * self.length * self.slope + slack
        self._remember(good, move, gradient - self.gradient)
        again = good | self.ahead
        self._shorten(~again, value)
        self.value = torch.where(good, value, self.value)
        self.point = torch.where(good[:, None, None], trial, self.point)
        self.gradient = torch.where(good[:, None, None], gradient, self.gradient)
        self._aim(again)

    def _evaluate(self, point: Tensor) -> tuple[Tensor, Tensor]:
        value, gradient = self.objective.evaluate(point, self.ids)
        self.passes = [passes + 1 for passes in self.passes]
        self.curvatures.count(self.ids)
        weights = point[..., :-1]
        gradient[..., :-1] += self.penalty.to(weights.dtype)[:, None, None] * weights
        return value + 0.5 * self.penalty * _dot(weights, weights), gradient

    def _remember(self, which: Tensor, move: Tensor, change: Tensor) -> None:
        which = which & (_dot(move, change) > 1e-12 * _dot(change, change))
        index = torch.nonzero(which)[:, 0]
        self.newest[index] = slot = (self.newest[index] + 1) % _MEMORY
        self.moves[index, slot] = move[index].flatten(1)
        self.changes[index, slot] = change[index].flatten(1)

    def _shorten(self, which: Tensor, value: Tensor) -> None:
        """After a step that did not help: to the minimum of a parabola through what is known."""
        t = self.length
        rise = value - self.value - t * self.slope
        best = torch.nan_to_num(-self.slope * t**2 / (2 * rise), nan=0.0)
        self.length = torch.where(which, best.clamp(0.1 * t, 0.5 * t), t)

    def _aim(self, which: Tensor) -> None:
        """New directions; a problem that is at its optimum goes on to the next L2 or leaves."""
        stay = torch.ones_like(which)
        stuck = ~which & (self.length < _SHORTEST)
        which = which | stuck
        for i in torch.nonzero(which)[:, 0].tolist():
            if self.passes[i] > _SLOW and self.curvatures.is_due(int(self.ids[i])):
                self.curvature[i] = self._estimate(i)
        while bool(which.any()):
            direction = self._newton(self.gradient)
            slope = _dot(self.gradient, direction)
            stale = which & ~(slope < 0)
            if bool(stale.any()):
                self.moves[stale] = self.changes[stale] = 0
                direction = self._newton(self.gradient)
                slope = _dot(self.gradient, direction)
            self.direction = torch.where(which[:, None, None], direction, self.direction)
            self.slope = torch.where(which, slope, self.slope)
            self.length = torch.where(which, 1.0, self.length)
            self.ahead &= ~which
            gap = (-0.5 * slope).clamp(min=0) / self.value.clamp(min=1e-300) + 0.0
            tired = torch.tensor([n >= self.limit for n in self.passes], device=which.device)
            found = which & ((gap <= self.aim) | stuck | tired)
            for i in torch.nonzero(found)[:, 0].tolist():
                stay[i] = self._hand_over(i, float(gap[i])) and self._go_on(i)
            which = found & stay & ~self.ahead
            stuck = torch.zeros_like(which)
        if not bool(stay.all()):
            self._keep(stay)

    def _newton(self, gradient: Tensor) -> Tensor:
        """Minus the inverse Hessian times the gradient: L-BFGS in its compact form.

        The two loops of Nocedal 1980 are two triangular systems in the products of the pairs
        (Byrd, Nocedal & Schnabel 1994, theorem 2.2). A pair that was never filled is 0.
        """
        moves, changes = self.moves, self.changes  # (active, memory, vectors * (dim + 1))
        products = (moves @ changes.mT).double()  # (active, memory, memory)
        # The places of the pairs from the oldest to the newest.
        age = (self.newest[:, None] + 1 + torch.arange(_MEMORY, device=self.ids.device)) % _MEMORY
        products = products.gather(1, age[:, :, None].expand_as(products))
        products = products.gather(2, age[:, None, :].expand_as(products))
        age = age[..., None]  # (active, memory, 1)
        own = products.diagonal(dim1=1, dim2=2)
        own = torch.where(own > 0, own, 1.0)
        upper = products.triu(1) + torch.diag_embed(own)
        flat = gradient.flatten(1)[..., None]  # (active, vectors * (dim + 1), 1)
        along = _times(moves, flat).double().gather(1, age)
        first = torch.linalg.solve_triangular(upper, along, upper=True)
        filled = torch.empty_like(first).scatter_(1, age, first).to(flat.dtype)
        rest = flat - _times(changes.mT, filled)
        newest = torch.arange(len(self.ids), device=self.ids.device), self.newest
        # Both at once: the estimates are large, and reading them is most of the work.
        pair = torch.stack([rest[..., 0], changes[newest]], dim=1)
        step, bent = self._precondition(pair).unbind(dim=1)  # each (active, vectors * (dim + 1))
        scale = _scale(moves[newest], changes[newest], bent)
        step = (step * scale[:, None].to(step.dtype))[..., None]
        right = own[..., None] * first - _times(changes, step).double().gather(1, age)
        second = torch.linalg.solve_triangular(upper.mT, right, upper=False)
        second = torch.empty_like(second).scatter_(1, age, second).to(flat.dtype)
        result: Tensor = -(step + _times(moves.mT, second)).view_as(gradient)
        return result

    def _precondition(self, several: Tensor) -> Tensor:
        """For every active problem (n, vectors * (dim + 1)) times its estimate, in its shape."""
        shape = (several.shape[1], *self.point.shape[1:])
        found = [own(each.view(shape)) for own, each in zip(self.curvature, several, strict=True)]
        return torch.stack(found).view_as(several)

    def _estimate(self, i: int) -> Curvature:
        return self.curvatures.at(int(self.ids[i]), float(self.penalty[i]), self.point[i])

    def _hand_over(self, i: int, gap: float) -> bool:
        l2, asked = self.path[self.place[i]]
        passes, self.passes[i] = self.passes[i], 0
        if not asked:
            return True
        vectors, value = self.point[i].clone(), float(self.value[i])
        converged = gap <= self.tolerance
        return self.done(Solution(int(self.ids[i]), l2, vectors, value, gap, converged, passes))

    def _go_on(self, i: int) -> bool:
        """To the next L2 of problem i, which may have none."""
        self.place[i] += 1
        if self.place[i] == len(self.path):
            return False
        l2 = self.path[self.place[i]][0]
        penalty = l2 / self.objective.total[self.ids[i]]
        more = float(penalty - self.penalty[i])
        self.penalty[i] = penalty
        weights = self.point[i, :, :-1]
        self.value[i] += 0.5 * more * _dot(weights[None], weights[None])[0]
        self.gradient[i, :, :-1] += more * weights
        shape = (_MEMORY, *self.point[i].shape)
        self.changes[i].view(shape)[..., :-1] += more * self.moves[i].view(shape)[..., :-1]
        lost = _dot(self.moves[i], self.changes[i]) <= 0
        self.moves[i, lost] = self.changes[i, lost] = 0
        self.curvature[i] = self._estimate(i)
        if self.place[i] > 1:
            self.direction[i] = _AHEAD * (self.point[i] - self.optimum[i])
            self.slope[i] = _dot(self.gradient[i][None], self.direction[i][None])[0]
            self.length[i] = 1
            self.ahead[i] = self.slope[i] < 0
        self.optimum[i] = self.point[i]
        return True

    def _keep(self, stay: Tensor) -> None:
        for problem in self.ids[~stay].tolist():
            self.curvatures.forget(problem)
        state = "ids point optimum moves changes newest penalty"
        tried = "value gradient direction slope length ahead"
        for name in f"{state} {tried}".split():
            setattr(self, name, getattr(self, name)[stay])
        kept = stay.tolist()
        for name in ("place", "passes", "curvature"):
            values = getattr(self, name)
            setattr(self, name, [v for v, keep in zip(values, kept, strict=True) if keep])


def _scale(move: Tensor, change: Tensor, bent: Tensor) -> Tensor:
    """What estimates of the curvature are off by along the newest step (Shanno & Phua 1978).

    ``bent`` is the estimate times the change of the gradient. An estimate that bends too little
    makes steps too long, each of which costs a pass.
    """
    product, estimated = _dot(move, change), _dot(change, bent)
    scale = (product / estimated.clamp(min=1e-300)).clamp(0.1, 1)
    return torch.where((product > 0) & (estimated > 0), scale, 1.0)


def _times(matrices: Tensor, vectors: Tensor) -> Tensor:
    """(n, a, b) times (n, b, 1), several times faster than torch's own product of these shapes."""
    return (vectors.mT @ matrices.mT).mT


def _dot(first: Tensor, second: Tensor) -> Tensor:
    """The inner products of two batches, summed in float64."""
    return (first * second).flatten(1).sum(dim=1, dtype=torch.float64)
