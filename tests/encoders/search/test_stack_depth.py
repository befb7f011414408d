"""How many layers of a cell make a stack."""

from __future__ import annotations

from typing import cast

import pytest

from layerwise.core.errors import DataError
from layerwise.encoders.bilm import build_settings, count_parameters
from layerwise.encoders.cell import SearchedCell
from layerwise.encoders.search.protocols import SearchSpace, Setting
from layerwise.encoders.search.space.aliases import ALIASES, read_cell
from layerwise.encoders.search.stack_depth import MOST_LAYERS, stack_depth

SPACE = cast(SearchSpace, None)


def weights_of(cell: str, layers: int) -> int:
    """Of both directions, as they are built."""
    settings = build_settings("cell", "small", {"cell": cell, "dim": 16, "layers": layers})
    return 2 * count_parameters([SearchedCell.model_validate(settings.stack).stack()])


@pytest.mark.parametrize("name", ["rnn", "gru", "mingru", "gconv", "attn"])
def test_no_other_depth_is_nearer(name: str) -> None:
    wanted = 20_000
    depth = stack_depth(read_cell(name), Setting(SPACE, dim=16, weights=wanted))
    off = {layers: abs(weights_of(name, layers) - wanted) for layers in range(1, MOST_LAYERS + 1)}
    assert off[depth] == min(off.values())


def test_without_weights_it_is_the_settings() -> None:
    assert stack_depth(read_cell("gru"), Setting(SPACE, layers=5)) == 5


def test_a_cell_that_is_too_large_is_refused() -> None:
    cell = ALIASES["attn"]
    one = weights_of("attn", 1)
    assert stack_depth(read_cell(cell), Setting(SPACE, dim=16, weights=one)) == 1
    with pytest.raises(DataError, match=f"has {one:,} weights"):
        stack_depth(read_cell(cell), Setting(SPACE, dim=16, weights=one // 2))


def test_small_cells_stop_at_the_deepest() -> None:
    assert stack_depth(read_cell("rnn"), Setting(SPACE, dim=2, weights=10**6)) == MOST_LAYERS
    without = read_cell("c1/t:0=1")
    assert stack_depth(without, Setting(SPACE, dim=2, weights=10)) == 1
