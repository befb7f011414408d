"""The page of NAS-Probe says what the committed table says today."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from scipy.stats import kendalltau

from layerwise.results.nas_probe_table import ProbedCells, read

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("nas_probe_page", DOCS / "nas_probe.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def table(module: ModuleType) -> ProbedCells:
    return read(module.TABLE)


def test_the_page_is_as_the_script_writes_it(module: ModuleType, table: ProbedCells) -> None:
    written = (DOCS / "nas_probe.md").read_text(encoding="utf-8")
    assert written == module.page(table), "run python docs/nas_probe.py"


def test_the_first_figure_is_scipys(module: ModuleType, table: ProbedCells) -> None:
    rows = [row for row in table.rows if row["perplexity"] is not None and row["status"] == "ok"]
    tau = kendalltau([-r["perplexity"] for r in rows], [r["pos_test_1"] for r in rows]).statistic
    text = (DOCS / "nas_probe.md").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("| `pos`"))
    assert line.split("|")[3].strip().lstrip("*").split()[0] == module._short(tau)
