"""Readouts against scikit-learn, and what untrained states must and cannot hold."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from layerwise.encoders.search.training_free.reservoir import (
    RIDGE,
    memory,
    next_word,
    readout,
)

from .conftest import Record


def test_a_readout_is_the_ridge_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    states = rng.normal(size=(10, 12, 5)) + 2
    targets = states @ rng.normal(size=(5, 3)) + rng.normal(size=(10, 12, 3))
    x, y = states.reshape(-1, 5), targets.reshape(-1, 3)
    variance = np.square(x[:60] - x[:60].mean(0)).mean()
    model = Ridge(alpha=RIDGE * variance * 60).fit(x[:60], y[:60])
    found = readout(torch.from_numpy(states), torch.from_numpy(targets))
    error = np.square(y[60:] - model.predict(x[60:])).sum()
    assert found == pytest.approx(1 - error / np.square(y[60:] - y[:60].mean(0)).sum(), abs=1e-9)
    # Against the mean of the second half itself, which scikit-learn takes, it is nearly the same.
    expected = r2_score(y[60:], model.predict(x[60:]), multioutput="variance_weighted")
    assert found == pytest.approx(expected, abs=0.05)


def test_a_delay_line_holds_the_word_that_it_delays_and_no_other(recorded: Record) -> None:
    one = recorded("c1/a:@0,@2/a:0,0=1", layers=1, batch=60, time=8)
    two = recorded("c1/a:@2,@2/a:@0,@0=1", layers=1, batch=60, time=8)
    assert memory(two, lag=2) == pytest.approx(1, abs=0.02)
    assert memory(one, lag=1) == pytest.approx(1, abs=0.02)
    assert memory(one, lag=2) < 0.5


def test_random_words_cannot_be_told_before_they_come(recorded: Record) -> None:
    assert next_word(recorded("lstm", batch=200, time=6)) < 0.01


def test_constant_and_infinite_states_tell_nothing() -> None:
    targets = torch.randn(4, 3, 2)
    assert readout(torch.ones(4, 3, 5), targets) == 0
    assert readout(torch.full((4, 3, 5), torch.inf), targets) == -torch.inf
