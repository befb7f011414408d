"""A finite set of cells as a space."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import numpy as np
import pytest

from layerwise.core.errors import DataError
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.tables.neighbourhood import CellTable
from layerwise.encoders.search.tables.structure import Structures


def test_a_mutation_is_geometric_in_the_rank(thirty: CellTable) -> None:
    structures = Structures([parse(text) for text in thirty.candidates])
    candidate, rng, draws = thirty.candidates[3], random.Random(0), 20_000
    counts = Counter(thirty.mutate(candidate, rng) for _ in range(draws))
    distances = structures.distances(structures.counts[3])
    others = sorted((row for row in range(30) if row != 3), key=lambda row: (distances[row], row))
    # Geometric with 1/8, wrapped around the 29 others.
    chance = np.array([(7 / 8) ** rank / 8 for rank in range(29)]) / (1 - (7 / 8) ** 29)
    seen = np.array([counts[thirty.candidates[row]] for row in others])
    assert candidate not in counts
    # Chi-squared with 28 degrees of freedom: 56.9 is passed once in a thousand.
    assert ((seen - draws * chance) ** 2 / (draws * chance)).sum() < 56.9


def test_a_child_is_a_third_cell(thirty: CellTable) -> None:
    rng = random.Random(0)
    for first, second in itertools.combinations(thirty.candidates[:8], 2):
        assert thirty.cross(first, second, rng) in set(thirty.candidates) - {first, second}
    pair = CellTable("pair", thirty.candidates[:2])
    assert pair.cross(*pair.candidates, rng) == pair.candidates[0]


def test_a_child_lies_between_its_parents(thirty: CellTable) -> None:
    # Of three cells, the one that is like both parents is nearest to any mixture of them.
    between = CellTable("three", ["c1/L:0/t:1=2", "c1/L:0/s:1=2", "c1/L:0/a:0,1/u:2=3"])
    texts = [*between.candidates, "c1/L:0,@8/s:1/L:0,@8/s:3/m:4,@8/L:0,5/t:6/b:2,@8,7=8"]
    table = CellTable("four", texts)
    for seed in range(10):
        assert table.cross(texts[0], texts[1], random.Random(seed)) == texts[2]


@pytest.mark.parametrize("size", [2, 3, 16, 30])
def test_paths_reach_every_cell(thirty: CellTable, size: int) -> None:
    table = CellTable("some", thirty.candidates[:size])
    assert 2 ** len(table.genes) < 2 * size or size == 2 ** len(table.genes)
    reached = Counter(map(table.decode, itertools.product((0, 1), repeat=len(table.genes))))
    assert set(reached) == set(table.candidates)
    assert set(reached.values()) <= {1, 2}


def test_a_digit_is_a_half_by_one_count() -> None:
    # The first digit is the number of tanh nodes, in which these differ most.
    chains = [f"c1/L:0/{'/'.join(f't:{at}' for at in range(1, n))}={n}" for n in (2, 3, 4, 5, 6, 7)]
    table = CellTable("chains", chains)
    for genes in itertools.product((0, 1), repeat=3):
        assert (table.decode(genes).count("t:") > 3) == bool(genes[0])


def test_reading_takes_other_writings(thirty: CellTable) -> None:
    table = CellTable("two", ["c1/L:0,@2/t:1=2", "c1/L:0/t:1=2"])
    assert table.read("c1/L:@3,0/L:0/t:1=3") == "c1/L:0,@2/t:1=2"
    assert table.read("rnn") == "c1/L:0,@2/t:1=2"
    with pytest.raises(DataError, match=r"not in the table; the nearest that is: c1/L:0/t:1=2"):
        table.read("c1/L:0/t:1/t:2=3")


def test_other_vectors_are_refused(thirty: CellTable) -> None:
    for genes in ([0], [2] * 5, [-1] * 5):
        with pytest.raises(DataError, match="not a vector of 5 digits"):
            thirty.decode(genes)


def test_a_description_says_that_others_are_not_there(thirty: CellTable) -> None:
    told = thirty.describe()
    assert "Only 30 of these are in the table" in told
    example = told.partition("An example: ")[2].partition("\n")[0]
    assert thirty.read(example) == example
    assert "tanh" in told
    assert "tanh" not in thirty.describe(anonymous=True)
