"""The page of findings says what the committed records say today."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = DOCS.parent / "results" / "reference"
PAGE = (DOCS / "findings.md").read_text(encoding="utf-8")


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(DOCS)  # its sections lie beside it
    spec = importlib.util.spec_from_file_location("findings", DOCS / "findings.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lines(name: str) -> list[dict[str, Any]]:
    text = (REFERENCE / name / "records.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_the_page_is_as_the_script_writes_it(module: ModuleType) -> None:
    assert module.page() == PAGE, "run python docs/findings.py"


def test_an_ensemble_is_told_beside_the_best_single_probe() -> None:
    losses = {
        each["key"]["settings"]["arm"]: each["scores"]["tempered_nats"]
        for each in lines("ensembles")
        if each["key"]["task"] == "deprel.v1"
    }
    change = losses["hyper-deep"] / losses["single"] - 1
    assert change < 0 and f"| hyper-deep | .{losses['hyper-deep'] * 1000:.0f} [" in PAGE
    assert f"| {change:+.1%} |" in PAGE


def test_a_pruned_encoder_is_told_at_the_layer_that_is_best_on_dev() -> None:
    mine = [
        each
        for each in lines("sparsity")
        if each["key"]["encoder"].endswith("/magnitude/sparsity-0.8")
        and each["key"]["task"] == "pos.v1"
    ]
    best = max(mine, key=lambda each: each["dev_scores"]["accuracy"])
    (row,) = (line for line in PAGE.splitlines() if line.startswith("| magnitude | 0.8 |"))
    assert row.split(" | ")[2].startswith(f".{best['scores']['accuracy'] * 1000:.0f} [")
