"""``probe cost``: from lines of records to costs with intervals, and errors in one line."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from layerwise.encoders.search.cell_space import cell_space
from layerwise.encoders.search.cost_features import MULTIPLICATIONS, Shape, cell_features
from layerwise.encoders.search.space.aliases import ALIASES
from layerwise.encoders.search.space.grammar import parse

Command = Callable[..., Any]


def true_cost(text: str, shape: Shape) -> float:
    return 1 + 2e-6 * cell_features(parse(text), shape).get(MULTIPLICATIONS, 0)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cells whose cost is one part, at several lengths; one failed, one tells no time."""
    space, rng = cell_space("small"), random.Random(0)
    lines: list[dict[str, Any]] = [{"cell": "c1/t:0=1"}, {"cell": "c1/t:0=1", "latency": None}]
    for at in range(30):
        shape = Shape(32, 2, 16 * (1 + at % 4))
        text = space.sample(rng)
        times = {"median": true_cost(text, shape), "processor": 2.0}
        lines.append({"cell": text, "shape": {"length": shape.length}, "latency": times})
    path = tmp_path_factory.mktemp("cost") / "cells.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def record(encoder: str, layer: int, batch: int, length: int) -> str:
    settings = {"batch_size": batch, "length": length, "threads": 1, "device": "cpu: one"}
    scores = {"milliseconds": 1 + layer * (0.5 + 0.01 * batch * length), "peak_megabytes": 0.0}
    key = {"encoder": encoder, "layer": layer, "settings": settings}
    return json.dumps({"key": key, "scores": scores}) + "\n"


def test_cells(cells: Path, command: Command, tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    said = command("cost", "fit", cells, "-o", model)
    assert said.code == 0 and "latency from 30 cells" in said.out and said.err == ""
    given = ("cost", "predict", "--model", model, "--length", 48, "--json")
    said = command(*given, "--cell", "lstm", "--cell", "c1/K3:0=1")
    told = [json.loads(line) for line in said.out.splitlines()]
    for each, text in zip(told, (ALIASES["lstm"], "c1/K3:0=1"), strict=True):
        assert each["latency"] == pytest.approx(true_cost(text, Shape(32, 2, 48)), rel=0.1)
        assert each["interval"][0] <= each["latency"] <= each["interval"][1]
    said = command("cost", "predict", "--model", model, "--cell", "gru", "--length", 999)
    assert said.code == 0 and said.out.startswith("gru: ") and " ms [" in said.out
    assert MULTIPLICATIONS in said.err and said.err.startswith("warning: gru: beyond")


def test_encoders(command: Command, tmp_path: Path) -> None:
    times, model = tmp_path / "speed.jsonl", tmp_path / "model.json"
    sizes = [(b, n) for b in (1, 8, 64) for n in (10, 20, 40)]
    times.write_text("".join(record("lstm", k, *size) for k in (0, 1, 2) for size in sizes))
    assert command("cost", "fit", times, "-o", model).code == 0
    given = ("cost", "predict", "--model", model, "--encoder")
    told = json.loads(command(*given, "lstm", "--batch", 16, "--length", 30, "--json").out)
    assert told["latency"] == pytest.approx(1 + 2 * (0.5 + 0.01 * 480), rel=0.05)
    assert told["beyond"] == []
    said = command(*given, "lsmt")
    assert said.code == 2 and "did you mean lstm" in said.err
    said = command(*given, "lstm", "--device", "cuda")
    assert said.code == 2 and "take one of cpu: one" in said.err
    said = command("cost", "predict", "--model", model, "--cell", "lstm")
    assert said.code == 2 and "is a model of encoders, not of cells" in said.err
    said = command("cost", "fit", times, "-o", model, "--cost", "memory")
    assert said.code == 3 and "no line tells its memory" in said.err


def test_a_new_device(cells: Path, command: Command, tmp_path: Path) -> None:
    source, few, moved = (tmp_path / name for name in ("a.json", "few.jsonl", "b.json"))
    assert command("cost", "fit", cells, "-o", source).code == 0
    lines = [json.loads(line) for line in cells.read_text().splitlines()[2:14]]
    for line in lines:
        line["latency"]["median"] *= 3
    few.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert command("cost", "fit", few, "-o", moved, "--source", source).code == 0
    given = ("--cell", "c1/K3:0=1", "--length", 48, "--json")
    times = [
        json.loads(command("cost", "predict", "--model", model, *given).out)["latency"]
        for model in (source, moved)
    ]
    assert times[1] == pytest.approx(3 * times[0], rel=0.05)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[1]\n", "line 1: no line of JSON"),
        ('{"cell": "c1/t:9=1", "latency": {"median": 1}}\n', "line 1: neither a time"),
        ('{"scores": {"milliseconds": 1}}\n', "line 1: neither a time"),
        ("", "no line tells its latency"),
    ],
)
def test_bad_lines_are_told(text: str, told: str, command: Command, tmp_path: Path) -> None:
    (tmp_path / "lines.jsonl").write_text(text)
    said = command("cost", "fit", tmp_path / "lines.jsonl", "-o", tmp_path / "model.json")
    assert said.code == 3 and told in said.err and said.err.count("\n") == 1
    assert not (tmp_path / "model.json").exists()


def test_bad_options_are_told(cells: Path, command: Command, tmp_path: Path) -> None:
    said = command("cost", "predict", "--model", cells)
    assert said.code == 2 and "give one of the two" in said.err
    said = command("cost", "predict", "--model", cells, "--cell", "lstm")
    assert said.code == 3 and "cannot be read as JSON" in said.err
    said = command("cost", "fit", cells, "-o", tmp_path / "m.json", "--dim", 0)
    assert said.code == 2 and "--dim: 0 is no number from 1" in said.err


def test_the_table_of_nas_probe(command: Command, tmp_path: Path) -> None:
    table = Path(__file__).parents[2] / "results" / "reference" / "nas_probe.parquet"
    said = command("cost", "fit", table, "--cost", "processor", "-o", tmp_path / "model.json")
    assert said.code == 0 and "processor from 151 cells" in said.out
