"""Epsilon against published reference values, a closed form, and between the libraries."""

from __future__ import annotations

import math

import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from layerwise.core.errors import DataError, UsageError
from layerwise.encoders.search.federated import accountants
from layerwise.encoders.search.federated.accountants import (
    WHOLE,
    by_distribution,
    by_opacus,
    by_orders,
    epsilon,
)
from layerwise.encoders.search.federated.ledger import Ledger, Release

pytest.importorskip("opacus")
pytest.importorskip("dp_accounting")


@pytest.mark.parametrize(
    ("rate", "noise", "steps", "delta", "renyi", "distribution"),
    [
        (0.01, 1.0, 1000, 1e-5, 2.1014, 1.8282),
        (64 / 3000, 1.0, 500, 1e-4, 2.8505, 2.4777),
        (0.05, 1.5, 2000, 1e-5, 8.8995, 8.2313),
    ],
)
def test_reference_values_by_all_three(
    rate: float, noise: float, steps: int, delta: float, renyi: float, distribution: float
) -> None:
    found = epsilon(Ledger([Release("weights", noise, rate, steps)]), delta)
    assert found.opacus == pytest.approx(renyi, abs=1e-3)
    assert found.dp_accounting == pytest.approx(renyi, abs=1e-3)
    assert found.loss_distribution == pytest.approx(distribution, abs=1e-3)
    assert found.claim == found.loss_distribution


def test_rewards_without_an_entry_would_hide_half_of_the_cost() -> None:
    ledger = Ledger([Release("weights", 1.0, 0.01, 1000)])  # alone 1.83
    ledger.add(Release("gain", 20.0, count=200))
    assert by_distribution(ledger, 1e-5) == pytest.approx(3.54, abs=5e-3)
    assert by_opacus(ledger, 1e-5) == pytest.approx(by_orders(ledger, 1e-5), rel=1e-3)


def test_gaussian_releases_against_their_closed_form() -> None:
    # Balle and Wang 2018, theorem 8; k releases of noise s are one of noise s / sqrt(k).
    ledger = Ledger([Release("gain", 5.0, count=16), Release("gain", 2.0, count=3)])
    mu = math.sqrt(16 / 25 + 3 / 4)

    def excess(eps: float) -> float:
        tail = math.exp(eps) * norm.cdf(-eps / mu - mu / 2)
        return float(norm.cdf(-eps / mu + mu / 2) - tail) - 1e-5

    exact = brentq(excess, 0, 50)
    found = epsilon(ledger, 1e-5)
    assert found.loss_distribution == pytest.approx(exact, abs=1e-3)
    assert found.opacus > exact  # a bound by Renyi orders is looser


def test_nothing_costs_nothing_and_no_noise_everything() -> None:
    assert epsilon(Ledger(), 1e-5).claim == 0
    open_ledger = Ledger([Release("weights", 1.0, 0.1), Release("gain", 0.0)])
    assert epsilon(open_ledger, 1e-5).claim == math.inf


def test_accountants_that_disagree_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger([Release("weights", 1.0, 0.3, 40)])
    real = by_orders(ledger, 1e-5, WHOLE)
    assert by_opacus(ledger, 1e-5, WHOLE) == pytest.approx(real, rel=1e-9)
    monkeypatch.setattr(accountants, "by_distribution", lambda *_: 1.0)
    monkeypatch.setattr(accountants, "by_opacus", lambda *_: 0.99 * real)
    with pytest.raises(DataError, match="trust neither"):
        epsilon(ledger, 1e-5)


def test_a_delta_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="delta 0"):
        epsilon(Ledger([Release("gain", 1.0)]), 0.0)
