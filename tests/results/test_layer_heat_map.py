"""Heat maps of layers: cells are the records, scales are a task's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from layerwise.results.layer_heat_map import layer_heat_map
from layerwise.results.palette import ink_on


def test_cells_are_the_records_and_what_failed_or_is_no_layer_is_none(unit: Any) -> None:
    values = {"a": (0.5, 0.9, None), "b": (0.7,)}
    records = [unit(n, layer=i, value=v) for n, of in values.items() for i, v in enumerate(of)]
    axes = layer_heat_map(records).figure.axes[0]
    (image,) = axes.get_images()
    nan = np.nan
    np.testing.assert_array_equal(
        np.ma.filled(image.get_array(), nan), [[0.5, 0.9, nan], [0.7, nan, nan]]
    )
    shown = {text.get_position(): text for text in axes.texts}
    assert {place: text.get_text() for place, text in shown.items()} == {
        (0, 0): ".500",
        (1, 0): ".900",
        (2, 0): "×",
        (0, 1): ".700",
    }
    assert [place for place, text in shown.items() if text.get_weight() == "bold"] == [(1, 0)]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    for (column, row), text in shown.items():
        if text.get_text() != "×":
            cell = image.to_rgba(np.array([image.get_array()[row, column]]))[0]
            assert text.get_color() == ink_on(tuple(cell[:3]))


def test_the_scale_of_a_task_is_its_own(unit: Any) -> None:
    records = [
        unit(name, task, value=value)
        for task, low in (("pos.v1", 0.8), ("coref.v1", 0.2))
        for name, value in (("a", low), ("b", low + 0.1))
    ]
    limits = [axes.get_images()[0].get_clim() for axes in layer_heat_map(records).figure.axes]
    assert limits == [pytest.approx((0.2, 0.3)), pytest.approx((0.8, 0.9))]


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        *(("cross_entropy_nats", 1.2345, "1.23"), ("codelength_bits", 2382.25, "2382")),
        *(
            ("selectivity", -0.1234, "-.123"),
            ("accuracy", 1.0, "1"),
            ("compression", 35.19, "35.2"),
        ),
    ],
)
def test_numbers_have_room(unit: Any, metric: str, value: float, text: str) -> None:
    records = [unit(extra={metric: value}) if metric != "accuracy" else unit(value=value)]
    axes = layer_heat_map(records, metric=metric).figure.axes[0]
    assert [each.get_text() for each in axes.texts] == [text]


@pytest.mark.parametrize(("layers", "across", "numbers"), [(7, 2, 7), (25, 1, 25), (49, 1, 0)])
def test_many_layers_take_the_width_and_too_many_the_numbers(
    unit: Any, layers: int, across: int, numbers: int
) -> None:
    records = [
        unit(task=task, layer=i, value=0.5).model_copy(update={"layers": layers})
        for task in ("pos.v1", "coref.v1")
        for i in range(layers)
    ]
    figure = layer_heat_map(records).figure
    assert figure.axes[0].get_gridspec().ncols == across
    assert len(figure.axes[0].texts) == numbers
    assert len(figure.axes[0].get_xticks()) <= 26
    assert figure.get_figwidth() == 6.8


def test_the_summary(unit: Any) -> None:
    picture = layer_heat_map([unit(layer=i, value=0.5 + i / 10) for i in (0, 1)])
    assert picture.summary == (
        "Scores of 1 encoder by layer as a heat map of 1 task, the best being pos.v1, accuracy: "
        "lstm@1, 0.600."
    )
