"""``probe table``: its flags, its files, and what it says when it cannot."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from layerwise.results import export
from layerwise.results.records import RecordFile
from layerwise.suite.cli import table

REFERENCE = Path(__file__).parents[2] / "results" / "reference"
GUM = REFERENCE / "gum_open.jsonl"

Command = Callable[..., Any]


def test_its_formats_are_those_of_the_exporter() -> None:
    assert table.FORMATS == export.FORMATS


def test_the_help_has_examples_that_run(command: Command, tmp_path: Path) -> None:
    help_ = command("table", "--help").out
    examples = [line.split()[2:] for line in help_.splitlines() if "  probe table" in line]
    assert len(examples) == 5
    for example in examples:
        paths = [w for w in example if w.startswith("runs/")]
        rest = [tmp_path / w if w.startswith("table.") else w for w in example if w not in paths]
        assert command("table", GUM, *rest).code == 0, example


def test_it_prints_the_same_in_every_format(command: Command) -> None:
    given = ("table", GUM, "--rows", "layer", "--columns", "encoder", "--where", "task=pos")
    said = command(*given, "--where", "encoder=lstm")
    assert said.code == 0 and said.err == ""
    assert re.search(r"^2 +\*0\.939$", said.out, re.MULTILINE)
    assert re.search(r"^majority +0\.185$", said.out, re.MULTILINE)
    rows = list(csv.DictReader(io.StringIO(command(*given, "-f", "csv").out)))
    assert [row["lstm accuracy"] for row in rows] == [
        *("0.894", "0.938", "0.939", "", "", "", "", "0.185", "0.815"),
    ]
    whole = json.loads(command(*given, "-f", "json").out)
    assert whole["by"] == ["layer"] and whole["across"] == ["encoder"]
    assert command(*given, "-f", "md").out.startswith("| layer | gated\\_cnn accuracy |")
    assert command(*given, "-f", "latex").out.startswith("\\begin{tabular}{lrrrr")


def test_files_take_the_format_of_their_ending(command: Command, tmp_path: Path) -> None:
    said = command("table", GUM, "--intervals", "-o", tmp_path / "t.parquet")
    assert (said.code, said.out) == (0, "")
    assert said.err == f"51 rows and 6 columns: {tmp_path / 't.parquet'}\n"
    found = parquet.read_table(tmp_path / "t.parquet").to_pylist()
    assert len(found) == 51 * 6
    records = RecordFile(GUM).read().records
    truth = {(r.key.encoder, r.key.layer, r.key.task): r.scores[r.metric] for r in records}
    read = {(r["encoder"], r["layer"], r["task"]): r["value"] for r in found if not r["baseline"]}
    assert read == truth
    command("table", GUM, "--intervals", "-o", tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == command("table", GUM, "--intervals", "-f", "csv").out


def test_times_stand_beside(command: Command) -> None:
    said = command("table", GUM, REFERENCE / "speed.jsonl", "--where", "task=pos", "--speed")
    assert said.code == 0 and "ms (batch 1, 20" in said.out


def test_a_damaged_line_is_told(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(GUM.read_text().splitlines()[0] + "\n{torn\n")
    said = command("table", tmp_path)
    assert said.code == 0 and said.err.startswith(f"warning: {path}:2: ")


@pytest.mark.parametrize(
    "arguments, code, told",
    [
        ("--rows layer", 2, "up to 10 records fall into one cell: they differ in encoder; add enc"),
        ("--rows encoder,layr", 2, "--rows: no record has 'layr'; did you mean layer"),
        ("--metric acuracy", 2, "--metric: no record has 'acuracy'; did you mean accuracy"),
        ("--where task", 2, "--where: 'task' is no condition; write task=pos"),
        ("--where task=poss", 2, "--where: no record has task=poss; did you mean pos"),
        ("--where encoder=lstm --where layer=6", 3, "no record has encoder=lstm and layer=6"),
        ("-f parquet", 2, "--format parquet: is no text; name a file: -o table.parquet"),
        ("-o table.xls", 2, "table.xls: its ending names no format of .txt, .md"),
        ("-f exel", 2, "csv"),
    ],
)
def test_mistakes_are_one_line(command: Command, arguments: str, code: int, told: str) -> None:
    said = command("table", GUM, *arguments.split())
    assert said.code == code and told in said.one_line() and said.out == ""
