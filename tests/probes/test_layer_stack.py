"""Layers side by side: mixing, the products with a gradient, and the way back from pairs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from layerwise.probes.layer_stack import LayerStack, spread
from layerwise.probes.spans import pair_features


def stack(pairs: bool, items: int = 50, dim: int = 4) -> LayerStack:
    random = np.random.default_rng(0)
    layers = [random.normal(layer, 1 + layer, size=(items, dim)) for layer in range(3)]
    shape = (80, 2) if pairs else (80,)
    return LayerStack(layers, random.integers(0, items, size=shape))


def test_mix_and_products_are_sums() -> None:
    own, factors = stack(False), np.array([0.2, -3.0, 1.5])
    mixed = own.mix(factors)
    np.testing.assert_allclose(
        mixed, sum(f * layer for f, layer in zip(factors, own.layers, strict=True))
    )
    gradient = np.random.default_rng(1).normal(size=mixed.shape)
    np.testing.assert_allclose(
        own.products(torch.from_numpy(gradient)), [(gradient * layer).sum() for layer in own.layers]
    )


def test_a_large_mix_is_in_float32_and_part_by_part() -> None:
    random = np.random.default_rng(0)
    layers = [random.normal(size=(5000, 128)).astype(np.float16) for _ in range(2)]
    mixed = LayerStack(layers, np.arange(5000)).mix(np.array([0.5, 2.0]))
    assert mixed.dtype == np.float32
    exact = 0.5 * layers[0].astype(np.float64) + 2.0 * layers[1].astype(np.float64)
    np.testing.assert_allclose(mixed, exact, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("pairs", [False, True])
def test_the_way_back_is_autograds(pairs: bool) -> None:
    own = stack(pairs)
    mixed = torch.tensor(own.mix(np.array([1.0, 0.5, 0.2])), requires_grad=True)
    if pairs:
        a, b = (mixed[torch.from_numpy(own.rows[:, side])] for side in (0, 1))
        features = torch.cat([a, b, a * b, (a - b).abs()], dim=1)
    else:
        features = mixed[torch.from_numpy(own.rows)]
    gradient = torch.randn(features.shape, dtype=torch.float64)
    features.backward(gradient)
    into = torch.zeros_like(mixed)
    for rows in (slice(0, 33), slice(33, 80)):
        own.back(mixed.detach(), rows, gradient[rows], into)
    np.testing.assert_allclose(into.numpy(), mixed.grad.numpy())


@pytest.mark.parametrize("pairs", [False, True])
def test_the_design_is_of_the_mixed_items(pairs: bool) -> None:
    own = stack(pairs)
    mixed = own.mix(np.array([1.0, 0.5, 0.2]))
    rows = pair_features(mixed[own.rows[:, 0]], mixed[own.rows[:, 1]]) if pairs else mixed[own.rows]
    design = own.design(mixed, own.moments(mixed), "cpu")
    expected = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    np.testing.assert_allclose(design.features(slice(0, 80)).numpy(), expected, atol=1e-9)


def test_spread() -> None:
    own = stack(False)
    np.testing.assert_allclose(
        own.spreads(), [np.sqrt(layer.var(axis=0).mean()) for layer in own.layers]
    )
    assert spread(np.full((9, 3), 7.0)) == 1.0
