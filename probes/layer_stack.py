"""Targets at several layers at once: what is mixed, and how the mixture depends on its parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .design import EXACT, PART, Array, DenseDesign, Design, Moments
from .pairs import PairDesign, pair_moments


@dataclass(frozen=True)
class LayerStack:
    """The same items (words or spans) at every layer, and the targets that are made of them.

    ``layers`` are arrays of shape (items, dim), in any precision; ``rows`` is (targets,), an item
    each, or (targets, 2), the two items of a pair, whose features (``spans.pair_features``) are
    formed after the mix. Pooling words to spans by a mean commutes with mixing, so that items may
    be pooled before.
    """

    layers: Sequence[Array]
    rows: NDArray[np.int64]

    def spreads(self) -> NDArray[np.float64]:
        """Of each layer, the root of the mean variance of its dimensions; 1 where that is 0."""
        return np.array([spread(layer) for layer in self.layers])

    def mix(self, factors: NDArray[np.float64]) -> Array:
        """``sum_l factors_l * layer_l``, of shape (items, dim), in float32, or float64 if small."""
        shape = self.layers[0].shape
        small = shape[0] * shape[1] <= EXACT
        mixed = torch.empty(shape, dtype=torch.float64 if small else torch.float32)
        for rows, parts in self._parts(mixed.dtype):
            out = mixed[rows].zero_()
            for factor, part in zip(factors.tolist(), parts, strict=True):
                out.add_(part, alpha=factor)
        return mixed.numpy()

    def products(self, gradient: Tensor) -> NDArray[np.float64]:
        """The inner product of (items, dim) with each layer: (layers,), summed in float64."""
        found = np.zeros(len(self.layers))
        for rows, parts in self._parts(gradient.dtype):
            own = gradient[rows]
            found += [float((own * part).sum(dtype=torch.float64)) for part in parts]
        return found

    def moments(self, mixed: Array) -> Moments:
        """Those of the targets' features, once their items are mixed."""
        if self.rows.ndim == 2:
            return pair_moments(mixed, self.rows)
        return Moments.of_rows(mixed, self.rows)

    def design(self, mixed: Array, moments: Moments, device: str) -> Design:
        """The targets' standardised features."""
        if self.rows.ndim == 2:
            return PairDesign(mixed, self.rows, moments, device=device)
        return DenseDesign(mixed, moments, index=self.rows, device=device)

    def back(self, mixed: Tensor, rows: slice, gradient: Tensor, into: Tensor) -> None:
        """Add what a gradient by the features of some targets means for their items.

        ``gradient`` is (targets, dim), or (targets, 4 * dim) for pairs; ``into`` and ``mixed`` are
        (items, dim).
        """
        index = torch.from_numpy(self.rows[rows])
        if index.ndim == 1:
            into.index_add_(0, index, gradient)
            return
        first, second = index.T
        a, b = mixed[first], mixed[second]
        of_a, of_b, product, distance = gradient.chunk(4, dim=1)
        turned = distance * (a - b).sign()
        into.index_add_(0, first, of_a + product * b + turned)
        into.index_add_(0, second, of_b + product * a - turned)

    def _parts(self, dtype: torch.dtype) -> Iterator[tuple[slice, list[Tensor]]]:
        for start in range(0, len(self.layers[0]), PART):
            rows = slice(start, start + PART)
            # A copy, for torch takes no read-only arrays, and a part is small.
            yield rows, [torch.tensor(layer[rows]).to(dtype) for layer in self.layers]


def spread(array: Array) -> float:
    """The root of the mean over dimensions of the variance over rows; 1 for a constant array."""
    scale = Moments.of_rows(array).scale  # (dim,), infinite where constant
    varies = np.where(np.isfinite(scale), scale, 0.0)
    return float(np.sqrt((varies**2).mean())) or 1.0
