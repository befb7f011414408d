"""The kernel of codes against its closed forms, and a sigmoid that tells nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from layerwise.encoders.search.training_free.activation_codes import (
    kernel,
    log_determinant,
    preactivation,
    published,
)
from layerwise.encoders.search.training_free.recording import Recording

from .conftest import Record


def test_the_kernel_is_units_less_hamming_distance() -> None:
    codes = [torch.rand(7, units) > 0.4 for units in (5, 30)]
    joined = torch.cat(codes, dim=1).numpy()
    distance = cdist(joined, joined, "hamming") * 35
    np.testing.assert_allclose(kernel(codes), 35 - distance, atol=1e-9)


def test_a_hand_example() -> None:
    codes = torch.tensor([[True, True, False], [True, False, False]])
    found = kernel([codes])
    assert found is not None and found.tolist() == [[3, 2], [2, 3]]
    assert log_determinant(found) == pytest.approx(np.log(5))


def test_codes_that_differ_by_d_in_all_pairs_have_a_determinant_in_closed_form() -> None:
    # One unit is on in each text: n on the diagonal and n - 2 beside it, d = 2.
    n, d = 6, 2
    found = kernel([torch.eye(n, dtype=torch.bool)])
    expected = (n - 1) * np.log(d) + np.log(d + n * (n - d))
    assert log_determinant(found) == pytest.approx(expected)


def test_what_tells_no_two_texts_apart_is_the_worst() -> None:
    assert log_determinant(kernel([torch.ones(4, 3, dtype=torch.bool)])) == -np.inf
    assert log_determinant(kernel([])) == -np.inf


def test_signs_of_all_steps_layers_and_non_linear_nodes_are_read(recorded: Record) -> None:
    found = recorded("c1/L:0,@2/t:1/s:2/u:@3/m:2,3,4=5")
    codes = _all_codes(found)
    assert codes.shape == (6, 2 * 3 * 5 * 8)
    assert published(found) == pytest.approx(log_determinant(kernel([codes])))


def _all_codes(found: Recording) -> torch.Tensor:
    columns = [
        values[ref].detach().flatten(1) > 0
        for values in found.values
        for ref in values
        if not ref.delayed and ref.node and found.cell.nodes[ref.node - 1].operation.letter in "tsu"
    ]
    return torch.cat(columns, dim=1)


def test_a_sigmoid_tells_something_only_by_what_it_is_given(recorded: Record) -> None:
    sigmoid, tanh = recorded("c1/L:0/s:1=2", layers=1), recorded("c1/L:0/t:1=2", layers=1)
    assert published(sigmoid) == -np.inf
    assert preactivation(sigmoid) == preactivation(tanh) == published(tanh) > 0


def test_the_order_of_the_texts_does_not_matter(recorded: Record) -> None:
    found = recorded("gru")
    turned = Recording(
        found.cell,
        found.layers,
        found.inputs.flip(0),
        [{ref: value.flip(0) for ref, value in values.items()} for values in found.values],
        found.words.flip(0),
    )
    for score in (published, preactivation):
        assert score(turned) == pytest.approx(score(found), abs=1e-9)
