"""Networks over tensors of cells."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from layerwise.encoders.search.predictor.cell_tensor import CHANNELS, cell_tensors
from layerwise.encoders.search.predictor.network import GraphNetwork, TensorNetwork
from layerwise.encoders.search.predictor.network_fit import NetworkRegressor
from layerwise.encoders.search.space.grammar import Cell


def graph_network() -> GraphNetwork:
    torch.manual_seed(0)
    return GraphNetwork().eval()


def test_a_graph_network_ignores_numbers_and_padding(any_cells: list[Cell]) -> None:
    tensors = torch.from_numpy(cell_tensors(any_cells))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        network = graph_network()
        order = [0, *range(tensors.shape[-1] - 2, 0, -1), tensors.shape[-1] - 1]
        scores = network(tensors)
        renumbered = network(tensors[:, :, order][:, :, :, order])
        padded = network(torch.from_numpy(cell_tensors(any_cells, 19)))
    torch.testing.assert_close(renumbered, scores)
    torch.testing.assert_close(padded, scores)
    assert scores.std() > 0


def test_a_graph_network_tells_delayed_edges_from_plain_ones(any_cells: list[Cell]) -> None:
    tensors = torch.from_numpy(cell_tensors(any_cells))
    plain, delayed = CHANNELS.index("plain"), CHANNELS.index("delayed")
    swapped = tensors.clone()
    swapped[:, [plain, delayed]] = tensors[:, [delayed, plain]]
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        network = graph_network()
        assert (network(tensors) - network(swapped)).abs().min() > 1e-6


def test_the_published_network_has_the_published_layers() -> None:
    sizes = [tuple(weights.shape) for weights in TensorNetwork(19).parameters()]
    channels = len(CHANNELS)
    assert sizes[0] == (2 * channels, channels, 3, 3)
    assert (120, 128 * 19**2) in sizes and (84, 120) in sizes and (1, 84) in sizes


@pytest.mark.parametrize("make", [TensorNetwork, lambda size: GraphNetwork(16, 2)])
def test_a_network_learns_what_it_is_fitted_to(
    make: Callable[[int], torch.nn.Module], cells: list[Cell]
) -> None:
    tensors = cell_tensors(sorted(cells, key=lambda cell: len(cell.nodes))[:30])
    targets = tensors[:, CHANNELS.index("parameters")].max(axis=1).sum(axis=1)
    before = torch.random.get_rng_state()
    fits = [NetworkRegressor(make, epochs=25).fit(tensors, targets) for _ in range(2)]
    assert torch.equal(torch.random.get_rng_state(), before)
    first, second = (fit.predict(tensors) for fit in fits)
    np.testing.assert_array_equal(first, second)
    assert np.corrcoef(first, targets)[0, 1] > 0.8
