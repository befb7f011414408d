"""``probe search --latency-budget``: what it prints, keeps and refuses."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from layerwise.encoders.search.cell_space import cell_space
from layerwise.encoders.search.cost_features import Shape, cell_features
from layerwise.encoders.search.space.grammar import parse

Command = Callable[..., Any]
SEARCH = (
    *("search", "--space", "cell:small", "--strategy", "random", "--estimator", "naswot"),
    *("--budget", "6evals", "--confirm", 0, "--dim", 16, "--set", "batch=8", "--set", "time=9"),
)


@pytest.fixture
def search(command: Command, tmp_path: Path) -> Command:
    """The search above on a text of a few words, in the folder ``run``."""
    text = tmp_path / "text.txt"
    text.write_text("the cat sat on the mat and the dog sat on the cat " * 20, encoding="utf-8")
    return partial(command, *SEARCH, "--text", text, "-o", tmp_path / "run")


def cost(text: str) -> float:
    return 1 + 0.01 * cell_features(parse(text), Shape(dim=16)).get("serial depth", 0)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cells whose time is the length of their longest chain."""
    space, rng = cell_space("small"), random.Random(5)
    cells = [space.sample(rng) for _ in range(30)]
    path = tmp_path_factory.mktemp("budget") / "cells.jsonl"
    lines = (json.dumps({"cell": c, "latency": {"median": cost(c)}}) + "\n" for c in cells)
    path.write_text("".join(lines))
    return path


@pytest.fixture
def model(records: Path, command: Command, tmp_path: Path) -> Path:
    path = tmp_path / "model.json"
    assert command("cost", "fit", records, "-o", path, "--dim", 16).code == 0
    return path


def test_slow_cells_are_skipped_journalled_and_counted(
    model: Path, search: Command, tmp_path: Path
) -> None:
    limit = ("--latency-budget", "2ms", "--cost-model", model)
    said = search(*limit)
    assert said.code == 0, said.err
    lines = (tmp_path / "run" / "search.jsonl").read_text().splitlines()[1:]
    rows = [json.loads(line) for line in lines]
    skipped = [row for row in rows if "skipped" in row["details"]]
    assert len(rows) - len(skipped) == 6 and skipped
    assert all(cost(row["candidate"]) > 2 for row in skipped)
    assert (
        f"random: {len(skipped)} of {len(rows)} candidates were skipped, predicted to be above 2ms"
        in said.out
    )
    won = json.loads((tmp_path / "run" / "winner.json").read_text())
    assert won["candidate"] not in {row["candidate"] for row in skipped}

    again = search(*limit)  # resumed, nothing is asked anew
    assert again.code == 0 and len(lines) + 1 == len(
        (tmp_path / "run" / "search.jsonl").read_text().splitlines()
    )
    other = search("--latency-budget", "3ms", "--cost-model", model)
    assert other.code == 2 and "holds another search (latency_budget" in other.err


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        (("--latency-budget", "5ms"), "--latency-budget: needs a model that tells latencies"),
        (("--cost-model", "m.json"), "--cost-model: has no budget"),
        (("--latency-budget", "5", "--cost-model", "m.json"), "'5' is no time; such as 5ms"),
        (("--latency-budget", "5ms", "--cost-model", "none.json"), "none.json: no such file"),
    ],
)
def test_what_is_missing_or_wrong_is_told(
    limit: tuple[str, ...], told: str, search: Command
) -> None:
    said = search(*limit)
    assert said.code in (2, 3) and told in said.err and said.err.count("\n") == 1


def test_a_dry_run_keeps_to_the_budget_and_writes_nothing(
    model: Path, search: Command, tmp_path: Path
) -> None:
    limit = ("--latency-budget", "2ms", "--cost-model", model, "--dry-run")
    said = search(*limit)
    assert said.code == 0 and "nothing was kept" in said.out
    assert not (tmp_path / "run").exists()
