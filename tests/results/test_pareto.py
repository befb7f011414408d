"""Scores against times: each point is a record of both, and the front is what nothing beats."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwise.core.errors import DataError, UsageError
from layerwise.results.layer_scores import Curve
from layerwise.results.pareto import Layer, front, pareto
from layerwise.results.records import Record

CURVE = Curve("lstm", "", 9, {})
FEW = st.sampled_from([0.25, 0.5, 1.0, 2.0, 4.0])  # so that ties are drawn


def timed(unit: Any, name: str, layer: int, ms: float | None, **changes: Any) -> Record:
    settings = {"batch_size": 1, "length": 20, "device": "cpu: X", "threads": 1} | changes
    ends = {"milliseconds_q25": 0.1, "milliseconds_q75": 99.0, "words_per_second": 5.0}
    return unit(name, "speed.v1", layer, ms, metric="milliseconds", extra=ends, settings=settings)


@pytest.fixture
def records(unit: Any) -> list[Record]:
    scores = {"lstm": (0.7, 0.9, 0.8), "cnn": (0.75, 0.85, 0.95)}
    times = {"lstm": (1.0, 2.0, 4.0), "cnn": (2.0, 3.0, 8.0)}
    return [
        *(unit(n, layer=i, value=v) for n, of in scores.items() for i, v in enumerate(of)),
        *(timed(unit, n, i, ms) for n, of in times.items() for i, ms in enumerate(of)),
        *(timed(unit, n, 0, 77.0, batch_size=64) for n in times),
    ]


@given(points=st.lists(st.tuples(FEW, FEW), min_size=1, max_size=9), lower=st.booleans())
def test_the_front_is_what_brute_force_finds(
    points: list[tuple[float, float]], lower: bool
) -> None:
    layers = [Layer(CURVE, i, *point) for i, point in enumerate(points)]
    sign = -1 if lower else 1

    def beaten(a: Layer, b: Layer) -> bool:
        at_least = b.time <= a.time and sign * b.score >= sign * a.score
        return at_least and (b.time, b.score) != (a.time, a.score)

    expected = {(a.time, a.score) for a in layers if not any(beaten(a, b) for b in layers)}
    found = front(layers, lower)
    assert {(one.time, one.score) for one in found} == expected
    assert len(found) == len(expected)
    assert [one.time for one in found] == sorted(one.time for one in found)


def test_points_are_the_records_of_the_smallest_size(records: list[Record]) -> None:
    figure = pareto(records).figure
    (axes,) = figure.axes
    cnn, lstm, step = axes.lines
    assert [tuple(p) for p in lstm.get_xydata()] == [(1.0, 0.7), (2.0, 0.9), (4.0, 0.8)]
    assert [tuple(p) for p in cnn.get_xydata()] == [(2.0, 0.75), (3.0, 0.85), (8.0, 0.95)]
    assert list(step.get_xydata()[:-1].ravel()) == [1.0, 0.7, 2.0, 0.9, 8.0, 0.95]
    assert step.get_drawstyle() == "steps-post" and axes.get_xscale() == "log"
    assert axes.get_xlabel() == "ms to reach the layer, batch 1, 20 words, cpu: X"
    low, high = axes.get_xlim()
    assert low < 1 and high > 8
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        *("cnn", "lstm", "Pareto front"),
    ]


def test_the_front_is_named_and_no_label_is_on_another(records: list[Record]) -> None:
    figure = pareto(records).figure
    figure.draw_without_rendering()
    texts = figure.axes[0].texts
    assert {"lstm@0", "lstm@1", "cnn@2"} <= {text.get_text() for text in texts}
    boxes = [text.get_window_extent() for text in texts]
    for a, b in itertools.combinations(boxes, 2):
        assert not (a.x0 + 1 < b.x1 and b.x0 + 1 < a.x1 and a.y0 + 1 < b.y1 and b.y0 + 1 < a.y1)


def test_of_a_cost_less_is_better(unit: Any) -> None:
    records = [
        *(unit(layer=i, extra={"cross_entropy_nats": n}) for i, n in enumerate((0.5, 0.9, 0.2))),
        *(timed(unit, "lstm", i, ms) for i, ms in enumerate((1.0, 2.0, 3.0))),
    ]
    step = pareto(records, metric="cross_entropy_nats").figure.axes[0].lines[-1]
    assert list(step.get_ydata()) == [0.5, 0.2, 0.2]
    with pytest.raises(UsageError, match="--metric: more cosine is not better"):
        pareto([unit(metric="cosine"), timed(unit, "lstm", 0, 1.0)])


def test_each_machine_has_a_panel(records: list[Record], unit: Any) -> None:
    other = [timed(unit, "lstm", i, 0.1 + i, device="cuda: Y") for i in range(3)]
    axes = pareto([*records, *other]).figure.axes
    assert [one.get_xlabel() for one in axes] == [
        *(
            f"ms to reach the layer, batch 1, 20 words, {on}, 1 thread"
            for on in ("cpu: X", "cuda: Y")
        ),
    ]
    assert [tuple(p) for p in axes[1].lines[0].get_xydata()] == [(0.1, 0.7), (1.1, 0.9), (2.1, 0.8)]


def test_who_was_not_timed_is_counted_with_the_command_for_it(
    records: list[Record], unit: Any
) -> None:
    picture = pareto([*records, unit("onehot"), unit("gru")])
    assert picture.left_out == (
        "not drawn: 2 encoders without times; `probe time -e gru -e onehot` measures them",
    )
    assert "cnn@2 (8.00 ms, 0.950)" in picture.summary and "lstm@2" not in picture.summary
    untimed = [record for record in records if record.key.task != "speed.v1"]
    strange = timed(unit, "lstm", 0, 1.0)
    strange = strange.model_copy(
        update={"key": strange.key.model_copy(update={"fingerprint": "other weights"})}
    )
    for without in (untimed, [*untimed, strange]):
        with pytest.raises(DataError) as error:
            pareto(without)
        assert str(error.value) == (
            "no times of these encoders here; `probe time -e cnn -e lstm` measures them; give that "
            "folder too"
        )


def test_names_are_text(unit: Any) -> None:
    name = "$\\frac{$<b>\n_"
    records = [unit(name, layer=i, value=0.5 + i / 10) for i in (0, 1)]
    records += [timed(unit, name, i, 1.0 + i, device="$x_1$") for i in (0, 1)]
    figure = pareto(records).figure
    figure.draw_without_rendering()
    assert r"\$\frac{\$<b>\x0a_@1" in [text.get_text() for text in figure.axes[0].texts]
    assert figure.axes[0].get_xlabel().endswith(r"\$x_1\$")


def test_a_time_of_nothing_has_an_axis_too(unit: Any) -> None:
    records = [unit(layer=0), timed(unit, "lstm", 0, 0.0)]
    axes = pareto(records).figure.axes[0]
    assert axes.get_xscale() == "linear" and axes.get_xlim() == (0, 1)
