"""Scores beside those of their control, and code lengths beside theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.results.palette import CONTROL, SCORE
from layerwise.results.records import Record
from layerwise.results.selectivity_curve import code_length, selectivity


def controlled(
    unit: Any, name: str, layer: int, value: float, control: float, **rest: Any
) -> Record:
    extra = {"control_accuracy": control, "selectivity": value - control}
    return unit(name, layer=layer, value=value, extra=extra, **rest)


def lines(axes: Any, colour: str, dashed: bool = False) -> list[list[float]]:
    return [
        list(line.get_ydata())
        for line in axes.lines
        if line.get_color() == colour and (line.get_linestyle() == "--") == dashed
    ]


def test_scores_and_controls_are_those_of_the_records(unit: Any) -> None:
    records = [
        *(controlled(unit, "lstm", i, 0.7 + i / 10, 0.6 - i / 10) for i in (0, 1)),
        *(controlled(unit, "lstm+random", i, 0.5, 0.4 + i / 10) for i in (0, 1)),
        controlled(unit, "cnn", 0, 0.66, 0.6),
    ]
    picture = selectivity(records)
    cnn, lstm = picture.figure.axes
    assert [axes.get_title() for axes in (cnn, lstm)] == ["cnn", "lstm"]
    assert cnn.get_ylabel() == "pos.v1\naccuracy"
    assert lines(lstm, SCORE) == [[0.7, pytest.approx(0.8)]]
    assert lines(lstm, CONTROL) == [[0.6, 0.5]]
    assert lines(lstm, SCORE, dashed=True) == [[0.5, 0.5]]
    assert lines(lstm, CONTROL, dashed=True) == [[0.4, 0.5]]
    assert lines(cnn, SCORE) == [[0.66]]
    shade = lstm.collections[0].get_paths()[0].vertices.round(6)
    assert {tuple(point) for point in shade} >= {(0, 0.6), (0, 0.7), (1, 0.5), (1, 0.8)}
    assert picture.summary == (
        "Scores and scores of their control by layer of 3 encoders on 1 task, the best selectivity "
        "being pos.v1: lstm@1, 0.300."
    )


def test_variants_keep_their_own_controls(unit: Any) -> None:
    records = [
        controlled(unit, "lstm", 0, 0.7, 0.6, settings={"controls": 1}),
        unit("lstm", layer=0, value=0.8, settings={"controls": 0}),
    ]
    picture = selectivity(records)
    without, with_one = picture.figure.axes
    assert [axes.get_title() for axes in (without, with_one)] == [
        *("lstm (controls=0)", "lstm (controls=1)"),
    ]
    assert lines(with_one, SCORE) == [[0.7]] and lines(with_one, CONTROL) == [[0.6]]
    assert lines(without, SCORE) == [[0.8]]
    assert np.isnan(lines(without, CONTROL)[0]).all()


def test_a_task_without_controls_is_counted(unit: Any) -> None:
    records = [controlled(unit, "lstm", 0, 0.7, 0.6), unit("lstm", "pronoun.v1")]
    picture = selectivity(records)
    assert [axes.get_ylabel() for axes in picture.figure.axes] == ["pos.v1\naccuracy"]
    assert picture.left_out == ("not drawn: 1 without controls: pronoun.v1",)
    with pytest.raises(DataError) as error:
        selectivity([unit()])
    assert str(error.value) == (
        "no scores of control tasks here; "
        "`probe run -e lstm -t pos -d builtin --controls 1` fits them"
    )


def test_code_lengths_their_spread_and_their_controls(unit: Any) -> None:
    def coded(layer: int, bits: float) -> Record:
        extra = {
            "codelength_bits": bits,
            "codelength_bits_lowest": bits - 5,
            "codelength_bits_highest": bits + 9,
            "control_codelength_bits": bits * 3,
            "compression": 1000 / bits,
        }
        return unit(layer=layer, extra=extra)

    picture = code_length([coded(0, 100.0), coded(1, 50.0)])
    (axes,) = picture.figure.axes
    assert lines(axes, SCORE) == [[100, 50]] and lines(axes, CONTROL) == [[300, 150]]
    band = axes.collections[1].get_paths()[0].vertices
    assert {tuple(point) for point in band} >= {(0, 95), (0, 109), (1, 45), (1, 59)}
    names = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert names == ["codelength_bits (lower is better)", "that of its control", "difference"]
    assert picture.summary.endswith("the best layer being pos.v1: lstm@1, 50.000.")
    (axes,) = code_length([coded(0, 100.0), coded(1, 50.0)], metric="compression").figure.axes
    assert lines(axes, SCORE) == [[10, 20]] and lines(axes, CONTROL) == []


def test_no_code_lengths_is_told_with_the_command_for_them(unit: Any) -> None:
    with pytest.raises(DataError, match="`probe run -e lstm -t pos -d builtin --codelength`"):
        code_length([unit()])
    with pytest.raises(UsageError, match="--metric: bits is no measure of a code; known:"):
        code_length([unit()], metric="bits")


def test_names_are_text(unit: Any) -> None:
    figure = selectivity([controlled(unit, "$\\frac{$<b>\n_", 0, 0.7, 0.6)]).figure
    figure.draw_without_rendering()
    assert figure.axes[0].get_title() == r"\$\frac{\$<b>\x0a_"
