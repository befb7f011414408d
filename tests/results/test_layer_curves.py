"""Layer curves: the lines are the records, and baselines stand where they scored."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwise.results.layer_curves import layer_curves, spread
from layerwise.results.records import Record, RecordFile

REFERENCE = Path(__file__).parents[2] / "results" / "reference" / "gum_open.jsonl"


@pytest.fixture
def records(unit: Any) -> list[Record]:
    values = {"lstm": (0.7, 0.9, 0.8), "lstm+random": (0.6, 0.55, 0.5), "cnn": (0.65, None, 0.75)}
    made = [
        unit(
            name,
            layer=layer,
            value=value,
            interval=value and (value - 0.02, value + 0.03),
            baselines={"majority": 0.1, "per-type majority": 0.78} if value else {},
        )
        for name, of_layers in values.items()
        for layer, value in enumerate(of_layers)
    ]
    return [*made, unit("onehot", value=0.62).model_copy(update={"layers": 1})]


def drawn(axes: Any) -> list[Any]:
    """The curves, solid or dashed."""
    return [line for line in axes.lines if line.get_markersize() == 3]


def test_lines_are_the_records_with_their_looks(records: list[Record]) -> None:
    axes = layer_curves(records).figure.axes[0]
    cnn, lstm, twin = drawn(axes)
    assert list(lstm.get_xdata()) == [0, 1, 2] and list(lstm.get_ydata()) == [0.7, 0.9, 0.8]
    np.testing.assert_array_equal(cnn.get_ydata(), [0.65, math.nan, 0.75])  # failed: a gap
    assert list(twin.get_ydata()) == [0.6, 0.55, 0.5]
    assert lstm.get_color() == twin.get_color() != cnn.get_color()
    assert lstm.get_linestyle() == "-" and twin.get_linestyle() == "--"
    assert lstm.get_marker() == twin.get_marker() != cnn.get_marker()
    assert axes.get_title("left") == "pos.v1, accuracy" and axes.get_xlabel() == "layer"
    assert [int(tick) for tick in axes.get_xticks()] == [0, 1, 2]


def test_bands_are_the_intervals(records: list[Record]) -> None:
    axes = layer_curves(records).figure.axes[0]
    lstm = axes.collections[1].get_paths()[0].vertices
    assert {tuple(p) for p in lstm.round(6)} >= {(1.0, 0.88), (1.0, 0.93), (0.0, 0.68), (0.0, 0.73)}


def test_the_best_layer_of_each_trained_encoder_is_ringed(records: list[Record]) -> None:
    axes = layer_curves(records).figure.axes[0]
    rings = [line for line in axes.lines if line.get_markersize() == 7]
    assert sorted(map(tuple, (ring.get_xydata()[0] for ring in rings))) == [(1, 0.9), (2, 0.75)]


def test_baselines_are_lines_with_names_and_a_far_one_is_told_at_the_edge(
    records: list[Record],
) -> None:
    axes = layer_curves(records).figure.axes[0]
    level = [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == ":"]
    assert sorted(level) == [0.62, 0.78]
    assert [text.get_text() for text in axes.texts] == [
        *("majority 0.100 ↓", "onehot", "per-type majority"),
    ]
    low, high = axes.get_ylim()
    assert 0.1 < low < 0.48 and 0.93 < high < 1
    heights = [text.get_position()[1] for text in axes.texts]
    assert heights == pytest.approx([low, 0.62, 0.78])


def test_a_baseline_that_differs_is_a_band_and_far_away_its_two_ends(unit: Any) -> None:
    records = [
        unit(layer=i, value=0.7 + i / 10, baselines={"near": 0.68 + i / 20, "far": 0.2 + i / 10})
        for i in (0, 1)
    ]
    axes = layer_curves(records).figure.axes[0]
    (band,) = axes.patches
    assert (band.get_y(), band.get_y() + band.get_height()) == pytest.approx((0.68, 0.73))
    assert [text.get_text() for text in axes.texts] == ["far 0.200–0.300 ↓", "near"]


def test_depth_runs_from_nothing_to_one(records: list[Record]) -> None:
    axes = layer_curves(records, relative=True).figure.axes[0]
    assert list(drawn(axes)[1].get_xdata()) == [0, 0.5, 1]
    assert axes.get_xlabel().startswith("depth")


def test_the_legend_names_what_is_drawn(records: list[Record], unit: Any) -> None:
    def legend(of: list[Record]) -> list[str]:
        found = layer_curves(of).figure.legends
        return [text.get_text() for text in found[0].get_texts()] if found else []

    assert legend(records) == [
        *("cnn", "lstm", "the same with random weights", "best layer", "95 % interval"),
    ]
    assert legend([unit("lstm+random", layer=i) for i in (0, 1)]) == ["lstm, random weights"]
    assert legend([unit("onehot").model_copy(update={"layers": 1})]) == []


def test_a_panel_a_task_and_widths_for_print(unit: Any) -> None:
    tasks = ("pos.v1", "coref.v1", "morph:Number.v1")
    figure = layer_curves([unit(task=task, layer=i) for task in tasks for i in (0, 1)]).figure
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title("left") for axes in shown] == [
        *("coref.v1, f1", "morph:Number.v1, macro_f1", "pos.v1, accuracy"),
    ]
    assert figure.get_figwidth() == 6.8
    assert layer_curves([unit()]).figure.get_figwidth() == 3.3


def test_many_encoders_take_no_room_from_the_panel(unit: Any) -> None:
    def height(count: int) -> float:
        records = [unit(f"encoder {i}", layer=j) for i in range(count) for j in (0, 1)]
        figure = layer_curves(records).figure
        figure.draw_without_rendering()
        return float(figure.axes[0].get_window_extent().height)

    assert height(40) == pytest.approx(height(4), rel=0.15)


def test_names_are_text(unit: Any) -> None:
    name, task = "$\\frac{a}$\n<b>_x", "morph:$y$" + "z" * 90 + ".v1"
    records = [
        unit(name, task, i, metric="accuracy", baselines={"$\\nonsense{$" * 9: 0.9}) for i in (0, 1)
    ]
    figure = layer_curves(records).figure
    figure.draw_without_rendering()
    assert figure.legends[0].get_texts()[0].get_text() == r"\$\frac{a}\$\x0a<b>_x"
    title = figure.axes[0].get_title("left")
    assert (
        title.startswith(r"morph:\$y\$z") and title.endswith("z.v1, accuracy") and len(title) < 55
    )
    assert len(figure.axes[0].texts[0].get_text().replace(r"\$", "$")) == 20


def test_the_summary_tells_the_best_and_what_is_left_out(records: list[Record]) -> None:
    picture = layer_curves(records)
    assert picture.summary == (
        "Scores by layer of 4 encoders on 1 task, the best being pos.v1, accuracy: lstm@1, 0.900."
    )
    assert picture.left_out == ("not drawn: 1 that failed; `probe show` tells why",)


def test_the_reference_is_drawn_as_recorded() -> None:
    records = [
        record for record in RecordFile(REFERENCE).read().records if record.key.task == "pos.v1"
    ]
    axes = layer_curves(records).figure.axes[0]
    lines = sorted(tuple(line.get_ydata()) for line in drawn(axes))
    by_encoder: dict[str, dict[int, float]] = {}
    for record in records:
        by_encoder.setdefault(record.key.encoder, {})[record.key.layer] = record.scores["accuracy"]
    deep = [scores for scores in by_encoder.values() if len(scores) > 1]
    assert lines == sorted(tuple(scores[i] for i in sorted(scores)) for scores in deep)


@given(
    places=st.lists(st.floats(0, 1), min_size=1, max_size=12).map(sorted), gap=st.floats(0.01, 0.3)
)
def test_names_are_spread_as_little_as_needed(places: list[float], gap: float) -> None:
    moved = spread(places, gap, 0.0, 1.0)
    fits = min(gap, 1 / max(len(places) - 1, 1))
    assert all(b - a >= fits - 1e-9 for a, b in pairwise(moved))
    assert -1e-9 <= moved[0] and moved[-1] <= 1 + 1e-9
    if all(b - a >= gap for a, b in pairwise(places)):
        assert moved == pytest.approx(places)
