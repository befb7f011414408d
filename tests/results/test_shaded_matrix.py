"""Matrices in a terminal: numbers where there is room, shades where there is not."""

from __future__ import annotations

import re

import numpy as np
import pytest
from rich.cells import cell_len

from layerwise.results.shaded_matrix import to_terminal

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def matrix(words: int) -> np.ndarray:
    places = np.arange(words)
    return 1 - np.abs(places[:, None] - places) / max(words, 2)


def test_numbers_as_they_are() -> None:
    values = np.array([[1.0, -0.126], [0.004, 0.987]])
    assert to_terminal(values, ["a", "birds"]).splitlines() == [
        "           1    2",
        "1 a     1.00 -.13",
        "2 birds  .00  .99",
    ]


@pytest.mark.parametrize("words", [1, 3, 15, 16, 25, 45, 80])
@pytest.mark.parametrize("styled", [False, True])
def test_no_line_is_wider_than_asked_for(words: int, styled: bool) -> None:
    names = [f"word{i}日本" for i in range(words)]
    lines = to_terminal(matrix(words), names, width=100, styled=styled).splitlines()
    assert len(lines) == words + 1
    assert max(cell_len(COLOUR.sub("", line)) for line in lines) <= 100
    assert any(COLOUR.search(line) for line in lines) == styled


def test_darker_and_lighter() -> None:
    drawn = to_terminal(matrix(60), ["w"] * 60).splitlines()[1]
    shades = drawn[len(" 1 w") :]
    assert shades[0] == "█" and {*shades} == set("█▓▒░")
    assert sorted(shades, key=" ░▒▓█".index, reverse=True) == list(shades)
    coloured = to_terminal(matrix(3), ["a", "b", "c"], styled=True)
    assert "48;2;254;232;56" in coloured  # the lightest of cividis, for 1


def test_words_that_act_are_escaped() -> None:
    assert "\x1b" not in to_terminal(matrix(2), ["\x1b[31m", "b"])
