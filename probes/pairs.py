"""Pairs of spans as a design: the features of many pairs, formed from the vectors of fewer spans.

A pair's features are a, b, a * b and |a - b| (``spans.pair_features``): four times the width of a
span, in as many rows as there are pairs. A span takes part in many pairs, so that the rows are far
larger than what they are made of.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .design import EXACT, IN_MEMORY, PART, PART_ON_A_GPU, Array, DenseSweep, Moments, Sweep

_FEW = 4  # pairs a span below which rows that are kept are faster than rows that are formed
_SHARED = 2  # pairs a span from which multiplying spans is less work than multiplying pairs
_MOMENTS_PART = 256  # rows that stay in the cache in float64


def pair_moments(
    spans: Array, pairs: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> Moments:
    """The moments of the features of all pairs, of shape (4 * dim,), part by part.

    ``spans`` has the shape (spans, dim); ``pairs``, of shape (pairs, 2), are rows of it; pairs may
    have weights (pairs,).
    """

    def parts() -> Iterator[NDArray[np.float64]]:
        for start in range(0, len(pairs), _MOMENTS_PART):
            some = pairs[start : start + _MOMENTS_PART]
            a, b = (spans[some[:, side]].astype(np.float64) for side in (0, 1))
            yield np.concatenate([a, b, a * b, np.abs(a - b)], axis=1)

    return Moments.of(parts(), weights)


class PairDesign:
    """A design over pairs of rows of ``spans``, of shape (spans, dim): (pairs, 4 * dim) features.

    ``pairs``, of shape (pairs, 2), says which two rows each pair is of; ``moments`` are those of
    ``pair_moments``. ValueError if a pair is of a span that is not there, or the moments are not of
    as many features. Products are in float32, or in float64 where pairs * 4 * dim is so small that
    this costs nothing.

    Measured with 384 dimensions (``benchmarks/pairs.py``), the rule for a pass of k columns is:

    - below 4 pairs a span, and if they fit into ``in_memory`` bytes, the rows are formed once and
      kept: 16 * dim * pairs bytes in float32, 4 * dim * (spans + 4 * pairs) in all;
    - from 2 pairs a span on, a and b are multiplied once a span, and only a * b and |a - b| pair by
      pair: 4 * dim * spans bytes, and 16 * k * spans more in a pass if that is at most
      ``in_memory``;
    - otherwise, all is formed and multiplied part by part: 4 * dim * spans bytes.

    Each adds 16 bytes a pair. Spans are those that occur in a pair, if they are less than half.
    """

    def __init__(
        self,
        spans: Array,
        pairs: NDArray[np.int64],
        moments: Moments,
        *,
        device: torch.device | str = "cpu",
        in_memory: int = IN_MEMORY,
        part: int | None = None,
    ) -> None:
        if pairs.ndim != 2 or pairs.shape[1] != 2:
            raise ValueError(f"pairs have the shape (pairs, 2), not {pairs.shape}")
        if len(pairs) and not 0 <= pairs.min() <= pairs.max() < len(spans):
            raise ValueError(f"a pair is of a span outside the {len(spans)} there are")
        width = spans.shape[1]
        self.dim = 4 * width
        if len(moments.mean) != self.dim:
            raise ValueError(f"moments of {len(moments.mean)} features, not {self.dim}")
        self.device = torch.device(device)
        self.in_memory = in_memory
        self._part = part or (PART if self.device.type == "cpu" else PART_ON_A_GPU)
        self.first, self.second = torch.from_numpy(pairs).to(self.device).T.contiguous()
        self.inverse = 1 / torch.from_numpy(moments.scale).to(self.device)  # (4 * dim,)
        mean = torch.from_numpy(moments.mean).to(self.device).view(4, width)
        # Far from 0, float32 would lose what the spans differ by: they are held less a centre c.
        # As a = a' + c and b = b' + c, a * b is a' * b' + c * (a' + b') + c * c.
        self.centre = (mean[0] + mean[1]) / 2  # (dim,)
        self.offset = self.centre - mean[0]  # of a' from its mean; that of b' is its negative
        self.shift = torch.cat([mean[2] - self.centre**2, mean[3]])  # (2 * dim,)
        self.spans = torch.empty(spans.shape, dtype=self._type(), device=self.device)
        for start in range(0, len(spans), PART):
            some = torch.from_numpy(spans[start : start + PART].astype(np.float64))
            self.spans[start : start + PART] = some.to(self.device) - self.centre
        self._settle()

    def parts(self) -> Iterator[slice]:
        """All pairs, in order."""
        for start in range(0, self.rows, self._part):
            yield slice(start, min(start + self._part, self.rows))

    def features(self, rows: slice | Tensor) -> Tensor:
        """The standardised rows, of shape (rows, 4 * dim)."""
        return self._kept[rows] if self._kept is not None else self._features(rows)

    def sweep(self, columns: Tensor, intercepts: Tensor) -> Sweep:
        """Start a pass, in the way that is fastest for so many columns."""
        if self._kept is not None:
            return DenseSweep(self, columns, intercepts)
        projected = 4 * len(self.spans) * len(columns) * self.dtype.itemsize
        if self.rows >= _SHARED * len(self.spans) and projected <= self.in_memory:
            return FactoredSweep(self, columns, intercepts)
        return PairSweep(self, columns, intercepts)

    def take(self, rows: Tensor) -> PairDesign:
        """The design of the pairs of these indices, with the same moments; it shares the spans."""
        taken = copy.copy(self)
        rows = rows.to(self.device)
        taken.first, taken.second = self.first[rows], self.second[rows]
        taken._settle()
        return taken

    def space(self, rows: int) -> Tensor:
        """Room for what ``combine`` makes of so many pairs."""
        return torch.empty(rows * self.dim, dtype=self.dtype, device=self.device)

    def combine(self, rows: slice | Tensor, space: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """a' and b' (rows, dim), and a' * b' beside |a - b|, less their means, (rows, 2 * dim)."""
        first, second = self.first[rows], self.second[rows]
        width, half = self.dim // 4, len(first) * self.dim // 2
        a, b = space[:half].view(2, -1, width)
        both = space[half : 2 * half].view(-1, 2 * width)
        torch.index_select(self.spans, 0, first, out=a)
        torch.index_select(self.spans, 0, second, out=b)
        torch.mul(a, b, out=both[:, :width])
        torch.sub(a, b, out=both[:, width:]).abs_()
        both -= self.shift.to(self.dtype)
        return a, b, both

    def _features(self, rows: slice | Tensor) -> Tensor:
        count = len(self.first[rows])
        a, b, both = self.combine(rows, self.space(count))
        both[:, : self.dim // 4].addcmul_(a + b, self.centre.to(self.dtype))
        offset = self.offset.to(self.dtype)
        return torch.cat([a + offset, b - offset, both], dim=1).mul_(self.inverse.to(self.dtype))

    def _type(self) -> torch.dtype:
        return torch.float64 if len(self.first) * self.dim <= EXACT else torch.float32

    def _settle(self) -> None:
        """What follows from which pairs there are."""
        self.rows, self.dtype = len(self.first), self._type()
        both = torch.stack([self.first, self.second])
        used, place = torch.unique(both, return_inverse=True)
        if self.spans.dtype != self.dtype or 2 * len(used) < len(self.spans):
            # To multiply the spans of no pair would cost more than this copy.
            self.spans = self.spans[used].to(self.dtype)
            self.first, self.second = place
        self._kept: Tensor | None = None
        size = self.rows * self.dim * self.dtype.itemsize
        if self.rows < _FEW * len(used) and size <= self.in_memory:
            kept = torch.empty(self.rows, self.dim, dtype=self.dtype, device=self.device)
            for rows in self.parts():
                kept[rows] = self._features(rows)
            self._kept = kept


class PairSweep:
    """A pass that forms the pairs part by part. Standardisation is folded into the columns."""

    def __init__(self, design: PairDesign, columns: Tensor, intercepts: Tensor) -> None:
        self._design = design
        scaled = columns.double() * design.inverse  # (columns, 4 * dim)
        a, b, product, distance = scaled.chunk(4, dim=1)
        shifted = intercepts.double() + (a - b) @ design.offset
        self._a = (a + product * design.centre).to(design.dtype)  # (columns, dim)
        self._b = (b + product * design.centre).to(design.dtype)  # (columns, dim)
        self._both = torch.cat([product, distance], dim=1).to(design.dtype)  # (columns, 2 * dim)
        self._intercepts = shifted.to(design.dtype)[:, None]  # (columns, 1)
        self._sum = torch.zeros_like(scaled)
        self._total = torch.zeros_like(shifted)
        self._space = torch.empty(0)
        self._part = (self._space,) * 3

    def logits(self, rows: slice) -> Tensor:
        """Of shape (columns, rows)."""
        if not len(self._space):
            self._space = self._design.space(rows.stop - rows.start)  # the first part is no smaller
        self._part = self._design.combine(rows, self._space)
        return torch.addmm(self._linear(rows), self._both, self._part[2].T)

    def add(self, rows: slice, residual: Tensor) -> None:
        """For the rows of the last ``logits``."""
        width = self._a.shape[1]
        self._total += residual.sum(dim=1, dtype=torch.float64)
        self._sum[:, 2 * width :] += residual @ self._part[2]
        self._add_linear(rows, residual)

    def gradient(self) -> Tensor:
        """Of shape (columns, 4 * dim)."""
        design = self._design
        a, b, product, distance = self._sum.chunk(4, dim=1)
        offset = self._total[:, None] * design.offset
        product = product + (a + b) * design.centre
        return torch.cat([a + offset, b - offset, product, distance], dim=1) * design.inverse

    def _linear(self, rows: slice) -> Tensor:
        a, b, _ = self._part
        return torch.addmm(self._intercepts, self._a, a.T).addmm_(self._b, b.T)

    def _add_linear(self, rows: slice, residual: Tensor) -> None:
        a, b, _ = self._part
        width = a.shape[1]
        self._sum[:, :width] += residual @ a
        self._sum[:, width : 2 * width] += residual @ b


class FactoredSweep(PairSweep):
    """A pass that multiplies a and b once a span: pairs gather the products and add residuals.

    On a GPU the residuals of a span are added in no fixed order.
    """

    def __init__(self, design: PairDesign, columns: Tensor, intercepts: Tensor) -> None:
        super().__init__(design, columns, intercepts)
        spans = len(design.spans)
        # As a is in the upper half and b in the lower, a pair is the sum of two rows.
        self._projected = design.spans.new_empty(2 * spans, len(columns))
        torch.addmm(self._intercepts.T, design.spans, self._a.T, out=self._projected[:spans])
        torch.mm(design.spans, self._b.T, out=self._projected[spans:])
        self._residuals: Tensor | None = None  # as ``_projected``

    def gradient(self) -> Tensor:
        """Of shape (columns, 4 * dim)."""
        if self._residuals is not None:
            spans = self._design.spans
            halves, totals = self._residuals.chunk(2), self._sum.chunk(4, dim=1)[:2]
            for half, total in zip(halves, totals, strict=True):
                for start in range(0, len(spans), PART):
                    total += half[start : start + PART].T @ spans[start : start + PART]
            self._residuals = None
        return super().gradient()

    def _linear(self, rows: slice) -> Tensor:
        return torch.nn.functional.embedding_bag(
            torch.stack(self._places(rows), dim=1), self._projected, mode="sum"
        ).T

    def _add_linear(self, rows: slice, residual: Tensor) -> None:
        if self._residuals is None:
            self._residuals = torch.zeros_like(self._projected)
        turned = residual.T.contiguous()  # (rows, columns): whole rows are added much faster
        for place in self._places(rows):
            self._residuals.index_add_(0, place, turned)

    def _places(self, rows: slice) -> list[Tensor]:
        design = self._design
        return [design.first[rows], design.second[rows] + len(design.spans)]
