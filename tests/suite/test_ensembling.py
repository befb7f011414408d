"""Ensembles of probes from text to records, and what ``probe run --probe hyper-deep`` says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from layerwise.core.errors import UsageError
from layerwise.probes import hyper_batch
from layerwise.probes.ensemble import ARMS, Arms, HyperDeep
from layerwise.results import layer_scores
from layerwise.suite.config import RunConfig
from layerwise.suite.pipeline import evaluate

Config = Callable[..., RunConfig]


class Small(HyperDeep):
    """Fewer fits, for tests."""

    def __init__(self) -> None:
        super().__init__(members=2, draws=2, mixes=1, l2=(100.0, 10.0, 1.0))


@pytest.fixture(autouse=True)
def small(register: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hyper_batch, "_STEPS", (100, 100))
    register("probe", "hyper-deep", Small)


@pytest.fixture
def ensembles(config: Config, fake: Any) -> Config:
    fake()
    return lambda **changes: config(**{"probe": "hyper-deep", **changes})


def test_a_record_an_arm(ensembles: Config, lasting: Any) -> None:
    outcome = evaluate(ensembles())
    assert [record.key.settings["arm"] for record in outcome.records] == list(ARMS)
    for record in outcome.records:
        assert record.status == "ok", record.error
        assert record.metric == "tempered_nats" and record.layer_name == "of 0..1"
        if record.key.settings["arm"] != "hyper-batch":  # whose steps are too few here
            assert record.scores["accuracy"] == 1.0 and record.scores["tempered_nats"] < 0.1
        assert record.interval is not None and record.interval.low <= record.interval.high
        counts = record.counts
        assert counts["choosing_targets"] + counts["calibrating_targets"] == counts["dev_targets"]
        assert record.chosen["sources"][:2] == [{"0": 1.0}, {"1": 1.0}]
    single = outcome.records[0]
    (member,) = single.chosen["members"]
    assert member["source"] == 1  # the layer that knows the label
    again = evaluate(ensembles())
    assert again.computed == 0 and lasting(again.records) == lasting(outcome.records)


def test_only_what_is_missing_is_recorded_again(
    ensembles: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Any) -> None:
        raise RuntimeError("no\nmemory")

    with monkeypatch.context() as patched:
        patched.setattr(Arms, "hyper_batch", broken)
        records = evaluate(ensembles()).records
    failed = [r for r in records if r.status == "failed"]
    assert [r.key.settings["arm"] for r in failed] == ["hyper-batch"]
    assert failed[0].error == "RuntimeError: no memory"
    assert evaluate(ensembles()).computed == 1


def test_a_fit_that_fails_for_all_arms(ensembles: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, source: int) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(HyperDeep, "candidates_of", broken)
    assert {r.status for r in evaluate(ensembles()).records} == {"failed"}


def test_pairs_and_chosen_layers(ensembles: Config) -> None:
    records = evaluate(ensembles(task=("arc",), layers="1")).records
    assert {r.status for r in records} == {"ok"}, records[0].error
    assert records[0].layer_name == "of 1" and records[0].chosen["sources"] == [{"1": 1.0}]
    assert records[0].key.settings["layers"] == "1"


@pytest.mark.parametrize(
    "changes",
    [{"task": ("tree-depth",)}, {"codelength": 1}, {"refits": 2}, {"span_pooling": "attentive"}],
)
def test_what_cannot_be_asked_of_ensembles(ensembles: Config, changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="--"):
        evaluate(ensembles(**changes))


def test_one_hot_words_have_no_layers_to_mix(ensembles: Config) -> None:
    outcome = evaluate(ensembles(encoder=("onehot", "fake")))
    assert list(outcome.errors) == ["onehot"] and len(outcome.records) == len(ARMS)


def test_no_picture_of_layers_draws_ensembles(ensembles: Config, config: Config) -> None:
    records = [*evaluate(ensembles()).records, *evaluate(config(controls=0)).records]
    panels = layer_scores.panels_of(records)
    assert [panel.metric for panel in panels.panels] == ["accuracy"]
    assert f"{len(ARMS)} of ensembles" in panels.left_out[0]


class TestCommand:
    @pytest.fixture
    def run(self, command: Any, corpus: Path, tmp_path: Path, fake: Any) -> Any:
        fake()

        def go(*arguments: object) -> Any:
            given = ("-e", "fake", "-t", "pos", "-d", corpus, "-o", tmp_path / "run")
            return command("run", *given, "--probe", "hyper-deep", "--workers", 1, *arguments)

        return go

    def test_it_prints_arms(self, run: Any, command: Any, tmp_path: Path) -> None:
        said = run()
        assert said.code == 0, said.err
        assert all(arm in said.out for arm in ARMS) and "tempered_nats" in said.out
        assert f"{len(ARMS)} measured now" in said.err
        assert "no control tasks" in said.out
        shown = command("show", tmp_path / "run")
        assert shown.code == 0 and "arm=hyper-deep" in shown.out
        assert run("-f", "csv").out.count("hyper-batch") == 1

    def test_a_dry_run_runs_nothing(self, run: Any, tmp_path: Path) -> None:
        said = run("--dry-run")
        assert said.code == 0 and f"arms to measure {len(ARMS)}, recorded 0" in said.out
        assert not (tmp_path / "run" / "records.jsonl").exists()

    def test_idle_flags_are_one_line(self, run: Any) -> None:
        assert "--strata" in run("--strata").one_line()
        assert "take --probe linear" in run("--speed").one_line()
