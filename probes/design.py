"""The feature matrix as the solver sees it: something to multiply with, part by part.

A design may hold its rows in memory, read them from a layer on disk, or form them from words only
when they are needed. All of it is in standardised features: less the mean, divided by the spread,
both of the training rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

PART = 1024
"""Rows that are multiplied at once on a CPU: few enough to stay in its cache."""

PART_ON_A_GPU = 2**16

IN_MEMORY = 2**30
"""Bytes up to which a design keeps its standardised rows; above, each pass forms them anew."""

EXACT = 2**19
"""Values of a matrix so small that products in float64 cost nothing."""

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Moments:
    """The mean and the spread of each feature, of shape (dim,).

    The spread of a constant feature is infinite, so that it becomes 0.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def of(cls, parts: Iterable[Array], weights: NDArray[np.float64] | None = None) -> Moments:
        """Those of the rows of all parts, each of shape (rows, dim); rows may have weights."""
        total, start = 0.0, 0
        shift = first = second = np.zeros(0)
        for part in parts:
            rows = np.asarray(part, dtype=np.float64)
            if not start:
                # Far from 0 a variance is the small difference of two large numbers.
                shift = rows.mean(axis=0)
                first, second = np.zeros_like(shift), np.zeros_like(shift)
            w = np.ones(len(rows)) if weights is None else weights[start : start + len(rows)]
            rows = rows - shift
            first += w @ rows
            second += w @ rows**2
            total += w.sum()
            start += len(rows)
        mean = first / total
        spread = np.sqrt(np.maximum(second / total - mean**2, 0))
        mean = mean + shift
        # Below this the spread of a constant feature is rounding error.
        constant = spread <= 1e-6 * np.maximum(np.abs(mean), 1e-30)
        return cls(mean, np.where(constant, np.inf, spread))

    @classmethod
    def of_rows(cls, array: Array, index: NDArray[np.int64] | None = None) -> Moments:
        """Those of an array's rows, or of the rows of these indices, read part by part."""
        count = len(array) if index is None else len(index)
        slices = (slice(start, start + PART) for start in range(0, count, PART))
        return cls.of(array[rows if index is None else index[rows]] for rows in slices)

    def standardise(self, rows: Array) -> NDArray[np.float64]:
        """Rows of shape (rows, dim), less the mean, over the spread."""
        # In float64, or large numbers that differ little would lose what they differ by.
        return (np.asarray(rows, dtype=np.float64) - self.mean) / self.scale


class Sweep(Protocol):
    """One pass over a design's rows, part by part, with a set of columns of weights."""

    def logits(self, rows: slice) -> Tensor:
        """The columns times the features of those rows, and the intercepts: (columns, rows)."""
        ...

    def add(self, rows: slice, residual: Tensor) -> None:
        """Add residuals of shape (columns, rows) times the features of those rows."""
        ...

    def gradient(self) -> Tensor:
        """What was added up, of shape (columns, dim), in float64."""
        ...


class Design(Protocol):
    """Standardised features of shape (rows, dim)."""

    rows: int
    dim: int
    dtype: torch.dtype
    device: torch.device

    def parts(self) -> Iterator[slice]:
        """All rows, in order, in parts that are worth multiplying at once."""
        ...

    def features(self, rows: slice | Tensor) -> Tensor:
        """The rows of a slice or of a list of indices, of shape (rows, dim)."""
        ...

    def sweep(self, columns: Tensor, intercepts: Tensor) -> Sweep:
        """Start a pass with weights of shape (columns, dim) and intercepts (columns,)."""
        ...

    def take(self, rows: Tensor) -> Design:
        """The design of the rows of these indices, in this order, with the same moments."""
        ...


class DenseDesign:
    """A design over rows of an array of shape (any, dim), in memory or mapped from a file.

    The standardised rows are kept in memory if they take at most ``in_memory`` bytes; otherwise
    they are formed part by part in each pass, and nothing but a part is held. Products are in
    float32, or in float64 where the matrix is so small that this costs nothing.
    """

    def __init__(
        self,
        array: Array,
        moments: Moments,
        *,
        index: NDArray[np.int64] | None = None,
        device: torch.device | str = "cpu",
        in_memory: int = IN_MEMORY,
        part: int | None = None,
    ) -> None:
        """``index`` (rows,) says which rows of the array are meant, all of them for None."""
        self.rows, self.dim = len(array) if index is None else len(index), array.shape[1]
        self.device = torch.device(device)
        self.dtype = torch.float64 if self.rows * self.dim <= EXACT else torch.float32
        self._array, self._moments, self._limit = array, moments, in_memory
        self._index = index
        self._part = part or (PART if self.device.type == "cpu" else PART_ON_A_GPU)
        self._kept: Tensor | None = None
        if self.rows * self.dim * self.dtype.itemsize <= in_memory:
            kept = torch.empty(self.rows, self.dim, dtype=self.dtype, device=self.device)
            for rows in self.parts():
                kept[rows] = self._form(rows)
            self._kept = kept

    def parts(self) -> Iterator[slice]:
        """All rows, in order."""
        for start in range(0, self.rows, self._part):
            yield slice(start, min(start + self._part, self.rows))

    def features(self, rows: slice | Tensor) -> Tensor:
        """The standardised rows, of shape (rows, dim)."""
        if self._kept is not None:
            return self._kept[rows]
        return self._form(rows if isinstance(rows, slice) else rows.cpu().numpy())

    def sweep(self, columns: Tensor, intercepts: Tensor) -> DenseSweep:
        """Start a pass."""
        return DenseSweep(self, columns, intercepts)

    def take(self, rows: Tensor) -> DenseDesign:
        """The design of the rows of these indices."""
        chosen = rows.cpu().numpy()
        return DenseDesign(
            self._array,
            self._moments,
            index=chosen if self._index is None else self._index[chosen],
            device=self.device,
            in_memory=self._limit,
            part=self._part,
        )

    def _form(self, rows: slice | NDArray[np.int64]) -> Tensor:
        raw = self._array[rows if self._index is None else self._index[rows]]
        if raw.dtype == np.float16 and self.dtype == torch.float32:
            # Half as exact as float32 is: nothing is lost by standardising in that.
            quick = raw.astype(np.float32)
            quick -= self._moments.mean.astype(np.float32)
            quick /= self._moments.scale.astype(np.float32)
            return torch.from_numpy(quick).to(self.device)
        return torch.from_numpy(self._moments.standardise(raw)).to(self.device, self.dtype)


class DenseSweep:
    """A pass that multiplies with the rows themselves."""

    def __init__(self, design: Design, columns: Tensor, intercepts: Tensor) -> None:
        self._design = design
        self._columns = columns.contiguous()
        self._intercepts = intercepts[:, None]
        self._sum = torch.zeros(columns.shape, dtype=torch.float64, device=columns.device)
        self._part = torch.empty(0)

    def logits(self, rows: slice) -> Tensor:
        """Of shape (columns, rows)."""
        self._part = self._design.features(rows)
        return torch.addmm(self._intercepts, self._columns, self._part.T)

    def add(self, rows: slice, residual: Tensor) -> None:
        """For the rows of the last ``logits``."""
        self._sum += residual @ self._part

    def gradient(self) -> Tensor:
        """Of shape (columns, dim)."""
        return self._sum
