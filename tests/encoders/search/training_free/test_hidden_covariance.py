"""Hidden covariance against numpy, layer by layer."""

from __future__ import annotations

import numpy as np
import pytest

from layerwise.encoders.search.training_free.hidden_covariance import hidden_covariance

from .conftest import Record


@pytest.mark.parametrize("layer", [0, 1])
def test_it_is_the_formula_on_the_states_that_a_layer_reads(layer: int, recorded: Record) -> None:
    found = recorded("lstm", batch=20, time=6)
    output = found.outputs[layer].detach().double().numpy()  # (batch, time, dim)
    before = np.concatenate([np.zeros((20, 1, 8)), output[:, :-1]], axis=1)
    values = np.linalg.eigvalsh(np.corrcoef(before.reshape(-1, 8), rowvar=False)) + 1e-5
    expected = -np.sum(np.log(values) + 1 / values)
    assert hidden_covariance(found, layer) == pytest.approx(expected, rel=1e-6)


def test_channels_that_are_alike_have_less_of_it(recorded: Record) -> None:
    # A product of a state with itself many times over leaves few directions.
    plain = recorded("c1/L:0,@1=1", batch=20, layers=2)
    saturated = recorded("c1/L:0,@3/s:1/s:2=3", batch=20, layers=2)
    assert hidden_covariance(plain, 1) > hidden_covariance(saturated, 1)
