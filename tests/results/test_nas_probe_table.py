"""NAS-Probe's table: lines to rows, rows to Parquet and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from layerwise.core.errors import DataError
from layerwise.results.nas_probe_table import COLUMNS, collect, read, read_lines, write


def line(name: str, **changes: Any) -> dict[str, Any]:
    probed = {
        "metric": "accuracy",
        "test": {"accuracy": [0.5, 0.75], "cross_entropy_nats": [1.0, 0.5]},
        "dev": {"accuracy": [0.25, 0.5]},
        "at_edge": [True, False],
    }
    whole = {
        "id": name,
        "name": "",
        "cell": "c1/D3:0/D5:1/L:2=3",
        "status": "ok",
        "nodes": 3,
        "operations": {"D3": 1, "D5": 1, "L": 1},
        "ways": {"parallel": 3},
        "parameters": {"contextual": 12, "characters": 7},
        "perplexity": {"forward": 8.0, "backward": 2.0, "mean": 4.0},
        "losses": [2.0, 1.0],
        "train_seconds": {"wall": 9.0, "processor": 3.0},
        "latency": {"median": 2.0, "processor": 1.0},
        "probes": {"pos.v1": probed},
    }
    return whole | changes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    failed = {
        name: value
        for name, value in line("b", status="failed", error="no longer finite").items()
        if name in ("id", "name", "cell", "status", "error", "nodes", "operations", "ways")
    }
    texts = [json.dumps(line("a", nodes=9)), json.dumps(failed), json.dumps(line("a")), '{"id": "c']
    (tmp_path / "cells.jsonl").write_text("\n".join(texts))
    scores = {"naswot": 1.5, "nodes": 3.0}
    (tmp_path / "scores.jsonl").write_text(
        json.dumps({"id": "a", "scores": scores})
        + "\n"
        + json.dumps({"id": "b", "scores": {"naswot": None, "nodes": 3.0}})
    )
    settings = {"tasks": ["pos"], "layers": 1, "unigram_perplexity": 10.0}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    return tmp_path


def test_the_last_line_of_a_cell_counts_and_a_torn_one_does_not(folder: Path) -> None:
    lines = read_lines(folder / "cells.jsonl")
    assert [(each["id"], each["nodes"]) for each in lines] == [("a", 3), ("b", 3)]
    assert read_lines(folder / "nothing.jsonl") == []


def test_parquet_gives_back_the_rows(folder: Path) -> None:
    table = collect(folder, ["b", "never measured", "a"])
    write(table, folder / "out" / "table.parquet")
    again = read(folder / "out" / "table.parquet")
    assert again.rows == table.rows and again.settings == table.settings
    failed, good = again.rows
    assert again.good == [good] and failed["error"] == "no longer finite"
    assert failed["perplexity"] is None and failed["score_nodes"] == 3
    assert (good["op_D"], good["op_L"], good["op_K"], good["scan"]) == (2, 1, 0, 0)
    assert (good["perplexity"], good["parameters"], good["milliseconds"]) == (4.0, 12, 1.0)
    assert (good["pos_dev_0"], good["pos_test_1"], good["pos_nats_1"]) == (0.25, 0.75, 0.5)
    assert (good["pos_edge_0"], good["pos_edge_1"], good["losses"]) == (True, False, [2.0, 1.0])
    assert again.scores == ["score_naswot", "score_nodes"]


def test_every_column_is_told(folder: Path) -> None:
    told = " ".join(COLUMNS)
    for name in collect(folder, ["a"]).rows[0]:
        kinds = {"op": "op_LETTER", "score": "score_NAME"}
        split = {"dev": "TASK_SPLIT_LAYER", "test": "TASK_SPLIT_LAYER", "nats": "TASK_nats_LAYER"}
        split["edge"] = "TASK_edge_LAYER"
        parts = name.split("_")
        known = kinds.get(parts[0]) or (split.get(parts[1]) if len(parts) == 3 else name)
        assert known and known in told, name


def test_what_is_no_table_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match="no cells"):
        collect(folder, [])
    with pytest.raises(DataError, match="no table of NAS-Probe"):
        read(folder / "cells.jsonl")
    with pytest.raises(DataError, match="no table of NAS-Probe"):
        read(folder / "nothing.parquet")
