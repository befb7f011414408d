"""Features that are nearly all 0, as one-hot words are: a design that keeps the others alone.

A row of a one-hot encoder is as wide as a vocabulary and has a single value that is not 0. Less
the mean it would have none that is, so that the mean is taken off the products instead.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from .design import EXACT, PART_ON_A_GPU, Moments

_PART = 4096  # rows, of which each is a few values


def sparse_moments(matrix: csr_array) -> Moments:
    """The moments of the features of a matrix of shape (rows, dim), as ``Moments.of`` has them."""
    values = matrix.astype(np.float64)
    mean = np.asarray(values.mean(axis=0))
    # Most values are 0, so that there is no shift that would make the difference more exact.
    spread = np.sqrt(np.maximum(np.asarray((values * values).mean(axis=0)) - mean**2, 0))
    constant = spread <= 1e-6 * np.maximum(np.abs(mean), 1e-30)
    return Moments(mean, np.where(constant, np.inf, spread))


class SparseDesign:
    """A design over a sparse matrix of shape (rows, dim), whose moments are those of ``moments``.

    It stands for the same standardised features as a ``DenseDesign`` of the matrix written out: a
    pass of k columns takes k operations a value that is not 0, and 12 * k * dim bytes beside 12
    bytes a value. Products are in float32, or in float64 where the matrix written out would be
    small; sums are in float64. ValueError if the moments are not of as many features.
    """

    def __init__(
        self,
        matrix: csr_array,
        moments: Moments,
        *,
        device: torch.device | str = "cpu",
        part: int | None = None,
    ) -> None:
        self.rows, self.dim = matrix.shape
        if len(moments.mean) != self.dim:
            raise ValueError(f"moments of {len(moments.mean)} features, not {self.dim}")
        self.device = torch.device(device)
        self.dtype = torch.float64 if self.rows * self.dim <= EXACT else torch.float32
        self._matrix, self._moments = matrix, moments
        self._part = part or (_PART if self.device.type == "cpu" else PART_ON_A_GPU)
        # Of the values that are not 0: the row that begins at each place, the feature, the value.
        self._starts = matrix.indptr.astype(np.int64)
        self._index = torch.from_numpy(matrix.indices.astype(np.int64)).to(self.device)
        self._values = torch.from_numpy(matrix.data).to(self.device, self.dtype)
        self.inverse = 1 / torch.from_numpy(moments.scale).to(self.device)  # (dim,)
        self.centre = torch.from_numpy(moments.mean).to(self.device) * self.inverse  # (dim,)

    def parts(self) -> Iterator[slice]:
        """All rows, in order."""
        for start in range(0, self.rows, self._part):
            yield slice(start, min(start + self._part, self.rows))

    def features(self, rows: slice | Tensor) -> Tensor:
        """The standardised rows written out, of shape (rows, dim): for a few rows only."""
        chosen = rows if isinstance(rows, slice) else rows.cpu().numpy()
        written = self._moments.standardise(self._matrix[chosen].toarray())
        return torch.from_numpy(written).to(self.device, self.dtype)

    def sweep(self, columns: Tensor, intercepts: Tensor) -> SparseSweep:
        """Start a pass."""
        return SparseSweep(self, columns, intercepts)

    def take(self, rows: Tensor) -> SparseDesign:
        """The design of the rows of these indices."""
        return SparseDesign(
            self._matrix[rows.cpu().numpy()], self._moments, device=self.device, part=self._part
        )

    def square_sums(self, weights: Tensor) -> Tensor:
        """The sums over rows of weights (n, rows) times the squares of the features: (n, dim)."""
        first = torch.zeros(self.dim, len(weights), dtype=torch.float64, device=self.device)
        second = torch.zeros_like(first)
        for rows in self.parts():
            starts, index, values = self.values(rows)
            each = _repeat(weights[:, rows].T.double(), starts, len(index))  # (values, n)
            each = each * values[:, None].double()
            first.index_add_(0, index, each)
            second.index_add_(0, index, each * values[:, None].double())
        total = weights.sum(dim=1, dtype=torch.float64)  # (n,)
        inverse, centre = self.inverse[:, None], self.centre[:, None]
        sums = (second * inverse - 2 * first * centre) * inverse + total * centre**2
        return sums.clamp(min=0).T.to(self.dtype)

    def values(self, rows: slice) -> tuple[Tensor, Tensor, Tensor]:
        """Where each row starts among the values of these rows that are not 0, the feature that
        each of them is of, and the values: (rows,), (values,) and (values,)."""
        bounds = self._starts[rows.start : rows.stop + 1]
        starts = torch.from_numpy(bounds[:-1] - bounds[0]).to(self.device)
        some = slice(int(bounds[0]), int(bounds[-1]))
        return starts, self._index[some], self._values[some]


class SparseSweep:
    """A pass that multiplies the values that are not 0. Standardisation is in the columns."""

    def __init__(self, design: SparseDesign, columns: Tensor, intercepts: Tensor) -> None:
        self._design = design
        wide = columns.double()
        self._table = (wide * design.inverse).T.to(design.dtype).contiguous()  # (dim, columns)
        self._intercepts = (intercepts.double() - wide @ design.centre).to(design.dtype)
        self._sum = torch.zeros_like(self._table, dtype=torch.float64)
        self._total = torch.zeros_like(intercepts, dtype=torch.float64)

    def logits(self, rows: slice) -> Tensor:
        """Of shape (columns, rows)."""
        starts, index, values = self._design.values(rows)
        found = torch.nn.functional.embedding_bag(
            index, self._table, starts, mode="sum", per_sample_weights=values
        )
        return (found + self._intercepts).T.contiguous()

    def add(self, rows: slice, residual: Tensor) -> None:
        """Any rows, whether their ``logits`` were asked for or not."""
        starts, index, values = self._design.values(rows)
        each = _repeat(residual.T.contiguous(), starts, len(index)) * values[:, None]
        self._sum.index_add_(0, index, each.double())
        self._total += residual.sum(dim=1, dtype=torch.float64)

    def gradient(self) -> Tensor:
        """Of shape (columns, dim)."""
        design = self._design
        return self._sum.T * design.inverse - self._total[:, None] * design.centre


def _repeat(of_rows: Tensor, starts: Tensor, count: int) -> Tensor:
    """What each of ``count`` values has of its row: (rows, n) to (values, n)."""
    if count == len(starts) and bool((torch.diff(starts) == 1).all()):
        return of_rows  # one value a row, as single words have
    lengths = torch.diff(starts, append=starts.new_full((1,), count))
    return of_rows.repeat_interleave(lengths, dim=0)
