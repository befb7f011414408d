"""Jacobians against torch.autograd.functional, and scores against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from layerwise.encoders.search.training_free.jacobian import (
    jacobian_cosine,
    jacobian_covariance,
    of_sum,
)
from layerwise.encoders.search.training_free.recording import Recording

from .conftest import Record


def test_rows_are_the_jacobians_of_single_texts(recorded: Record) -> None:
    found = recorded("lstm", dim=4, batch=3, time=4)

    def summed(inputs: Tensor) -> Tensor:
        x = inputs
        for layer in found.layers:
            x = layer(x)
        return x.sum(dim=(1, 2))  # (batch,)

    inputs = found.inputs.detach()
    whole = torch.autograd.functional.jacobian(summed, inputs)  # (batch, batch, time, dim)
    assert isinstance(whole, Tensor)
    own = whole[torch.arange(3), torch.arange(3)].flatten(1)
    np.testing.assert_allclose(of_sum(found), own, rtol=1e-4, atol=1e-6)


def test_a_linear_cell_has_one_jacobian_for_all_texts(recorded: Record) -> None:
    linear = recorded("c1/L:0,@1=1")
    assert jacobian_cosine(linear) == pytest.approx(0.5, abs=1e-6)
    assert jacobian_covariance(linear) < -1e5  # all but one eigenvalue are 0


def test_a_product_bends(recorded: Record) -> None:
    linear, bent = recorded("c1/L:0,@1=1"), recorded("c1/L:0/L:0/m:1,2=3")
    assert jacobian_cosine(bent) > jacobian_cosine(linear) + 0.01
    assert jacobian_covariance(bent) > jacobian_covariance(linear)


def test_the_cosine_of_a_hand_example(recorded: Record) -> None:
    found = recorded("c1/m:0,0/a:0,1=2", layers=1, batch=3, time=4)
    # The output is x + x^2, its Jacobian 1 + 2x.
    rows = (1 + 2 * found.inputs.detach()).flatten(1).double().numpy()
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = [abs(unit[i] @ unit[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    expected = 1 - sum(c ** (1 / 20) for c in cosines) * 2 / 2 / 6
    assert jacobian_cosine(found) == pytest.approx(expected, abs=1e-6)
    np.testing.assert_allclose(of_sum(found), rows, rtol=1e-5)


def test_the_order_of_the_texts_does_not_matter(recorded: Record) -> None:
    found = recorded("gru")
    inputs = found.inputs.detach().flip(0).requires_grad_()
    values, x = [], inputs
    for layer in found.layers:
        values.append(layer.values(x))  # type: ignore[operator]
        x = next(v for ref, v in values[-1].items() if ref == (found.cell.out, False))
    turned = Recording(found.cell, found.layers, inputs, values, found.words.flip(0))
    assert jacobian_cosine(turned) == pytest.approx(jacobian_cosine(found), abs=1e-6)
    assert jacobian_covariance(turned) == pytest.approx(jacobian_covariance(found), rel=1e-3)
