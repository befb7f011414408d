"""Colours that can be told apart, and ink that can be read on them."""

from __future__ import annotations

import itertools

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from layerwise.results.palette import COLOURS, HEAT, ink_on, looks

PART = st.floats(0, 1)
# Machado et al. 2009, table 1, severity 1.0, on linear RGB.
DEUTERANOPIA = [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.011820, 0.042940, 0.968881],
]


def linear(colour: tuple[float, ...]) -> np.ndarray:
    rgb = np.array(colour)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: tuple[float, ...], two: tuple[float, ...]) -> float:
    """Of WCAG 2.2."""
    bright = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) + 0.05 for c in (one, two))
    return bright[1] / bright[0]


@given(colour=st.tuples(PART, PART, PART))
def test_ink_is_the_one_with_more_contrast_and_never_below_the_norm(
    colour: tuple[float, float, float],
) -> None:
    own, black, white = (
        contrast(colour, to_rgb(ink)) for ink in (ink_on(colour), "black", "white")
    )
    assert own == pytest.approx(max(black, white))
    assert own > 4.5  # what WCAG asks of text; black or white always has it


def test_ink_on_every_colour_of_the_heat_maps() -> None:
    inks = [ink_on(colour[:3]) for colour in matplotlib.colormaps[HEAT](np.linspace(0, 1, 64))]
    assert inks[0] == "white" and inks[-1] == "black"
    assert [ink for ink, _ in itertools.groupby(inks)] == ["white", "black"]


def test_looks_are_all_different_and_those_of_twins_are_too() -> None:
    names = [str(i) for i in range(56)]
    found = looks([*names, "0"])
    assert list(found) == names and len(set(found.values())) == 56
    trained, twin = found["0"].line(), found["0"]._replace(twin=True).line()
    assert trained["color"] == twin["color"] and trained["marker"] == twin["marker"]
    assert trained["linestyle"] == "-" != twin["linestyle"]
    assert twin["markerfacecolor"] == "white"
    assert len({look.marker for look in list(found.values())[:7]}) == 7  # no hue is needed


def test_the_first_colours_stay_apart_without_red_and_green() -> None:
    seen = [np.clip(DEUTERANOPIA @ linear(to_rgb(colour)), 0, 1) for colour in COLOURS]
    apart = [np.abs(a - b).max() for a, b in itertools.combinations(seen, 2)]
    assert min(apart) > 0.09
    same = np.clip(DEUTERANOPIA @ linear((0.8, 0.3, 0.1)), 0, 1) - np.clip(
        DEUTERANOPIA @ linear((0.45, 0.5, 0.1)), 0, 1
    )
    assert np.abs(same).max() < 0.06  # the measure sees what a red and a green lose
