"""Weights of scalar mixes: bars are the weights, and single layers are in no such picture."""

from __future__ import annotations

from typing import Any

import pytest

from layerwise.core.errors import DataError
from layerwise.results.mix_weights import mix_weights, mixes_of
from layerwise.results.records import Record


def mix(unit: Any, weights: list[float], *, starts: Any = (), last: int = 2, **rest: Any) -> Record:
    made = unit(
        metric="mix_accuracy",
        layer=last,
        probe="scalar_mix.v1",
        extra={"centre_of_gravity": sum(i * w for i, w in enumerate(weights))},
        **rest,
    )
    chosen = {"weights": weights, "starts": [{"weights": list(start)} for start in starts]}
    return made.model_copy(update={"chosen": chosen})


def test_bars_are_the_weights_and_whiskers_what_starts_gave(unit: Any) -> None:
    starts = [(0.1, 0.5, 0.4), (0.3, 0.3, 0.4)]
    figure = mix_weights([mix(unit, [0.1, 0.5, 0.4], starts=starts)]).figure
    (axes,) = figure.axes
    assert [bar.get_height() for bar in axes.patches] == [0.1, 0.5, 0.4]
    assert [bar.get_x() + bar.get_width() / 2 for bar in axes.patches] == pytest.approx([0, 1, 2])
    whiskers = [segment.tolist() for segment in axes.collections[0].get_segments()]
    assert whiskers == [[[0, 0.1], [0, 0.3]], [[1, 0.3], [1, 0.5]], [[2, 0.4], [2, 0.4]]]
    uniform, centre = axes.lines
    assert uniform.get_ydata()[0] == pytest.approx(1 / 3) and centre.get_xdata()[0] == 1.3
    assert [text.get_text() for text in axes.texts] == ["1.30"]
    assert axes.get_ylim() == (0, 1)


def test_tasks_stand_downwards_and_encoders_across(unit: Any) -> None:
    records = [
        mix(unit, weights, encoder=encoder, task=task)
        for encoder, weights in (("b", [0.2, 0.3, 0.5]), ("a", [1.0, 0.0, 0.0]))
        for task in ("pos.v1", "coref.v1")
    ]
    axes = mix_weights(records).figure.axes
    assert [one.get_title() for one in axes] == ["a", "b", "", ""]
    assert [one.get_ylabel() for one in axes] == ["coref.v1", "", "pos.v1", ""]
    assert [one.patches[0].get_height() for one in axes] == [1, 0.2, 1, 0.2]


def test_single_layers_and_mixes_of_some_layers_are_not_in_it(unit: Any) -> None:
    whole = mix(unit, [0.2, 0.3, 0.5])
    failed = mix(unit, [0.1, 0.1, 0.8], encoder="b", value=None)
    records = [unit(), whole, mix(unit, [0.5, 0.5], last=1), failed]
    found, left_out = mixes_of(records)
    assert [one.weights for one in found] == [(0.2, 0.3, 0.5)]
    assert left_out == (
        "not drawn: 1 that failed; `probe mix` tells why",
        "not drawn: 1 of mixes of some of the layers",
    )
    picture = mix_weights(records)
    assert picture.summary == (
        "Weights of the layers in 1 scalar mix, their centres of gravity being lstm, pos.v1: 1.30."
    )
    assert picture.left_out == left_out


def test_nothing_to_draw_is_told_with_the_command_for_it(unit: Any) -> None:
    with pytest.raises(DataError) as error:
        mix_weights([unit("lstm"), unit("cnn")])
    assert str(error.value) == (
        "no weights of mixes here; `probe mix -e lstm -e cnn -t pos -d builtin` fits them"
    )
    with pytest.raises(DataError, match="no mix of all layers here that was fitted"):
        mix_weights([mix(unit, [0.5, 0.5], last=1)])
    broken = mix(unit, [1.0, 0.0, 0.0]).model_copy(update={"chosen": {}})
    for wrong in (broken, mix(unit, [0.5, 0.5]), mix(unit, [1.0, 0, 0], starts=[(1.0,)])):
        with pytest.raises(DataError, match=r"lstm, pos.v1, id \w+: the record of a mix has no we"):
            mix_weights([wrong])
