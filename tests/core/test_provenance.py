"""Provenance: code by its content, machines without their paths."""

from __future__ import annotations

import getpass
import json
import sys
from pathlib import Path

import pytest

from layerwise.core import files, provenance


@pytest.fixture(autouse=True)
def _fresh() -> None:
    provenance.source_hash.cache_clear()
    provenance.describe.cache_clear()


def test_the_hash_of_code_changes_with_its_source_and_with_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "module_of_this_test.py"

    def after(source: str) -> str:
        file.write_text(source)
        provenance.source_hash.cache_clear()
        return provenance.source_hash("module_of_this_test")

    first = after("x = 1\n")
    assert after("x = 2\n") != first
    assert after("x = 1\n") == first
    assert "module_of_this_test" not in sys.modules


def test_every_module_counts() -> None:
    one, two = "layerwise.core.files", "layerwise.core.types"
    assert len({provenance.source_hash(*m) for m in ((one,), (two,), (one, two))}) == 3


def test_an_unknown_module_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError):
        provenance.source_hash("layerwise.no_such_module")


def test_the_description_can_be_written_and_tells_the_versions() -> None:
    told = provenance.describe()
    assert json.loads(files.canonical_json(told)) == told
    assert {"layerwise", "python", "platform", "processor", "packages"} <= told.keys()
    assert {"torch", "numpy", "scipy"} <= told["packages"].keys()
    assert told["python"] == ".".join(map(str, sys.version_info[:3]))


def test_the_description_tells_no_paths_and_no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.dumps(provenance.describe())
    root = Path(provenance.__file__).resolve().parents[1]
    for secret in (str(root), str(Path.home()), sys.prefix, f'"{getpass.getuser()}"'):
        assert secret not in told


def test_no_git_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "commit" not in provenance.describe()
