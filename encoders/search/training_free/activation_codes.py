"""NASWOT: how well the signs in an untrained network tell the members of a batch apart.

(Mellor et al. 2021, arXiv 2006.04647, section 3.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..space.grammar import Ref
from .recording import Recording

NON_LINEAR = frozenset("tsurgq")
"""The operations whose signs are codes: tanh, sigmoid, and the kinds of ReLU."""


def kernel(codes: Iterable[Tensor]) -> NDArray[np.float64] | None:
    """K_ij, the number of units whose codes agree for i and j, (batch, batch); None without codes.

    Each tensor is (batch, units) of truth values. That is N - Hamming distance for N units in all.
    """
    total: NDArray[np.float64] | None = None
    for code in codes:
        x = code.float()  # counts of up to 2^24 are exact
        agreeing = (x @ x.T + (1 - x) @ (1 - x).T).double().numpy()  # (batch, batch)
        total = agreeing if total is None else total + agreeing
    return total


def log_determinant(matrix: NDArray[np.float64] | None) -> float:
    """log |K|, natural; -inf for one that is singular, or without codes."""
    if matrix is None:
        return -np.inf
    return float(np.linalg.slogdet(matrix).logabsdet)


def published(recording: Recording) -> float:
    """Signs of what the non-linearities give, over all steps of all layers.

    As in the figures published for NAS-Bench-NLP (Serianni and Kalita 2023, arXiv 2306.00288). A
    sigmoid is always positive there, so that its units tell nothing apart: each adds to all of K.
    """
    return log_determinant(kernel(_codes(recording, given=True)))


def preactivation(recording: Recording) -> float:
    """Signs of what the non-linearities are given: those of tanh and ReLU are the same."""
    return log_determinant(kernel(_codes(recording, given=False)))


def _codes(recording: Recording, given: bool) -> Iterator[Tensor]:
    for layer, values in enumerate(recording.values):
        for number, node in recording.cell.numbered():
            if node.operation.letter not in NON_LINEAR:
                continue
            (source,) = node.inputs
            value = values[Ref(number)] if given else recording.read(layer, source)
            yield (value.detach() > 0).flatten(start_dim=1)  # (batch, time * width)
