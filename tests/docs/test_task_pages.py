"""The tasks' pages say what the code and the reference records say today."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from layerwise.core import registry

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("task_pages", DOCS / "task_pages.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_are_as_the_script_writes_them(module: ModuleType) -> None:
    ours = {name for name in registry.names("task") if registry.owner("task", name) == "layerwise"}
    written = {path.name: path.read_text(encoding="utf-8") for path in module.PAGES.glob("*.md")}
    expected = module.pages(module.reference())
    assert written.keys() == {f"{name}.md" for name in ours} | {"README.md"}
    for name, text in written.items():
        assert text == expected[name], f"{name}: run python docs/task_pages.py"


def test_a_page_has_the_best_layer_and_the_sizes(module: ModuleType) -> None:
    records = module.reference()
    page = module.pages(records)["pos.md"]
    mine = [r for r in records if r.key.task == "pos.v1" and r.key.encoder == "minilm"]
    best = max(mine, key=lambda record: record.scores["accuracy"])
    assert f"| {best.key.layer} | {best.scores['accuracy']:.3f} [" in page
    assert f"{best.counts['train_targets']:,}" in page
    assert "per-type majority" in page
