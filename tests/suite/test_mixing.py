"""Scalar mixes from text to records, and what ``probe mix`` says of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layerwise.core.errors import UsageError
from layerwise.probes.layer_profile import expected_layer
from layerwise.results import table
from layerwise.suite.config import RunConfig
from layerwise.suite.mixing import evaluate
from layerwise.suite.pipeline import evaluate as probe_layers

Config = Callable[..., RunConfig]


def test_the_layer_that_knows_the_label_has_the_weight(fake: Any, config: Config) -> None:
    fake()
    (record,) = evaluate(config()).records
    assert record.key.layer == 1 and record.layer_name == "mix of 0..1"
    assert record.key.probe == "scalar_mix.v1" and record.metric == "mix_accuracy"
    assert record.scores["mix_accuracy"] == 1.0
    weights = record.chosen["weights"]
    assert weights[1] > 0.95 and sum(weights) == pytest.approx(1)
    assert record.scores["centre_of_gravity"] == pytest.approx(weights[1])
    assert len(record.chosen["starts"]) == 3 and record.chosen["converged"]
    assert record.interval is not None and record.interval.high == 1.0
    assert record.baselines["majority"]["mix_accuracy"] < 1


def test_cumulative_mixes_begin_with_the_linear_probe(fake: Any, config: Config) -> None:
    fake()
    mixes = sorted(evaluate(config(), cumulative=True).records, key=lambda r: r.key.layer)
    alone = {r.key.layer: r for r in probe_layers(config(controls=0)).records}
    assert [r.layer_name for r in mixes] == ["mix of 0..0", "mix of 0..1"]
    assert mixes[0].scores["mix_accuracy"] == alone[0].scores["accuracy"]
    assert mixes[0].chosen["l2"] == alone[0].chosen["l2"]
    nats = [mixes[0].scores["cross_entropy_nats"], alone[0].scores["cross_entropy_nats"]]
    assert nats[0] == pytest.approx(nats[1], rel=1e-4)
    assert expected_layer([r.scores["mix_accuracy"] for r in mixes]) == 1.0


def test_pairs_are_mixed_before_their_features_are_formed(
    fake: Any, config: Config, corpus: Path
) -> None:
    for file in corpus.iterdir():
        # The label of an arc tells whether the dependent is a noun.
        text = re.sub("^(\\d+\tn.*)\tdep\t", "\\1\tnoun\t", file.read_text(), flags=re.MULTILINE)
        file.write_text(text)
    fake()
    given = config(task=("deprel",), controls=0)
    mixes = sorted(evaluate(given, cumulative=True).records, key=lambda r: r.key.layer)
    alone = {r.key.layer: r for r in probe_layers(given).records}
    assert mixes[0].scores["mix_accuracy"] == alone[0].scores["accuracy"]
    assert mixes[1].scores["mix_accuracy"] == alone[1].scores["accuracy"] == 1.0
    assert mixes[1].chosen["weights"][1] > 0.95


def test_what_is_recorded_is_not_fitted_again(fake: Any, config: Config) -> None:
    fake()
    assert evaluate(config()).computed == 1
    outcome = evaluate(config(), cumulative=True)
    assert outcome.computed == 1 and len(outcome.records) == 2
    assert evaluate(config(), starts=2).computed == 1  # other settings, another unit


def test_no_column_holds_scores_of_layers_and_of_mixes(fake: Any, config: Config) -> None:
    fake()
    records = [*probe_layers(config()).records, *evaluate(config(), cumulative=True).records]
    built = table.build(records)
    columns = [column.metric for column in built.columns]
    assert {"accuracy", "mix_accuracy"} <= set(columns)
    place = {metric: columns.index(metric) for metric in ("accuracy", "mix_accuracy")}
    for row in built.rows:
        if row.layer is not None:
            statuses = {metric: row.cells[index].status for metric, index in place.items()}
            assert sorted(statuses.values()) == ["missing", "ok"]
            assert (statuses["mix_accuracy"] == "ok") == ("scalar_mix" in row.variant)


def test_other_poolings_do_not_commute_with_mixing(fake: Any, config: Config) -> None:
    fake()
    for pooling in ("max", "attentive"):
        with pytest.raises(UsageError, match="--span-pooling"):
            evaluate(config(span_pooling=pooling))
    (record,) = evaluate(config(span_pooling="endpoints"), starts=1).records
    assert record.status == "ok"


def test_one_encoder_that_fails_stops_no_other(fake: Any, config: Config) -> None:
    fake("broken", fail_at=0)
    fake("sound")
    outcome = evaluate(config(encoder=("broken", "sound")), starts=1)
    assert list(outcome.errors) == ["broken"] and len(outcome.records) == 1


def test_what_goes_wrong_in_a_fit_is_a_failed_record(
    fake: Any, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    from layerwise.probes.scalar_mix import ScalarMix

    def broken(*given: Any, **more: Any) -> None:
        raise RuntimeError("out of\nmemory")

    fake()
    with monkeypatch.context() as patched:
        patched.setattr(ScalarMix, "fit", broken)
        (record,) = evaluate(config()).records
    assert record.status == "failed" and record.error == "RuntimeError: out of memory"
    assert evaluate(config()).records[0].status == "ok"  # a failed unit is done again


class TestCommand:
    @pytest.fixture
    def mix(self, command: Any, corpus: Path, tmp_path: Path, fake: Any) -> Any:
        fake()

        def run(*arguments: object) -> Any:
            given = ("-e", "fake", "-t", "pos", "-d", corpus, "-o", tmp_path / "run")
            return command("mix", *given, "--workers", 1, "--starts", 2, *arguments)

        return run

    def test_it_prints_the_weights(self, mix: Any) -> None:
        said = mix()
        assert said.code == 0, said.err
        assert said.out.startswith("fake, pos.v1, tiny: mix_accuracy 1.000 [1.000, 1.000]")
        assert "centre of gravity 1.00; from 2 starts" in said.out
        assert "expected layer" not in said.out
        assert "1 fitted now, 0 recorded before" in said.err

    def test_with_cumulative_mixes_it_tells_the_expected_layer(self, mix: Any) -> None:
        said = mix("--cumulative")
        assert said.code == 0 and "expected layer 1.00" in said.out
        assert "mix_accuracy of 0..k" in said.out

    def test_json(self, mix: Any) -> None:
        (profile,) = json.loads(mix("--cumulative", "-f", "json").out)
        assert profile["expected_layer"] == 1.0 and len(profile["cumulative_scores"]) == 2
        assert np.argmax(profile["weights"]) == 1

    def test_its_records_can_be_shown(self, mix: Any, command: Any, tmp_path: Path) -> None:
        mix()
        said = command("show", tmp_path / "run")
        assert said.code == 0 and "mix of 0..1" in said.out and "scalar_mix.v1" in said.out

    def test_wrong_names_are_one_line(self, mix: Any) -> None:
        assert "did you mean" in mix("-t", "poss").one_line()
        assert mix("-t", "poss").code == 2
