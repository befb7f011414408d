"""What signals do in untrained cells, where that is known beforehand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from layerwise.encoders.search.predictor.propagation import propagation
from layerwise.encoders.search.space.aliases import read_cell
from layerwise.encoders.search.space.grammar import Cell

# Layers 1 to 3 have 4 numbers each; then memory (4) and fading (6) of layer 1, and of layer 3.
MEMORY, FADING = slice(12, 16), slice(16, 22)


def test_a_linear_map_remembers_the_present_word_alone() -> None:
    numbers = propagation(read_cell("c1/L:0=1"))
    memory = numbers[MEMORY]
    assert memory[0] > 0.9  # a random square matrix can be undone
    assert (memory[1:] < 0.3).all()
    assert (numbers[FADING][1:] < -10).all()  # no gradient to any word before


def test_a_running_sum_does_not_fade() -> None:
    # y_t = x_t + y_{t-1}: the gradient to every earlier word is that to the last one.
    numbers = propagation(read_cell("c1/a:0,@1=1"))
    np.testing.assert_allclose(numbers[FADING][1:], 0, atol=1e-5)


def test_other_writings_and_diverging_cells(
    any_cells: list[Cell], rewrite: Callable[[Cell, int], Cell]
) -> None:
    for seed, cell in enumerate(any_cells[:6]):
        before = torch.random.get_rng_state()
        numbers = propagation(cell)
        assert torch.equal(torch.random.get_rng_state(), before)
        np.testing.assert_array_equal(numbers, propagation(rewrite(cell, seed)))
    # A square, again and again, of a growing sum: beyond all numbers.
    growing = propagation(read_cell("c1/a:0,@1,@2/L:1,@2/m:1,2/L:3,@3=4"))
    assert growing.shape == numbers.shape
    assert np.isfinite(growing).all()
