"""Extrapolations: exact on the curves of their own family."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares

from layerwise.encoders.search.estimators.extrapolation import EXTRAPOLATIONS

T = np.arange(1, 11, dtype=float)


@pytest.mark.parametrize(("a", "b"), [(4.5, 1.3), (0.2, 0.01), (5.0, -0.4)])
def test_the_square_root_law_is_exact_on_its_curves(a: float, b: float) -> None:
    foretold = EXTRAPOLATIONS["square-root"]([*T], [*(a + b / np.sqrt(T))], 50)
    assert foretold == pytest.approx(a + b / np.sqrt(50), rel=1e-12)


@pytest.mark.parametrize(("a", "b", "c"), [(4.5, 1.3, 0.5), (3.0, 2.0, 1.2), (1.0, 5.0, 0.3)])
def test_the_power_law_is_exact_on_its_curves(a: float, b: float, c: float) -> None:
    foretold = EXTRAPOLATIONS["power"]([*T], [*(a + b * T**-c)], 50)
    assert foretold == pytest.approx(a + b * 50**-c, rel=1e-6)


@pytest.mark.parametrize("name", EXTRAPOLATIONS)
def test_the_unit_of_time_does_not_matter(name: str) -> None:
    losses = [*(4.5 + T**-0.7 + 0.02 * np.sin(T))]
    epochs = EXTRAPOLATIONS[name]([*T], losses, 50)
    words = EXTRAPOLATIONS[name]([*(T * 12_800)], losses, 50 * 12_800)
    assert words == pytest.approx(epochs, rel=1e-6)


@pytest.mark.parametrize("scale", [1.0, 0.3, -1.0])
def test_the_power_law_is_what_scipy_fits(scale: float) -> None:
    """Within its bounds, from many starts; a curve that rises is a constant."""
    losses = 1.5 + scale * 1.2 * T**-0.6 + 0.02 * np.sin(3 * T)
    bounds = ((0, 0, 0.05), (np.inf, np.inf, 3))
    fits = [
        least_squares(
            lambda w: w[0] + w[1] * T ** -w[2] - losses,
            (1.0, 1.0, c),
            bounds=bounds,
            xtol=1e-12,
        )
        for c in (0.1, 0.5, 2.0)
    ]
    a, b, c = min(fits, key=lambda fit: float(fit.cost)).x
    assert EXTRAPOLATIONS["power"]([*T], [*losses], 50) == pytest.approx(a + b * 50**-c, abs=2e-3)


def test_few_points_give_the_last() -> None:
    assert EXTRAPOLATIONS["last"]([1, 2], [3.0, 2.5], 50) == 2.5
    assert EXTRAPOLATIONS["square-root"]([1], [3.0], 50) == 3.0
    assert EXTRAPOLATIONS["power"]([1, 2], [3.0, 2.5], 50) == 2.5
