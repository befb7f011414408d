"""Counts of what stands in a cell."""

from __future__ import annotations

import random

import numpy as np
from scipy.spatial.distance import cdist

from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.space.sampling import RECURRENT, Space, sample
from layerwise.encoders.search.tables.structure import Structures, count_structure


def test_the_counts_of_a_plain_recurrent_network() -> None:
    assert count_structure(parse("c1/L:0,@2/t:1=2")) == {
        ("L",): 1,
        ("t",): 1,
        ("0", "L"): 1,
        ("t", "L", "@"): 1,
        ("L", "t"): 1,
        ("t", "="): 1,
    }


def test_distances_are_those_of_scipy() -> None:
    rng = random.Random(0)
    cells = [sample(Space(RECURRENT, most=6), rng) for _ in range(20)]
    known = Structures(cells)
    expected = cdist(known.counts, known.counts, "cityblock")
    for row, cell in enumerate(cells):
        assert np.array_equal(known.distances(known.counts[row]), expected[row])
        assert np.array_equal(known.distances_to(cell), expected[row])


def test_what_no_known_cell_has_counts_too() -> None:
    known = Structures([parse("c1/L:0/t:1=2")])
    # Without the node t, its edge and its output, but with s and its two.
    assert known.distances_to(parse("c1/L:0/s:1=2")).tolist() == [6]
