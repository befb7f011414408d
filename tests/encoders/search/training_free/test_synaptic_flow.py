"""Flows through linear networks, which have closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from layerwise.encoders.search.training_free.recording import Recording
from layerwise.encoders.search.training_free.synaptic_flow import (
    hidden_saliency,
    synaptic_flow,
    synaptic_saliency,
)

from .conftest import Record


def weights_of(found: Recording) -> list[Tensor]:
    return [weight.detach() for name, weight in found.layers.named_parameters() if "maps" in name]


def without_biases(found: Recording) -> Recording:
    with torch.no_grad():
        for name, weight in found.layers.named_parameters():
            if "bias" in name:
                weight.zero_()
    return found


def test_in_a_linear_network_it_counts_the_products_of_weights_along_paths(
    recorded: Record,
) -> None:
    found = without_biases(recorded("c1/L:0=1", layers=3))
    first, second, third = (weight.abs().double() for weight in weights_of(found))
    paths = float((third @ second @ first).sum())  # at the last step alone
    assert synaptic_flow(found) == pytest.approx(math.log(3 * paths))


def test_a_path_through_time_passes_a_weight_more_than_once(recorded: Record) -> None:
    found = without_biases(recorded("c1/L:0,@1=1", layers=1, time=3))
    given, again = (weight.abs().double() for weight in weights_of(found))
    paths = [float((torch.linalg.matrix_power(again, k) @ given).sum()) for k in range(3)]
    expected = sum((k + 1) * path for k, path in enumerate(paths))
    assert synaptic_flow(found) == pytest.approx(math.log(expected))


def test_the_network_is_left_as_it_was(recorded: Record) -> None:
    found = recorded("lstm")
    before = [weight.clone() for weight in found.layers.parameters()]
    synaptic_flow(found)
    assert all(torch.equal(*pair) for pair in zip(before, found.layers.parameters(), strict=True))
    assert all(weight.grad is None for weight in found.layers.parameters())


def test_saliency_of_one_linear_map_by_hand(recorded: Record) -> None:
    found = recorded("c1/L:0=1", layers=1)
    (weight,) = weights_of(found)
    x, y = found.inputs.detach().flatten(0, 1), found.outputs[0].detach().flatten(0, 1)
    bias = next(p for name, p in found.layers.named_parameters() if "bias" in name).detach()
    # R = |y|^2 / 2, dR/dW = y^T x, dR/db = the sum of y.
    expected = (weight * (y.T @ x)).abs().sum() + (bias * y.sum(0)).abs().sum()
    assert synaptic_saliency(found) == pytest.approx(math.log(float(expected)), rel=1e-5)
    assert hidden_saliency(found) == pytest.approx(math.log(float(y.square().sum())), rel=1e-5)


def test_a_cell_without_weights_has_no_flow(recorded: Record) -> None:
    assert synaptic_flow(recorded("c1/t:0=1")) == -math.inf
    assert synaptic_saliency(recorded("c1/t:0=1")) == -math.inf
