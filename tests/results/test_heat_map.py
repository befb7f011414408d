"""Heat maps: what is drawn, on which scale, and with which words."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from layerwise.results.heat_map import Panel, _figure, write_heat_map

WORDS = ["The", "cat", "$x^2$", "\u202eabc"]


def panels(count: int, lowest: float = 0.1) -> list[Panel]:
    random = np.random.default_rng(0)
    values = [random.uniform(lowest, 1, size=(4, 4)) for _ in range(count)]
    return [Panel(f"layer {i}", own) for i, own in enumerate(values)]


@pytest.mark.parametrize("lowest, scale", [(0.1, 0.0), (-0.4, -0.4)])
def test_all_panels_share_a_scale_that_holds_every_value(lowest: float, scale: float) -> None:
    given = panels(3, lowest)
    given[1].values[0, 1] = lowest
    figure = _figure(given, WORDS, "cosine")
    images = [image for axes in figure.axes for image in axes.get_images()]
    assert len(images) == 3
    for image, panel in zip(images, given, strict=True):
        assert image.get_clim() == pytest.approx((scale, 1))
        np.testing.assert_array_equal(image.get_array(), panel.values)


def test_words_stand_on_both_axes_and_act_on_nothing() -> None:
    axes = _figure(panels(1), WORDS, "cosine").axes[0]
    shown = ["The", "cat", r"\$x^2\$", "\\u202eabc"]
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text() for label in labels] == shown
    assert axes.get_title() == "layer 0"


@pytest.mark.parametrize("count, shape", [(1, (1, 1)), (4, (1, 4)), (5, (2, 3)), (13, (4, 4))])
def test_small_multiples(count: int, shape: tuple[int, int]) -> None:
    figure = _figure(panels(count), WORDS, "cosine")
    grid = figure.axes[0].get_gridspec()
    assert (grid.nrows, grid.ncols) == shape
    assert sum(bool(axes.get_images()) for axes in figure.axes) == count


def test_colours_go_from_dark_to_light_in_grey_too() -> None:
    axes = _figure(panels(1), WORDS, "cosine").axes[0]
    image = axes.get_images()[0]
    colours = image.cmap(np.linspace(0, 1, 64))[:, :3]
    grey = colours @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(grey) > 0).all()


def test_cells_tell_their_numbers_while_they_are_few() -> None:
    given = panels(1, -0.5)
    given[0].values[0, :3] = (1.0, -0.25, 0.004)
    texts = [text.get_text() for text in _figure(given, WORDS, "cosine").axes[0].texts]
    assert len(texts) == 16 and texts[:3] == ["1.00", "-.25", ".00"]
    many = Panel("layer 0", np.ones((30, 30)))
    assert not _figure([many], ["word"] * 30, "cosine").axes[0].texts


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_the_same_bytes_each_time(tmp_path: Path, ending: str) -> None:
    for name in ("one", "two"):
        write_heat_map(tmp_path / f"{name}.{ending}", panels(2), WORDS, "cosine")
    one, two = ((tmp_path / f"{name}.{ending}").read_bytes() for name in ("one", "two"))
    assert one == two and len(one) > 1000
    assert not re.search(rb"20[0-9]{2}-[01][0-9]-[0-3][0-9]T", one)
