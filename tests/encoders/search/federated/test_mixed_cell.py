"""The mixed cell and what is derived from it."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from layerwise.encoders.cell_execution import CellLayer
from layerwise.encoders.search.federated.mixed_cell import (
    EDGES,
    OPERATIONS,
    MixedLayer,
    derive,
    language_model,
)
from layerwise.encoders.search.space.canonical import canonical
from layerwise.encoders.search.space.grammar import parse

NAMES = tuple(OPERATIONS)


def _logits(*names: str) -> torch.Tensor:
    logits = torch.zeros(len(EDGES), len(OPERATIONS))
    for edge, name in enumerate(names):
        logits[edge, NAMES.index(name)] = 200.0  # a softmax of 1 and 0 in float32
    return logits


def test_every_choice_is_a_cell_that_runs() -> None:
    cells = {derive(_logits(*names)) for names in product(NAMES, repeat=len(EDGES))}
    # Of 125 choices, 80 have no skip beside node 1. The others sum two operations on the input,
    # in either order: 15 pairs.
    assert len(cells) == 80 + 15
    for text in sorted(cells)[::10]:
        assert CellLayer(parse(text), 4)(torch.zeros(2, 3, 4)).shape == (2, 3, 4)


@pytest.mark.parametrize(
    ("names", "cell"),
    [
        (("skip", "skip", "skip"), "c1/a:0,0/n:1=2"),
        (("tanh", "skip", "skip"), "c1/L:0/t:1/a:0,2/n:3=4"),
        (
            ("recurrence", "tanh", "skip"),
            "c1/L:0/s:1/L:0/b:2,3,@4/L:0/t:5/a:6,4/n:7=8",
        ),
    ],
)
def test_a_cell_is_written_as_by_hand(names: tuple[str, ...], cell: str) -> None:
    assert derive(_logits(*names)) == str(canonical(parse(cell)))


def test_with_one_operation_for_each_edge_it_is_their_composition() -> None:
    torch.manual_seed(0)
    logits = torch.nn.Parameter(_logits("tanh", "convolution", "recurrence"))
    layer = MixedLayer(4, logits)
    x = torch.randn(2, 5, 4)
    edges = [list(edge) for edge in layer.edges]  # type: ignore[call-overload]
    first = edges[0][NAMES.index("tanh")](x)
    second = edges[1][NAMES.index("convolution")](x) + edges[2][NAMES.index("recurrence")](first)
    assert torch.allclose(layer(x), layer.norm(second), atol=1e-6)


def test_all_layers_share_one_set_of_logits_and_the_seed_decides() -> None:
    state = torch.random.get_rng_state()
    one, same, other = (language_model(10, 4, 2, 4, seed) for seed in (1, 1, 2))
    assert torch.equal(state, torch.random.get_rng_state())
    names = [name for name, _ in one.named_parameters() if "logits" in name]
    assert names == ["logits"]
    for name, weight in one.named_parameters():
        assert torch.equal(weight, same.get_parameter(name))
    assert not torch.equal(one.softmax.weight, other.softmax.weight)  # type: ignore[union-attr]
