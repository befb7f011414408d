"""Counts of a cell against the weights of its module."""

from __future__ import annotations

import pytest

from layerwise.encoders.search.training_free import counts

from .conftest import Record


@pytest.mark.parametrize("cell", ["lstm", "gru", "attn", "hybrid"])
def test_weights_are_those_of_a_layer(cell: str, recorded: Record) -> None:
    found = recorded(cell, layers=1)
    assert counts.weights(found) == sum(weight.numel() for weight in found.layers.parameters())


def test_nodes_by_operation(recorded: Record) -> None:
    gru = recorded("nasbench_gru", layers=1)
    assert (counts.nodes(gru), counts.sigmoids(gru), counts.blends(gru)) == (8, 2, 1)
    # A node that reaches nothing is none.
    assert counts.nodes(recorded("c1/L:0/s:1/t:1=3", layers=1)) == 2
