"""The tensor of a cell against one written by hand, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from layerwise.core.errors import DataError
from layerwise.encoders.search.predictor.cell_tensor import (
    CHANNELS,
    LETTERS,
    STATE,
    cell_tensor,
    cell_tensors,
    node_parameters,
)
from layerwise.encoders.search.space.grammar import Cell, parse
from layerwise.encoders.search.space.widths import parameters, widths


def channel(tensor: np.ndarray, name: str) -> list[list[float]]:
    found: list[list[float]] = tensor[CHANNELS.index(name)].tolist()
    return found


def test_the_tensor_of_a_plain_recurrent_cell_by_hand() -> None:
    tensor = cell_tensor(parse("c1/L:0,@2/t:1=2"), 4)
    # The input, the linear map, a padded place, and the output: tanh.
    reads_now = [[0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    before = [[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
    assert channel(tensor, "plain") == reads_now
    assert channel(tensor, "delayed") == before
    assert channel(tensor, "L") == [[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
    assert channel(tensor, "t") == [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    weights = (2 * STATE + 1) / STATE  # two maps and a bias
    assert tensor[CHANNELS.index("parameters"), 0, 1] == pytest.approx(weights)
    assert tensor[CHANNELS.index("flops"), 3, 1] == pytest.approx(2 * weights)
    assert tensor[CHANNELS.index("flops"), 1, 3] == pytest.approx(1 / STATE)
    assert not tensor[CHANNELS.index("place")].any()
    assert not tensor[:, 2].any() and not tensor[:, :, 2].any()


def test_the_places_of_a_blend_are_told_apart() -> None:
    gated, swapped = (cell_tensor(parse(f"c1/L:0/s:1/b:{x}=3")) for x in ("2,1,@3", "2,@3,1"))
    assert not np.array_equal(gated, swapped)
    place = CHANNELS.index("place")
    assert gated[place, 2, 3] == pytest.approx(1 / 3)  # the gate
    assert gated[place, 3, 3] == pytest.approx(1)  # what it was before


def test_weights_of_nodes_add_up_to_those_of_the_cell(any_cells: list[Cell]) -> None:
    for cell in any_cells:
        wide = widths(cell, STATE)
        total = sum(
            node_parameters(node, [wide[ref.node] for ref in node.inputs], wide[number])
            for number, node in cell.numbered()
        )
        assert total == parameters(cell, STATE)


def test_another_writing_has_the_same_tensor_and_another_cell_has_not(
    any_cells: list[Cell], rewrite: Callable[[Cell, int], Cell]
) -> None:
    tensors = cell_tensors(any_cells)
    others = cell_tensors([rewrite(cell, seed) for seed, cell in enumerate(any_cells)])
    np.testing.assert_array_equal(tensors, others)
    letters = {"".join(node.operation.letter for node in cell.nodes) for cell in any_cells}
    assert len({tensor.tobytes() for tensor in tensors}) >= len(letters)
    operations = tensors[:, : len(LETTERS)].max(axis=2).sum(axis=(1, 2))
    assert operations.tolist() == [len(cell.nodes) for cell in any_cells]


def test_a_cell_without_a_place_is_refused() -> None:
    with pytest.raises(DataError, match="2 nodes; at most 1 fit"):
        cell_tensor(parse("c1/L:0,@2/t:1=2"), 2)
