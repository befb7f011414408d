"""Which scores are drawn: single layers, one score a task, nothing dropped without a count."""

from __future__ import annotations

from typing import Any

import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.results.layer_scores import always, asking, best_of, panels_of, scored
from layerwise.results.records import Record


def mix(unit: Any, **changes: Any) -> Record:
    return unit(metric="mix_accuracy", probe="scalar_mix.v1", layer=2, **changes)


def test_curves_hold_what_the_records_say(unit: Any) -> None:
    records = [
        unit("lstm", layer=0, value=0.7, interval=(0.6, 0.8), baselines={"majority": 0.2}),
        unit("lstm", layer=2, value=0.9, baselines={"majority": 0.2}),
        unit("lstm+random", layer=0, value=0.5, baselines={"majority": 0.4}),
        unit("lstm", "coref.v1", 0, 0.3),
    ]
    panels, left_out = panels_of(records)
    assert [panel.title for panel in panels] == ["coref.v1, f1", "pos.v1, accuracy"]
    trained, twin = panels[1].curves
    assert {layer: cell.value for layer, cell in trained.cells.items()} == {0: 0.7, 2: 0.9}
    assert trained.cells[0].interval == (0.6, 0.8) and trained.layers == 3
    assert (trained.twin, twin.twin, twin.family) == (False, True, "lstm")
    assert [tuple(level) for level in panels[1].levels] == [("majority", 0.2, 0.4)]
    assert best_of(panels[1]) == "lstm@2, 0.900" and left_out == ()


def test_seeds_are_averaged_and_variants_are_curves_of_their_own(unit: Any) -> None:
    records = [unit(value=0.6, seed=0), unit(value=0.8, seed=1)]
    ((panel,), _) = panels_of(records)
    assert panel.curves[0].cells[0].value == pytest.approx(0.7)
    records = [unit(settings={"context": c}) for c in ("document", "sentence")]
    ((panel,), _) = panels_of([*records, unit("lstm+random3", settings={"context": "document"})])
    assert [curve.label for curve in panel.curves[:2]] == [
        *("lstm (context=document)", "lstm (context=sentence)"),
    ]
    assert panel.curves[2].family == "lstm"


def test_another_metric_has_no_interval_and_knows_which_end_is_better(unit: Any) -> None:
    extra = [{"cross_entropy_nats": nats} for nats in (1.5, 0.5, 2.0)]
    records = [
        unit(layer=i, value=0.5 + i / 10, interval=(0, 1), extra=e) for i, e in enumerate(extra)
    ]
    ((panel,), _) = panels_of(records, "cross_entropy_nats")
    assert panel.title == "pos.v1, cross_entropy_nats (lower is better)"
    assert all(cell.interval is None for cell in panel.curves[0].cells.values())
    assert best_of(panel) == "lstm@1, 0.500" and panel.curves[0].cells[1].best
    with pytest.raises(UsageError, match="--metric: no layer has a score 'acuracy'; did you mean"):
        panels_of(records, "acuracy")
    assert best_of(panels_of([unit(metric="cosine")])[0][0]) == ""


def test_mixes_and_times_stay_out_and_what_is_not_drawn_is_counted(unit: Any) -> None:
    records = [
        unit(layer=0, extra={"selectivity": 0.1}),
        unit(layer=1, value=None),
        unit("other", "coref.v1"),
        mix(unit),
        mix(unit, encoder="b"),
        unit(task="speed.v1", metric="milliseconds"),
    ]
    panels, left_out = panels_of(records)
    assert [panel.task for panel in panels] == ["coref.v1", "pos.v1"]
    assert [len(panel.curves) for panel in panels] == [1, 1]
    assert panels[1].curves[0].cells[1].status == "failed"
    assert left_out == (
        "not drawn: 2 of mixes of layers, which `probe plot mix` draws",
        "not drawn: 1 that failed; `probe show` tells why",
    )
    panels, left_out = scored(records, always("selectivity"))
    assert [panel.task for panel in panels] == ["pos.v1"]
    assert "not drawn: 1 without this score" in left_out
    assert scored(records, always("nothing")).panels == ()


def test_nothing_to_draw_is_one_line_with_a_cure(unit: Any) -> None:
    for records, told in (
        ([], "no scores of layers here; `probe run` makes them"),
        ([unit(task="speed.v1")], "no scores of layers here; `probe run` makes them"),
        ([mix(unit)], "all scores here are of mixes of layers; `probe plot mix` draws them"),
        ([unit(value=None)], "all units here failed; `probe show` tells why"),
    ):
        with pytest.raises(DataError) as error:
            panels_of(records)
        assert str(error.value) == told


def test_a_command_asks_for_the_units_of_records(unit: Any) -> None:
    records = [unit("a"), unit("b"), unit("b", "morph:Number.v1"), unit("c", "speed.v1")]
    assert asking(records) == "-e a -e b -t pos -t morph:Number -d builtin"
