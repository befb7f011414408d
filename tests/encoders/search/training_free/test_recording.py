"""A recording holds what the layers compute, and is told by the cell and the seed alone."""

from __future__ import annotations

import math

import pytest
import torch

from layerwise.encoders.cell_execution import CellLayer
from layerwise.encoders.search.space.grammar import Ref, parse
from layerwise.encoders.search.training_free.recording import untrained

from .conftest import Record

CELLS = ["lstm", "mingru", "gconv", "attn", "hybrid", "c1/L:0,@2/t:1=2"]


@pytest.mark.parametrize("cell", CELLS)
def test_outputs_are_those_of_the_layers_themselves(cell: str, recorded: Record) -> None:
    found = recorded(cell)
    x = found.inputs
    for layer, output in zip(found.layers, found.outputs, strict=True):
        assert isinstance(layer, CellLayer)
        x = layer(x)
        assert torch.allclose(output, x, atol=1e-6)
    assert found.finite


@pytest.mark.parametrize("cell", CELLS)
def test_every_node_is_the_operation_of_what_it_reads(cell: str, recorded: Record) -> None:
    found = recorded(cell)
    for number, layer in enumerate(found.layers):
        assert isinstance(layer, CellLayer)
        for node, (_, inputs) in found.cell.numbered():
            read = [found.read(number, ref) for ref in inputs]
            again = layer.operation(node)(*read)
            assert torch.allclose(again, found.values[number][Ref(node)], atol=1e-5)


def test_other_writings_of_a_cell_are_the_same_recording(recorded: Record) -> None:
    first = recorded("c1/L:0,@5/s:1/L:0,@5/t:3/m:2,4=5")
    second = recorded("c1/L:@5,0/t:1/L:@5,0/s:3/m:2,4=5")
    dead = recorded("c1/u:0/L:0,@6/s:2/L:0,@6/t:4/m:3,5=6")
    assert torch.equal(first.outputs[-1], second.outputs[-1])
    assert torch.equal(first.outputs[-1], dead.outputs[-1])
    assert not torch.equal(
        first.outputs[-1], recorded("c1/L:0,@5/s:1/L:0,@5/t:3/m:2,4=5", seed=1).outputs[-1]
    )


def test_weights_are_uniform_and_torch_stays_as_it_was() -> None:
    state = torch.random.get_rng_state()
    layers = untrained(parse("c1/L:0,@2/n:1=2"), 64, 1, seed=0)
    assert torch.equal(torch.random.get_rng_state(), state)
    named = dict(layers.named_parameters())
    drawn = torch.cat([w.detach().flatten() for name, w in named.items() if "nodes.1" in name])
    assert len(drawn) == 2 * 64 * 64 + 64
    assert drawn.abs().max() <= 1 / 8
    assert drawn.std() == pytest.approx(1 / 8 / math.sqrt(3), rel=0.02)
    assert (named["0.nodes.2.weight"] == 1).all()  # a norm stays one


def test_what_explodes_is_not_finite(recorded: Record) -> None:
    assert not recorded("c1/a:0,@2/m:1,1=2", time=40).finite
