"""Path costs against cells read by hand, and against all walks one by one."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from layerwise.encoders.search.predictor.path_costs import COSTS, NAMES, path_costs
from layerwise.encoders.search.space.aliases import read_cell
from layerwise.encoders.search.space.grammar import Cell

LAGS = (0, 1, 2, 4)


def named(cell: Cell) -> dict[str, float]:
    return dict(zip(NAMES, path_costs(cell).tolist(), strict=True))


def test_a_plain_recurrence_squashes_once_a_word() -> None:
    costs = named(read_cell("rnn"))
    assert [costs[f"squashes lag {lag}"] for lag in LAGS] == [1, 2, 3, 5]
    assert costs["squashes per word"] == 1
    assert costs["edges longest"] == 2
    assert costs["reads of the output before"] == costs["reads of the input"] == 1
    assert costs["paths"] == pytest.approx(math.log(2))


def test_the_cell_of_an_lstm_is_a_highway() -> None:
    # From word to word the state passes the product with the forget gate and a sum: no squashing.
    costs = named(read_cell("lstm"))
    assert costs["squashes per word"] == 0
    assert costs["products per word"] == 1
    assert costs["maps per word"] == 0
    assert named(read_cell("rnn"))["maps per word"] == 1


def test_a_cell_without_a_state_has_no_way_over_words() -> None:
    costs = named(read_cell("c1/L:0/t:1=2"))
    assert costs["edges lag 0"] == 2
    assert costs["edges lag 1"] == costs["edges lag 4"] == 30
    assert costs["edges per word"] == 0


def test_costs_are_those_of_all_walks(cells: list[Cell]) -> None:
    def price(cell: Cell, cost: str, number: int, place: int) -> float:
        letter = cell.nodes[number - 1].operation.letter
        gate = "b1" if letter == "b" and place == 1 else letter
        return 1.0 if cost == "edges" else COSTS[cost].get(gate, 0.0)

    def walks(cell: Cell, cost: str, number: int, lag: int) -> list[float]:
        """The costs of all ways from the input ``lag`` words before into a node."""
        if number == 0:
            return [0.0] if lag == 0 else []
        found = []
        for place, ref in enumerate(cell.nodes[number - 1].inputs, 1):
            if lag >= ref.delayed:
                own = price(cell, cost, number, place)
                found += [own + way for way in walks(cell, cost, ref.node, lag - ref.delayed)]
        return found

    for cell in cells[:30]:
        costs = named(cell)
        for cost in COSTS:
            for lag in LAGS[:3]:
                expected = min(walks(cell, cost, cell.out, lag), default=30)
                assert costs[f"{cost} lag {lag}"] == pytest.approx(expected)
            within = walks(cell, cost, cell.out, 0)
            assert costs[f"{cost} longest"] == pytest.approx(max(within, default=-1))
        assert costs["paths"] == pytest.approx(math.log1p(len(walks(cell, "edges", cell.out, 0))))


def test_another_writing_has_the_same_costs(
    any_cells: list[Cell], rewrite: Callable[[Cell, int], Cell]
) -> None:
    for seed, cell in enumerate(any_cells):
        np.testing.assert_array_equal(path_costs(cell), path_costs(rewrite(cell, seed)))
