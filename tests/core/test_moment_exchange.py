"""Moment exchange against numpy and torch's layer norm, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from layerwise.core.errors import UsageError
from layerwise.core.moment_exchange import EPSILON, exchange, moments

torch.set_num_threads(1)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    values = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    scale = torch.arange(1, shape[0] * shape[1] + 1, dtype=torch.float64).view(*shape[:2], 1)
    return values * scale + scale / 2  # moments that differ from position to position


PARTNER = torch.tensor([2, 0, 1, 3])


def test_it_is_the_formula_of_the_paper_word_by_word() -> None:
    features = drawn(4, 5, 6)
    found, rows = exchange(features, PARTNER).numpy(), features.numpy()
    for row, partner in enumerate(PARTNER.tolist()):
        for place in range(5):
            own, other = rows[row, place], rows[partner, place]
            spread = [np.sqrt(x.var(ddof=1) + EPSILON) for x in (own, other)]
            expected = spread[1] * (own - own.mean()) / spread[0] + other.mean()
            np.testing.assert_allclose(found[row, place], expected, rtol=1e-12)


def test_what_is_left_of_the_own_word_is_its_layer_norm() -> None:
    features, norm = drawn(4, 5, 6), torch.nn.functional.layer_norm
    changed = exchange(features, PARTNER)
    assert not torch.allclose(changed[:3], features[:3], rtol=0.01)
    torch.testing.assert_close(norm(changed, (6,)), norm(features, (6,)), rtol=1e-4, atol=1e-4)


def test_the_moments_become_the_partners() -> None:
    features = drawn(4, 5, 6)
    for found, expected in zip(
        moments(exchange(features, PARTNER)), moments(features), strict=True
    ):
        torch.testing.assert_close(found, expected[PARTNER], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_the_identity_permutation_does_nothing(dtype: torch.dtype) -> None:
    features = drawn(4, 5, 6).to(dtype)
    assert torch.equal(exchange(features, torch.arange(4)), features)
    assert torch.equal(exchange(features, PARTNER)[3], features[3])  # its own partner


def test_padding_keeps_its_own_moments_and_gives_them_to_no_one() -> None:
    features = drawn(4, 5, 6)
    real = torch.ones(4, 5, dtype=torch.bool)
    real[0, 3:] = False  # row 0 takes from row 2 and gives to row 1
    changed = exchange(features, PARTNER, real)
    same = (changed == features).all(dim=2)
    assert same.tolist() == [
        [False] * 3 + [True] * 2,
        [False] * 3 + [True] * 2,
        [False] * 5,
        [True] * 5,
    ]
    features[0, 3:] = 1e6
    assert torch.equal(exchange(features, PARTNER, real)[1:], changed[1:])


def test_a_position_depends_on_no_other_position_of_either_row() -> None:
    features = drawn(4, 5, 6).requires_grad_()
    for row, place in ((0, 2), (1, 0), (3, 4)):
        (slope,) = torch.autograd.grad(exchange(features, PARTNER)[row, place, 1], features)
        reached = {(r, t) for r, t, _ in slope.nonzero().tolist()}
        assert reached == {(row, place), (int(PARTNER[row]), place)}


def test_equal_features_have_no_endless_slope() -> None:
    features = torch.ones(2, 3, 4, dtype=torch.float64, requires_grad=True)
    changed = exchange(features, torch.tensor([1, 0]))
    (slope,) = torch.autograd.grad(changed.sum(), features)
    assert torch.equal(changed, features) and bool(slope.isfinite().all())


@pytest.mark.parametrize(
    ("over", "told"),
    [("time", "each word of those that follow it"), ("batch", "no such moments: 'batch'")],
)
def test_other_moments_are_refused(over: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as refused:
        moments(drawn(2, 3, 4), over)
    assert "take channels" in str(refused.value)


def test_one_channel_is_refused() -> None:
    with pytest.raises(UsageError, match="one channel has no spread"):
        moments(drawn(2, 3, 1))
