"""Dev in two halves: whole clusters, of like size, the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from layerwise.core.errors import DataError
from layerwise.suite.dev_halves import choosing_half


def test_clusters_stay_whole_and_sides_are_alike() -> None:
    random = np.random.default_rng(0)
    clusters = np.repeat(np.arange(40) * 3, random.integers(1, 9, size=40))
    half = choosing_half(clusters, "task t")
    assert not set(clusters[half]) & set(clusters[~half])
    assert abs(int(half.sum()) - int((~half).sum())) <= 8
    assert (half == choosing_half(clusters, "task t")).all()


def test_one_cluster_has_no_two_sides() -> None:
    with pytest.raises(DataError, match="task t"):
        choosing_half(np.zeros(9, dtype=np.int64), "task t")
