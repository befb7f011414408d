"""The curvature of the objective, roughly: what makes an L-BFGS step fit the problem's shape.

Near its optimum the objective bends thousands of times more in some directions than in others,
because the features of an encoder are correlated and because how sure the classifier is of a
class depends on the row. Two estimates of the inverse Hessian are used:

- *shared*: the covariance of the features times that of the class probabilities (a Kronecker
  product). Exact where the probabilities do not depend on the row, as at the start of the path;
  costs one eigendecomposition for all problems.
- *blocks*: for every class the Hessian of its own weights, from a sample of rows. A row is drawn
  with a probability that grows with its part in the block (its leverage times p (1 - p)).

Sparse features have a third, which takes the place of both (``feature_curvature``).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .design import IN_MEMORY, Design
from .feature_curvature import FeatureCurvature, SumsSquares, class_sums
from .objective import Objective

_FOR_THE_GRAM = 16  # rows per feature from which the covariance is estimated
_WIDEST = 2048  # features whose principal axes are worth their price
_FEWEST = 4096  # rows below which taking a sample saves nothing
_FOR_CLASSES = 64  # rows per class from which the covariance of the classes is estimated
_FOR_A_BLOCK = 5  # rows per feature from which a class's block is estimated
_SKETCH = 64  # random directions from which a leverage is estimated
_PATIENCE = 3.0  # a new estimate is made when the passes since the last cost this many estimates
_SUMS = 2.0  # what an estimate for sparse features costs, in passes
_GRAM_SHARE = 0.05  # of the covariance in a block: directions that the sample has missed

Curvature = Callable[[Tensor], Tensor]


class Gram:
    """The covariance of a design's features, its eigenvectors, and the leverage of each row.

    Very many features, as one-hot words have, stand for axes themselves.
    """

    def __init__(self, design: Design, weights: Tensor | None = None) -> None:
        """``weights`` (rows,) are those of the rows on average over the problems."""
        self.design = design
        wide = design.dim > _WIDEST
        size = _FEWEST if wide else max(_FEWEST, _FOR_THE_GRAM * design.dim)
        index = _spread(design.rows, size, design.device)
        sample = design.features(index)  # (sample, dim)
        weight = torch.ones_like(sample[:, 0]) if weights is None else weights[index]
        weight = weight / weight.sum()
        self.axes: Tensor | None = None  # (dim, dim), a column an axis; None: the features' own
        self._leverage: Tensor | None = None
        if wide:
            self.values = weight @ sample.square()  # (dim,)
            return
        self.matrix = sample.T @ (sample * weight[:, None])  # (dim, dim)
        values, axes = torch.linalg.eigh(self.matrix.double())
        self.values = values.clamp(min=0).to(design.dtype)  # (dim,)
        self.axes = axes.to(design.dtype)

    @property
    def leverage(self) -> Tensor:
        """How much a row reaches into rare directions, of shape (rows,), 1 on average."""
        if self._leverage is None:
            design = self.design
            generator = torch.Generator().manual_seed(0)
            noise = torch.randn(design.dim, _SKETCH, generator=generator, dtype=torch.float64)
            floor = 1e-3 * self.values.mean()
            assert self.axes is not None  # or blocks would be too dear
            root = self.axes / (self.values + floor).sqrt()  # (dim, dim)
            sketch = root @ noise.to(design.device, design.dtype)  # (dim, sketch)
            found = torch.cat(
                [(design.features(part) @ sketch).square().sum(dim=1) for part in design.parts()]
            )
            self._leverage = found / found.mean().clamp(min=1e-30)
        leverage: Tensor = self._leverage
        return leverage


class SharedCurvature:
    """Inverse of ``covariance of the classes x covariance of the features + penalty``."""

    def __init__(self, gram: Gram, classes: Tensor, penalty: float) -> None:
        """``classes`` (vectors, vectors) is the covariance of the class probabilities."""
        self.axes = gram.axes
        values, turn = torch.linalg.eigh(classes.double())
        # The weakest axis of a softmax, equal steps of all intercepts, changes nothing.
        values = values.clamp(min=1e-9 + 1e-4 * float(values.max()))
        bend = values[:, None] * gram.values.double()  # (vectors, dim)
        self.scale = (1 / (bend + penalty + 1e-9 * bend.max())).to(gram.values.dtype)
        self.intercepts = (1 / values).to(gram.values.dtype)  # (vectors,)
        self.turn = turn.to(gram.values.dtype)

    def __call__(self, gradient: Tensor) -> Tensor:
        """Of shape (n, vectors, dim + 1), as what it is applied to."""
        turned = self.turn.T @ gradient
        weights = turned[..., :-1]
        if self.axes is None:
            weights = weights * self.scale
        else:
            weights = ((weights @ self.axes) * self.scale) @ self.axes.T
        intercepts = turned[..., -1] * self.intercepts
        step: Tensor = self.turn @ torch.cat([weights, intercepts[..., None]], dim=2)
        return step


class BlockCurvature:
    """Inverses of one block a class, for one problem at one penalty."""

    def __init__(self, blocks: Tensor, penalty: float) -> None:
        """``blocks`` has the shape (vectors, dim + 1, dim + 1)."""
        diagonal = blocks.diagonal(dim1=1, dim2=2)
        jitter = 1e-5 * diagonal.mean(dim=1) + 1e-12
        for _ in range(8):
            ridge = torch.full_like(diagonal, penalty)
            ridge[:, -1] = 0
            root, failed = torch.linalg.cholesky_ex(
                blocks + torch.diag_embed(ridge + jitter[:, None])
            )
            if not bool(failed.any()):
                break
            jitter = jitter * 10
        self.inverse = torch.cholesky_inverse(root)
        self.gauge = len(blocks) > 1

    def __call__(self, gradient: Tensor) -> Tensor:
        """Of shape (n, vectors, dim + 1), as what it is applied to."""
        step = (self.inverse @ gradient.permute(1, 2, 0)).permute(2, 0, 1)
        return step - step.mean(dim=1, keepdim=True) if self.gauge else step


class Curvatures:
    """Which estimate each problem uses; blocks are estimated when that has become worth it."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.spent = [0] * objective.problems  # passes since the last estimate
        self.blocks: dict[int, Tensor] = {}
        self.by_feature = isinstance(objective.design, SumsSquares)
        if self.by_feature:
            self.price, self.room = _SUMS, objective.problems
            return
        weights = objective.weights
        self.gram = Gram(objective.design, None if weights is None else weights.mean(dim=0))
        rows, dim, vectors = objective.design.rows, objective.design.dim, objective.vectors
        sample = min(rows, _FOR_A_BLOCK * dim)
        work = vectors * (2 * sample * dim**2 + dim**3)
        self.price = 0.5 + work / (4 * rows * dim * objective.columns)  # in passes
        # A problem's blocks and their inverses; problems beyond the room do without.
        size = 2 * vectors * (dim + 1) ** 2 * objective.design.dtype.itemsize
        self.room = 0 if self.gram.axes is None else IN_MEMORY // size  # problems

    def count(self, problems: Tensor) -> None:
        """A pass of these problems was made."""
        for problem in problems.tolist():
            self.spent[problem] += 1

    def is_due(self, problem: int) -> bool:
        """Whether a new estimate for this problem has become worth its price, and has room."""
        has_room = problem in self.blocks or len(self.blocks) < self.room
        return has_room and self.spent[problem] >= _PATIENCE * self.price

    def forget(self, problem: int) -> None:
        """Free the room of a problem that is done."""
        self.blocks.pop(problem, None)

    def at(self, problem: int, penalty: float, vectors: Tensor) -> Curvature:
        """The estimate for a problem at these vectors, (vectors, dim + 1), and this penalty."""
        which = torch.tensor([problem], device=vectors.device)
        if self.by_feature:
            if self.is_due(problem) or problem not in self.blocks:
                self.spent[problem] = 0
                self.blocks[problem] = class_sums(self.objective, vectors[None], which)
            covariance = class_covariance(self.objective, vectors[None], which)
            return FeatureCurvature(self.blocks[problem], covariance, penalty)
        if self.is_due(problem):
            self.spent[problem] = 0
            self.blocks[problem] = class_blocks(self.objective, self.gram, vectors[None], which)
        if problem in self.blocks:
            return BlockCurvature(self.blocks[problem], penalty)
        covariance = class_covariance(self.objective, vectors[None], which)
        return SharedCurvature(self.gram, covariance, penalty)


def class_covariance(objective: Objective, vectors: Tensor, problem: Tensor) -> Tensor:
    """The mean over rows of diag(p) - p p' of one problem, of shape (vectors, vectors).

    ``vectors`` is (1, vectors, dim + 1), ``problem`` its number, of shape (1,).
    """
    design = objective.design
    size = max(_FEWEST, _FOR_CLASSES * objective.classes)
    index = _spread(design.rows, size, design.device)
    sample = design.take(index)
    p = torch.cat(list(objective.probabilities(sample, vectors, problem)), dim=2)[0]
    weight = torch.ones_like(p[0])  # (sample,)
    if objective.weights is not None:
        weight = objective.weights[problem, index].to(p.dtype)
    weight = weight / weight.sum().clamp(min=1e-30)
    if objective.classes == 2:
        return (weight * p[0] * p[1]).sum().view(1, 1)
    return torch.diag(p @ weight) - (p * weight) @ p.T


def class_blocks(objective: Objective, gram: Gram, vectors: Tensor, problem: Tensor) -> Tensor:
    """The Hessian's diagonal blocks of one problem: (vectors, dim + 1, dim + 1).

    ``vectors`` is (1, vectors, dim + 1), ``problem`` its number, of shape (1,).
    """
    design = objective.design
    bends = []
    for p in objective.probabilities(design, vectors, problem):
        if objective.classes == 2:
            p = p[:, :1]
        bends.append((p * (1 - p))[0])
    bend = torch.cat(bends, dim=1)  # (vectors, rows)
    if objective.weights is not None:
        bend *= objective.weights[problem]
    total = float(objective.total[problem])
    result = torch.empty(
        objective.vectors, design.dim + 1, design.dim + 1, dtype=design.dtype, device=design.device
    )
    for vector, each in enumerate(bend):
        index, weight = _sample(each, gram.leverage, _FOR_A_BLOCK * design.dim)
        rows = torch.nn.functional.pad(design.features(index), (0, 1), value=1.0)
        result[vector] = rows.T @ (rows * (weight / total)[:, None])
        result[vector] *= 1 - _GRAM_SHARE
        result[vector, :-1, :-1] += _GRAM_SHARE * float(each.sum()) / total * gram.matrix
        result[vector, -1, -1] += _GRAM_SHARE * float(each.sum()) / total
    return result


def _sample(bend: Tensor, leverage: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Rows, drawn systematically by their part in the block, and the weights that stand for all."""
    part = bend * leverage
    share = (part * (size / part.sum().clamp(min=1e-30))).double().clamp(max=1)
    for _ in range(3):  # what the cap took is given to the others
        share = (share * (min(size, len(share)) / share.sum().clamp(min=1e-30))).clamp(max=1)
    steps = (share.cumsum(0) + 0.5).floor()
    index = torch.nonzero(torch.diff(steps, prepend=steps.new_zeros(1)) > 0)[:, 0]
    return index, (bend[index] / share[index]).to(bend.dtype)


def _spread(rows: int, size: int, device: torch.device) -> Tensor:
    """At most ``size`` row numbers, evenly spread."""
    size = min(rows, size)
    return torch.arange(size, device=device) * rows // size
