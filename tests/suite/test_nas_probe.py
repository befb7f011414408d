"""NAS-Probe on a tiny corpus: lines, resuming, failures, the word-frequency start, the command."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layerwise.core.errors import UsageError
from layerwise.encoders.checkpoint import save_encoder
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.space.widths import parameters
from layerwise.results.nas_probe_table import CELL_LINES, read, read_lines
from layerwise.suite import nas_probe, nas_probe_bench
from layerwise.suite.nas_probe_bench import NasProbeSettings
from layerwise.suite.nas_probe_cells import NamedCell
from layerwise.suite.python_api import evaluate

Command = Callable[..., Any]
CELLS = [
    NamedCell("a", "c1/K2:0=1"),
    NamedCell("b", "c1/L:0,@2/t:1=2", "rnn"),
    NamedCell("c", "c1/L:0/a:0,1=2"),
]
SMALL: dict[str, Any] = {
    "tasks": ("pos",),
    "cells": 3,
    "words": 100,
    "dim": 4,
    "layers": 1,
    "window": 8,
    "batch": 4,
    "vocabulary": 8,
    "train_targets": 40,
}


@pytest.fixture(autouse=True)
def few_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three cells that are quick, in place of the drawn ones."""
    monkeypatch.setattr(nas_probe, "draw_cells", lambda count, seed: CELLS[:count])
    monkeypatch.setattr("layerwise.suite.nas_probe_export.draw_cells", lambda count, seed: CELLS)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    words = np.random.default_rng(0).choice(list("abcdefghij"), 2000, p=[0.4, 0.2, *[0.05] * 8])
    (tmp_path / "text.txt").write_text("\n".join(map(" ".join, words.reshape(100, 20))))
    return tmp_path / "text.txt"


@pytest.fixture
def settings(text: Path, corpus: Path) -> NasProbeSettings:
    return NasProbeSettings(**SMALL, text=(text,), data=str(corpus))


def lasting(line: dict[str, Any]) -> dict[str, Any]:
    """What of a line is the same in every run."""
    return {k: v for k, v in line.items() if k not in ("train_seconds", "probe_seconds", "latency")}


def test_lines_are_the_same_whoever_measures_them(
    settings: NasProbeSettings, tmp_path: Path
) -> None:
    whole = list(nas_probe.evaluate(settings, tmp_path / "whole"))
    parts = [*nas_probe.evaluate(settings, tmp_path / "parts", (1, 2))]
    assert [line["id"] for line in parts] == ["a", "c"]
    parts += nas_probe.evaluate(settings, tmp_path / "parts", (2, 2))
    kept = {line["id"]: lasting(line) for line in read_lines(tmp_path / "parts" / CELL_LINES)}
    assert [kept[line["id"]] for line in whole] == [lasting(line) for line in whole]
    assert {line["status"] for line in whole} == {"ok"}, whole


def test_a_line_says_what_was_measured(settings: NasProbeSettings, tmp_path: Path) -> None:
    line = next(nas_probe.evaluate(settings.model_copy(update={"cells": 2}), tmp_path, (2, 2)))
    assert (line["name"], line["nodes"], line["ways"]) == ("rnn", 2, {"steps": 2})
    assert line["parameters"]["contextual"] == 2 * parameters(parse(line["cell"]), 4)
    assert line["words"] == 128 and line["steps"] == len(line["losses"]) == 4
    pos = line["probes"]["pos.v1"]
    assert len(pos["dev"]["accuracy"]) == len(pos["at_edge"]) == 2  # the characters' and one more
    assert 0 < line["latency"]["least"] <= line["latency"]["median"]


def test_scores_are_those_of_a_run(
    settings: NasProbeSettings, corpus: Path, tmp_path: Path
) -> None:
    bench = nas_probe_bench.prepare(settings)
    model, _ = nas_probe_bench.train(bench, CELLS[2].cell)
    found = nas_probe_bench.probe(bench, model.bilm)["probes"]["pos.v1"]
    save_encoder(tmp_path / "cell", model.bilm, {})
    results = evaluate(
        encoder=f"local:{tmp_path / 'cell'}",
        task="pos",
        data=corpus,
        train_targets=40,
        controls=0,
        workers=1,
        output=tmp_path / "run",
    )
    by_layer = sorted(results.records, key=lambda record: record.key.layer)
    for split, kept in (("test", "scores"), ("dev", "dev_scores")):
        expected = [getattr(record, kept)["accuracy"] for record in by_layer]
        assert found[split]["accuracy"] == pytest.approx(expected, abs=1e-5)


def test_what_is_written_is_not_measured_again(
    settings: NasProbeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = settings.model_copy(update={"cells": 1})
    assert len(list(nas_probe.evaluate(first, tmp_path))) == 1
    monkeypatch.setattr(nas_probe, "measure", lambda bench, each: {"id": each.id})
    assert [line["id"] for line in nas_probe.evaluate(settings, tmp_path)] == ["b", "c"]
    assert list(nas_probe.evaluate(settings, tmp_path)) == []


def test_a_table_of_other_settings_is_refused(
    settings: NasProbeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nas_probe, "measure", lambda bench, each: {"id": each.id})
    assert next(nas_probe.evaluate(settings, tmp_path))
    with pytest.raises(UsageError, match="words 100, not 200"):
        next(nas_probe.evaluate(settings.model_copy(update={"words": 200}), tmp_path))


def test_a_cell_that_fails_is_a_line(
    settings: NasProbeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The square of a square, time after time: beyond float32 within one window.
    exploding = NamedCell("x", "c1/L:0,@3/q:1/q:2=3")
    monkeypatch.setattr(nas_probe, "draw_cells", lambda count, seed: [exploding, CELLS[0]])
    steep = settings.model_copy(update={"learning_rate": 100.0})
    lines = list(nas_probe.evaluate(steep, tmp_path))
    assert [line["id"] for line in lines] == ["x", "a"]
    assert lines[0]["status"] == "failed" and "no longer finite" in lines[0]["error"]


def test_training_starts_at_the_frequencies_of_words(settings: NasProbeSettings) -> None:
    bench = nas_probe_bench.prepare(settings)
    words = [bench.text.types[number] for number in bench.text.words]
    held_out = [bench.held_out.types[number] for number in bench.held_out.words]
    known = set(bench.vocabulary[1:])
    counts = Counter(word if word in known else "" for word in words)
    total = len(words) + 8  # one more of each
    surprisals = [-math.log((counts[w if w in known else ""] + 1) / total) for w in held_out]
    expected = math.exp(sum(surprisals) / len(surprisals))
    assert nas_probe_bench.unigram_perplexity(bench) == pytest.approx(expected, rel=1e-9)
    # After one step that hardly moves, the model says what the frequencies say.
    still = settings.model_copy(update={"learning_rate": 1e-9, "words": 1})
    bench = nas_probe_bench.prepare(still)
    _, found = nas_probe_bench.train(bench, CELLS[0].cell)
    assert found["perplexity"]["mean"] == pytest.approx(expected, rel=0.02)


def test_estimates_come_from_what_was_measured(settings: NasProbeSettings, tmp_path: Path) -> None:
    def spent(name: str, seconds: float) -> str:
        kept = {"processor": seconds}
        line = {"id": name, "status": "ok", "train_seconds": kept, "probe_seconds": kept}
        return json.dumps(line) + "\n"

    (tmp_path / CELL_LINES).write_text(spent("a", 1) + spent("b", 3))
    assert nas_probe.estimate(settings, tmp_path) == (1, 4.0, 2)


class TestCommand:
    @pytest.fixture
    def run(self, command: Command, text: Path, corpus: Path, tmp_path: Path) -> Command:
        given = [
            word
            for name, value in SMALL.items()
            if name != "tasks"
            for word in (f"--{name.replace('_', '-')}", value)
        ]
        return lambda *more: command(
            *("nas-probe", "-o", tmp_path / "out", "--text", text, "--data", corpus, "-t", "pos"),
            *given,
            *more,
        )

    def test_it_writes_a_table_and_a_card(self, run: Command, tmp_path: Path) -> None:
        assert "3 of 3 cells are missing" in run("--dry-run").out
        assert not (tmp_path / "out").exists()
        said = run("--export", tmp_path / "table")
        assert said.code == 0, said.err
        table = read(tmp_path / "table" / "nas_probe.parquet")
        assert [row["id"] for row in table.rows] == ["a", "b", "c"] and len(table.good) == 3
        assert table.rows[1]["score_nodes"] == 2 and table.rows[1]["score_naswot"] is not None
        assert table.settings["words"] == 100
        card = (tmp_path / "table" / "nas_probe.md").read_text()
        assert "3 distinct cells" in card and "100 words of text.txt" in card
        assert "--text text.txt --data tiny --task pos --cells 3 --words 100 --dim 4" in card
        assert str(tmp_path) not in card

    @pytest.mark.parametrize(
        ("more", "told"),
        [
            (("--part", "3/2"), "--part"),
            (("--part", "x"), "--part"),
            (("--vocabulary", 1), "--vocabulary"),
            (("--learning-rate", -1), "--learning-rate"),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, run: Command, more: tuple[object, ...], told: str
    ) -> None:
        said = run(*more)
        assert said.code == 2 and told in said.one_line()
