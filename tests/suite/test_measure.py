"""What a unit's record tells of its controls and refits, and how layers become jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from layerwise.encoders.store import Activations
from layerwise.suite.config import RunConfig
from layerwise.suite.pipeline import evaluate

Config = Callable[..., RunConfig]


def test_controls_are_on_and_stand_in_the_record(fake: Any, config: Config) -> None:
    fake()
    for record in evaluate(config(controls=3)).records:
        scores = record.scores
        assert scores["selectivity"] == scores["accuracy"] - scores["control_accuracy"]
        assert len(record.chosen["controls"]) == 3
        assert all(control["converged"] for control in record.chosen["controls"])
        # No word of one split is in another here, so that no control could be learnt.
        assert "control_accuracy_seen_types" not in scores
    assert evaluate(config()).records[0].scores.keys() >= {"selectivity", "control_accuracy"}


def test_controls_can_be_left_out_and_change_no_score(fake: Any, config: Config) -> None:
    fake()
    with_controls = {r.key.layer: r.scores for r in evaluate(config()).records}
    for record in evaluate(config(controls=0)).records:
        assert not any("control" in name or name == "selectivity" for name in record.scores)
        for name, value in record.scores.items():
            assert value == pytest.approx(with_controls[record.key.layer][name], abs=1e-6)


def test_refits_tell_the_spread_that_the_training_data_gives(fake: Any, config: Config) -> None:
    fake()
    noise, letter = sorted(evaluate(config(refits=8)).records, key=lambda r: r.key.layer)
    assert noise.scores["refits_sd_accuracy"] > letter.scores["refits_sd_accuracy"] >= 0


def test_a_layer_is_read_once_for_all_its_tasks(
    fake: Any, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake()
    reads: list[int] = []
    layer = Activations.layer
    monkeypatch.setattr(
        Activations, "layer", lambda self, index: reads.append(index) or layer(self, index)
    )
    assert evaluate(config(task=("pos", "morph:Number"))).computed == 4
    assert sorted(reads) == [0, 0, 0, 1, 1, 1]  # once a split
