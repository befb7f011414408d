"""The dev split in two: one half chooses, the other calibrates what was chosen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError


def choosing_half(clusters: NDArray[np.int64], where: str) -> NDArray[np.bool_]:
    """Which targets choose, (targets,); the others calibrate. No cluster is on both sides.

    Clusters come in an order drawn once, each to the side that has fewer targets so far. Raises
    DataError where there is only one cluster, which cannot be on two sides; ``where`` is its place.
    """
    found, number = np.unique(clusters, return_inverse=True)
    if len(found) < 2:
        raise DataError(
            "dev has one cluster of targets only, and its choices could not be calibrated",
            where=where,
            cure="give dev more documents",
        )
    sizes = np.bincount(number)
    chooses = np.zeros(len(found), dtype=bool)
    held = [0, 0]
    for cluster in np.random.default_rng(0).permutation(len(found)).tolist():
        side = int(held[1] < held[0])
        held[side] += int(sizes[cluster])
        chooses[cluster] = not side
    return np.asarray(chooses[number])
