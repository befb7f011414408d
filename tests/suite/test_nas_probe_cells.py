"""The draw of NAS-Probe's cells: distinct, stratified, growing, with all named cells in it."""

from __future__ import annotations

from collections import Counter

import pytest

from layerwise.encoders.search.space.aliases import ALIASES, read_cell
from layerwise.encoders.search.space.canonical import canonical, short_id
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.space.validity import check
from layerwise.suite.nas_probe_cells import NamedCell, draw_cells

ROUND = 12  # a cell of each size and a named one


@pytest.fixture(scope="module")
def cells() -> list[NamedCell]:
    return draw_cells(2 * ROUND, 0)


def test_cells_are_distinct_canonical_and_valid(cells: list[NamedCell]) -> None:
    assert len({each.cell for each in cells}) == len({each.id for each in cells}) == len(cells)
    for each in cells:
        cell = parse(each.cell)
        assert str(canonical(cell)) == each.cell and short_id(cell) == each.id
        check(cell, 32)


def test_each_round_has_each_size_once_and_a_named_cell(cells: list[NamedCell]) -> None:
    for start in (0, ROUND):
        whole = cells[start : start + ROUND]
        sizes = Counter(len(parse(each.cell).nodes) for each in whole if not each.name)
        assert sizes == dict.fromkeys(range(2, 13), 1)
        (named,) = (each for each in whole if each.name)
        assert named.cell == str(canonical(read_cell(ALIASES[named.name])))


def test_a_longer_draw_begins_with_the_shorter_one(cells: list[NamedCell]) -> None:
    assert draw_cells(ROUND + 3, 0) == cells[: ROUND + 3]
    assert draw_cells(3, 1) != cells[:3]


@pytest.mark.slow
def test_all_named_cells_are_among_the_first_rounds() -> None:
    named = {each.name for each in draw_cells(ROUND * len(ALIASES), 0) if each.name}
    assert named == set(ALIASES)
