"""Each part of the score in cells where it is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from layerwise.encoders.search.training_free.rank_and_reach import (
    jacobian_rank,
    projected_jacobian,
    rank_and_reach,
    reach,
    state_rank,
)

from .conftest import Record


def test_the_score_is_the_sum_of_its_parts_and_at_most_zero(recorded: Record) -> None:
    found = recorded("lstm", layers=3)
    slopes = projected_jacobian(found)
    parts = (state_rank(found), jacobian_rank(slopes), reach(slopes, 3))
    assert rank_and_reach(found) == pytest.approx(sum(parts))
    assert all(part <= 0 for part in parts)


def test_states_that_are_random_words_have_almost_full_rank(recorded: Record) -> None:
    found = recorded("c1/a:0,0=1", layers=2, batch=400, dim=4)
    values = np.linalg.eigvalsh(
        np.corrcoef(found.inputs.detach().flatten(0, 1).double().numpy(), rowvar=False)
    )
    shares = values / values.sum()
    expected = -(shares * np.log(shares)).sum() - math.log(4)
    assert state_rank(found) == pytest.approx(expected, abs=1e-6)
    assert -0.2 < expected < 0


def test_a_linear_cell_has_one_jacobian_and_a_product_many(recorded: Record) -> None:
    linear, bent = recorded("c1/L:0,@1=1"), recorded("c1/L:0/L:0,@3/m:1,2=3")
    assert jacobian_rank(projected_jacobian(linear)) == pytest.approx(-math.log(6), abs=1e-6)
    assert jacobian_rank(projected_jacobian(bent)) > -math.log(6) + 0.5


def test_reach_is_the_gain_of_one_map(recorded: Record) -> None:
    # h_t = x_t + h_{t-1}: the gradient is the direction itself, whatever the lag.
    found = recorded("c1/a:0,@1=1", layers=1, dim=4)
    direction = torch.randn(4, generator=torch.Generator().manual_seed(0))
    slopes = projected_jacobian(found)
    assert torch.allclose(slopes[:, -3], direction.expand(6, -1))
    assert reach(0.1 * slopes / direction.norm(), 1) == pytest.approx(math.log(0.1) / 3)
    assert reach(100 * slopes, 1) == 0


def test_a_cell_without_memory_reaches_nothing(recorded: Record) -> None:
    slopes = projected_jacobian(recorded("c1/L:0/t:1=2"))
    assert not slopes[:, :-1].any()
    assert reach(slopes, 2) == pytest.approx(math.log(1e-20) / 4)


def test_states_that_explode_have_no_score(recorded: Record) -> None:
    assert rank_and_reach(recorded("c1/a:0,@2/m:1,1=2", time=40)) == -math.inf


def test_other_writings_of_a_cell_score_the_same(recorded: Record) -> None:
    first = recorded("c1/L:0,@5/s:1/L:0,@5/t:3/m:2,4=5")
    second = recorded("c1/L:@6,0/t:1/L:@6,0/s:3/u:0/m:2,4=6")
    assert rank_and_reach(first) == rank_and_reach(second)
