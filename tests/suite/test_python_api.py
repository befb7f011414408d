"""The front door in Python: what it does is what ``probe run`` does, and it opens quickly."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layerwise
from layerwise.core.errors import ModelError, UsageError
from layerwise.core.types import Document, Sentence
from layerwise.suite import python_api
from layerwise.suite.cli import probe
from layerwise.suite.config import RunConfig


@pytest.fixture
def given(corpus: Path, tmp_path: Path, fake: Any) -> dict[str, Any]:
    """The arguments of a small run."""
    fake()
    return {
        **{"encoder": "fake", "task": "pos", "data": corpus, "output": tmp_path / "run"},
        **{"workers": 1, "control_encoders": False},
    }


class TestEvaluate:
    def test_it_measures_what_the_command_measures(
        self,
        given: dict[str, Any],
        command: Callable[..., Any],
        tmp_path: Path,
        recorded: Any,
        lasting: Any,
    ) -> None:
        found = layerwise.evaluate(**given)
        flags = ("-e", "fake", "-t", "pos", "-d", given["data"], "-o", tmp_path / "other")
        assert command("run", *flags, "--workers", 1, "--no-control-encoders").code == 0
        assert len(found) == 2 and found.problems == ()
        assert lasting(list(found.records)) == lasting(recorded(tmp_path / "other"))
        assert layerwise.load_results(tmp_path / "run").records == found.records

    def test_what_is_recorded_is_not_measured_again(self, given: dict[str, Any]) -> None:
        assert layerwise.evaluate(**given).records == layerwise.evaluate(**given).records

    def test_several_names_are_a_sequence(self, given: dict[str, Any]) -> None:
        found = layerwise.evaluate(**(given | {"encoder": ["fake"], "task": ["pos", "deprel"]}))
        assert {record.key.task for record in found.records} == {"pos.v1", "deprel.v1"}

    def test_its_keywords_are_the_settings_of_a_run(self) -> None:
        told = inspect.signature(layerwise.evaluate).parameters
        assert list(told) == list(RunConfig.model_fields)
        assert told["data"].default == "builtin" and told["encoder"].default is told["data"].empty

    @pytest.mark.parametrize(
        "changes, told",
        [
            ({"encodr": "fake"}, "no such setting: 'encodr'; did you mean encoder"),
            ({"encoder": "fak"}, "--encoder: no such encoder: 'fak'; did you mean fake"),
            ({"task": ["poss"]}, "--task: no such task: 'poss'; did you mean pos"),
            ({"encoder": None}, "--encoder: is missing"),
            ({"encoder": object()}, "--encoder: Input should be a valid tuple"),
            ({"controls": -1}, "--controls: Input should be greater than or equal to 0"),
        ],
    )
    def test_mistakes_are_told(
        self, given: dict[str, Any], changes: dict[str, Any], told: str
    ) -> None:
        with pytest.raises(UsageError, match=re.escape(told)):
            layerwise.evaluate(**(given | changes))

    def test_an_encoder_that_cannot_run_is_warned_of_beside_others(
        self, given: dict[str, Any], register: Any, tmp_path: Path
    ) -> None:
        def broken(argument: str, options: Any) -> None:
            raise RuntimeError("no weights")

        register("encoder", "broken", broken)
        with pytest.warns(UserWarning, match="encoder broken: fails to load") as told:
            found = layerwise.evaluate(**(given | {"encoder": ("fake", "broken")}))
        assert told[0].filename == __file__
        assert {record.key.encoder for record in found.records} == {"fake"}
        assert len(found.problems) == 1 and "no weights" in found.problems[0]
        with pytest.raises(ModelError, match="no weights"):
            layerwise.evaluate(**(given | {"encoder": "broken", "output": tmp_path / "none"}))

    def test_its_records_make_a_table_and_a_frame(self, given: dict[str, Any]) -> None:
        found = layerwise.evaluate(**given)
        assert [row.layer for row in found.table().table.rows][:2] == [0, 1]
        frame = found.frame()
        main = frame[frame["main"] & (frame["split"] == "test")]
        assert list(main["value"]) == [r.scores["accuracy"] for r in found.records]


class TestParts:
    def test_an_encoder_encodes(self) -> None:
        encoder = layerwise.load_encoder("onehot:8", context="sentence")
        document = Document("d", (Sentence.from_words(["a", "b"]),))
        (array,) = encoder.encode([document])
        assert array.shape == (1, 2, 8)
        with pytest.raises(UsageError, match="no such choice: 'page'"):
            layerwise.load_encoder("onehot", context="page")

    def test_a_corpus_and_a_probe(self, corpus: Path) -> None:
        assert set(layerwise.load_corpus(str(corpus)).splits) == {"train", "dev", "test"}
        x = np.array([[0.0], [0.1], [1.0], [1.1]] * 5)
        probe_ = layerwise.LinearProbe().fit(x, [0, 0, 1, 1] * 5)
        assert probe_.score(x, [0, 0, 1, 1] * 5) == 1.0


class TestTheDoor:
    def test_all_names_are_there_and_are_told(self) -> None:
        for name in layerwise.__all__:
            assert getattr(layerwise, name).__name__ == name
            assert name in dir(layerwise)
        assert layerwise.evaluate is python_api.evaluate
        with pytest.raises(AttributeError, match="module 'layerwise' has no attribute 'evalute'"):
            layerwise.evalute  # noqa: B018

    def test_opening_it_loads_nothing(self) -> None:
        code = (
            "import sys; before = set(sys.modules); import layerwise; dir(layerwise); "
            "print(*sorted(set(sys.modules) - before))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        loaded = {name for name in done.stdout.split() if not name.startswith("__editable__")}
        assert {name for name in loaded if name.startswith("layerwise")} == {"layerwise"}
        assert not loaded & {"torch", "pandas", "numpy", "pydantic", "transformers", "sklearn"}

    def test_the_lines_in_its_docstring_run(
        self, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lines = [line.strip() for line in str(layerwise.__doc__).splitlines() if "   " in line]
        assert len(lines) == 3
        asked: dict[str, Any] = {}
        measure = python_api.evaluate

        def small(**settings: Any) -> Any:
            asked.update(settings)
            return measure(**given)

        monkeypatch.setattr(layerwise, "evaluate", small)
        code = "\n".join(lines).replace('{"encoder": "transformer"}', '{"encoder": "fake"}')
        exec(code, {})
        assert asked == {"encoder": "transformer", "task": ["pos", "coref"]}

    def test_every_command_has_a_function_that_is_there(self) -> None:
        text = str(python_api.__doc__)
        commands = set(re.findall(r"``probe ([a-z-]+)``", text))
        known = set(probe.list_commands(None))  # type: ignore[attr-defined,arg-type]
        assert commands <= known
        for name in re.findall(r"\b((?:core|tasks|encoders|probes|results|suite)\.[\w.]+)", text):
            module, _, function = name.rpartition(".")
            try:
                import_module(f"layerwise.{name}")
            except ModuleNotFoundError:
                assert hasattr(import_module(f"layerwise.{module}"), function), name
        for name in re.findall(r"layerwise\.(\w+)\(", text):
            assert name in layerwise.__all__
