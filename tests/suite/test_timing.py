"""Timing: what is recorded, in which turns, what fails, what is not measured twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from layerwise.core.errors import UsageError
from layerwise.core.types import Document
from layerwise.encoders.bilm import BiLM, BiLMSettings
from layerwise.encoders.bilm_encoder import BiLMEncoder
from layerwise.encoders.character_cnn import CharacterSettings
from layerwise.results.records import Record
from layerwise.suite.timing import TimeConfig, evaluate

Command = Callable[..., Any]
LOG: list[str] = []


class Small:
    """Word length, then twice a map of it; ``longest`` is the longest text that it can read."""

    dim, parameters, final_norm = 4, 20, False
    layer_names = ("length", "map", "map of the map")

    def __init__(self, name: str, longest: int = 10_000) -> None:
        torch.manual_seed(3)
        self.name, self.longest = name, longest
        self.fingerprint = name.encode().hex().ljust(64, "0")[:64]
        self.table, self.maps = nn.Embedding(40, 4), [nn.Linear(4, 4) for _ in range(2)]

    def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
        LOG.append(self.name)
        lengths = [[min(len(word), 39) for word in document.words] for document in documents]
        if max(map(len, lengths)) > self.longest:
            raise ValueError(f"cannot read\n{max(map(len, lengths))} words")
        with torch.inference_mode():
            rows = nn.utils.rnn.pad_sequence([torch.tensor(row) for row in lengths], True)
            states = [self.table(rows)]
            for map_ in self.maps:
                states.append(map_(states[-1]))
        for array, row in zip(torch.stack(states, dim=1), lengths, strict=True):
            yield array[:, : len(row)].numpy()

    def input_report(self, documents: Sequence[Document]) -> dict[str, int]:
        return {"windows": 2 * len(documents), "pieces": 7}


@pytest.fixture
def small(register: Any) -> Callable[..., None]:
    def make(name: str = "small", **options: Any) -> None:
        LOG.clear()
        register("encoder", name, lambda argument, given: Small(name, **options))

    return make


@pytest.fixture
def timed(corpus: Path, tmp_path: Path) -> Callable[..., TimeConfig]:
    def make(*encoders: str, **changes: Any) -> TimeConfig:
        plain: dict[str, Any] = {
            "encoder": encoders or ("small",),
            "batch_size": (1, 3),
            "length": (4, 6),
            "repeats": 2,
            "data": str(corpus),
            "output": tmp_path / "run",
        }
        return TimeConfig(**(plain | changes))

    return make


class TestRecords:
    def test_there_is_one_for_each_layer_batch_and_length(self, small: Any, timed: Any) -> None:
        small()
        found = evaluate(timed()).records
        cells = {
            (r.key.settings["batch_size"], r.key.settings["length"], r.key.layer) for r in found
        }
        assert cells == {(b, n, k) for b in (1, 3) for n in (4, 6) for k in range(3)}
        assert len(found) == 12 and all(record.status == "ok" for record in found)
        assert {record.layer_name for record in found} == {*Small.layer_names}

    def test_numbers_hang_together(self, small: Any, timed: Any) -> None:
        small()
        found = evaluate(timed(repeats=5)).records
        for record in found:
            s = record.scores
            assert record.metric == "milliseconds" and record.interval is None
            assert 0 < s["milliseconds_min"] <= s["milliseconds_q25"] <= s["milliseconds"]
            assert s["milliseconds"] <= s["milliseconds_q75"]
            words = record.key.settings["batch_size"] * record.key.settings["length"]  # type: ignore[operator]
            per_second = words / (s["milliseconds"] / 1e3)
            assert s["words_per_second"] == pytest.approx(per_second, rel=1e-4)
            assert s["peak_megabytes"] > 0
            assert record.counts["words"] == words and record.counts["repeats"] == 5
        for first, later in pairwise(found):
            if later.key.layer:
                assert later.scores["milliseconds"] > first.scores["milliseconds"]
                assert later.scores["milliseconds_without_layer_0"] > 0

    def test_they_say_on_what_and_how(self, small: Any, timed: Any) -> None:
        small()
        record = evaluate(timed()).records[0]
        assert str(record.key.settings["device"]).startswith("cpu: ")
        assert record.key.settings["threads"] == torch.get_num_threads()
        assert record.facts["kernels"] == ["matrix products (addmm)"]
        assert record.facts["precision"] == "float32"
        assert record.facts["clock"] == "time.perf_counter_ns"
        assert record.facts["cost"] == "the time to reach the layer in the model"
        assert record.counts["pieces"] == 7 and record.counts["model_calls"] == 3
        assert record.provenance["packages"]["torch"] == torch.__version__  # type: ignore[index,call-overload]
        assert set(record.timing) == {
            *("encode_seconds", "prepare_seconds", "forward_seconds", "marked_forward_seconds")
        }

    def test_an_encoder_without_modules_has_its_whole_time_alone(
        self, fake: Any, timed: Any
    ) -> None:
        fake()
        found = evaluate(timed("fake")).records
        assert [record.key.layer for record in found] == [1] * 4
        for record in found:
            assert record.facts["cost"] == "all of encode: it calls no torch module"
            milliseconds = 1e3 * record.timing["encode_seconds"]
            assert record.scores["milliseconds"] == pytest.approx(milliseconds, rel=1e-4)
            assert "milliseconds_without_layer_0" not in record.scores

    def test_a_bilm_with_its_windows(self, register: Any, timed: Any) -> None:
        settings = BiLMSettings(
            architecture="transformer",
            stack={"dim": 8, "layers": 2, "heads": 2, "feed_forward": 12},
            characters=CharacterSettings(embedding=4, filters=((1, 4), (3, 6))),
            window=5,
        )
        register("encoder", "mine", lambda _, given: BiLMEncoder("mine", BiLM(settings), given))
        found = evaluate(timed("mine")).records
        assert [record.key.layer for record in found] == [0, 1, 2] * 4
        windows = {record.key.settings["length"]: record.counts["windows"] for record in found[:6]}
        assert windows == {4: 1, 6: 2}
        (attention, *_) = found[0].facts["kernels"]  # type: ignore[misc]
        assert str(attention).startswith("fused attention")
        assert found[0].key.settings["context"] == "document"


class TestTurns:
    def test_encoders_take_turns_and_another_one_goes_first_each_time(
        self, small: Any, timed: Any
    ) -> None:
        for name in ("a", "b", "c"):
            small(name)
        evaluate(timed("a", "b", "c", batch_size=(1,), length=(4,), repeats=4))
        # Twice to find the layers; once to record the calls and once not to be measured.
        before = [*"aabbcc", *"aabbcc"]
        assert LOG == [*before, *"abc", *"bca", *"cab", *"abc"]

    def test_a_record_says_who_took_turns_with_it(self, small: Any, timed: Any) -> None:
        small("a")
        small("b")
        found = evaluate(timed("a", "b")).records
        assert {r.key.encoder: str(r.facts["in_turns_with"]) for r in found} == {
            "a": "['b']",
            "b": "['a']",
        }


class TestAgain:
    def test_what_is_recorded_is_not_measured_again(self, small: Any, timed: Any) -> None:
        small()
        first = evaluate(timed())
        LOG.clear()
        second = evaluate(timed())
        assert LOG == [] and (first.computed, second.computed) == (12, 0)
        assert second.records == first.records

    def test_a_killed_run_goes_on_with_the_next_batch(self, small: Any, timed: Any) -> None:
        small()
        file = timed().folder() / "records.jsonl"
        evaluate(timed())
        lines = file.read_text().splitlines()
        file.write_text("\n".join(lines[:8]) + "\n")  # two batches, and two layers of the third
        again = evaluate(timed())
        assert again.computed == 6 and len(again.records) == 12

    @pytest.mark.parametrize("changes", [{"again": True}, {"repeats": 3}])
    def test_it_is_where_that_is_asked_for_or_more_repeats_are(
        self, changes: dict[str, Any], small: Any, timed: Any, recorded: Any
    ) -> None:
        small()
        evaluate(timed())
        assert evaluate(timed(**changes)).computed == 12
        assert len(recorded(timed().folder())) == 12

    def test_fewer_repeats_are_there_already(self, small: Any, timed: Any) -> None:
        small()
        evaluate(timed(repeats=3))
        assert evaluate(timed(repeats=2)).computed == 0

    def test_another_number_of_threads_is_another_unit(
        self, small: Any, timed: Any, monkeypatch: Any
    ) -> None:
        small()
        evaluate(timed())
        monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
        assert evaluate(timed()).computed == 12


class TestFailures:
    def test_a_text_that_cannot_be_read_fails_and_the_rest_goes_on(
        self, small: Any, timed: Any
    ) -> None:
        small(longest=20)
        small("other")
        found = evaluate(timed("small", "other", length=(4, 25), batch_size=(1,))).records
        failed = [record for record in found if record.status == "failed"]
        assert {(r.key.encoder, r.key.settings["length"]) for r in failed} == {("small", 25)}
        assert [record.key.layer for record in failed] == [0, 1, 2]
        assert {record.error for record in failed} == {"ValueError: cannot read 25 words"}
        assert sum(record.status == "ok" for record in found) == 9

    def test_what_failed_is_tried_again(self, small: Any, timed: Any) -> None:
        small(longest=20)
        evaluate(timed(length=(25,)))
        small()
        again = evaluate(timed(length=(25,)))
        assert again.computed == 6 and {record.status for record in again.records} == {"ok"}

    def test_an_encoder_that_never_works_is_an_error(self, small: Any, timed: Any) -> None:
        small(longest=2)
        small("other")
        outcome = evaluate(timed("small", "other"))
        assert {record.key.encoder for record in outcome.records} == {"other"}
        assert "fails on 20 words (ValueError" in str(outcome.errors["small"])

    @pytest.mark.parametrize(
        "changes, told",
        [
            ({"encoder": ()}, "--encoder: is missing"),
            ({"batch_size": (1, 0)}, "--batch-size: must be at least 1"),
            ({"length": ()}, "--length: must be at least 1"),
            ({"repeats": 0}, "--repeats: must be at least 1"),
        ],
    )
    def test_what_cannot_be_asked(self, changes: Any, told: str, timed: Any) -> None:
        with pytest.raises(UsageError, match=told):
            timed(**changes)


class TestCommand:
    @pytest.fixture
    def time(self, command: Command, corpus: Path, tmp_path: Path, small: Any) -> Command:
        small()

        def run(*arguments: object) -> Any:
            given = ("-e", "small", "-d", corpus, "-o", tmp_path / "run", "--repeats", 2)
            return command("time", *given, *arguments)

        return run

    def test_it_prints_layers_against_batch_and_length(self, time: Command) -> None:
        said = time("--batch-size", "1,2", "--length", "4")
        assert said.code == 0
        head, names = said.out.splitlines()[:2]
        assert head.split("  ")[-1].strip() == "batch 2, 4 words"
        assert names.split()[-4:] == ["ms", "words/s", "ms", "words/s"]
        for line in ("0 length", "1 map", "2 map of the map", "small: all of encode"):
            assert line in said.out
        assert "small: longer than its window: 2 windows a text at batch 1, 4 words" in said.out
        assert said.err.startswith("6 measured now, 0 recorded before; records: ")

    def test_the_same_command_again_measures_nothing(self, time: Command) -> None:
        arguments = ("--batch-size", 1, "--length", 4, "--quartiles", "--format", "json")
        first, second = time(*arguments), time(*arguments)
        assert first.out == second.out
        assert second.err.startswith("0 measured now, 3 recorded before")
        (cell, rate) = json.loads(second.out)["rows"][0]["cells"]
        low, high = cell["interval"]
        assert low <= cell["value"] <= high and rate["interval"] is None

    def test_a_dry_run_measures_nothing(self, time: Command, tmp_path: Path) -> None:
        said = time("--batch-size", "1,2", "--length", "4", "--dry-run")
        assert said.code == 0 and LOG == [] and not (tmp_path / "run").exists()
        assert "to measure on 2 x 4 words: small" in said.out and "0 recorded" in said.out

    def test_a_failed_cell_is_code_1_and_says_why(
        self, time: Command, small: Any, tmp_path: Path
    ) -> None:
        small(longest=20)
        said = time("--batch-size", 1, "--length", "4,25")
        assert said.code == 1
        assert "failed: small, batch 1, 25 words, layers 0, 1, 2, seed 0: ValueError" in said.out

    def test_an_encoder_that_is_not_there(self, time: Command) -> None:
        said = time("-e", "smalll", "--batch-size", 1, "--length", 4)
        assert said.code == 2 and "no such encoder: 'smalll'; did you mean small?" in said.err

    @pytest.mark.parametrize(
        "arguments, told",
        [
            (("--batch-size", "1;2"), "--batch-size: '1;2' is no number; write them like 1,64"),
            (("--length", "4,"), "--length: '' is no number"),
            (("--length", "0"), "--length: must be at least 1"),
            (("--device", "gpu"), "--device: the device 'gpu' cannot be used here"),
        ],
    )
    def test_mistakes_are_one_line(self, arguments: Any, told: str, time: Command) -> None:
        said = time(*arguments)
        assert said.code == 2 and told in said.one_line()


class TestBeside:
    @pytest.fixture
    def both(self, command: Command, corpus: Path, tmp_path: Path, small: Any) -> Path:
        small()
        folder = tmp_path / "run"
        given = ("-e", "small", "-d", corpus, "-o", folder)
        run = command("run", *given, "-t", "pos", "--workers", 1, "--no-controls")
        sizes = ("--batch-size", "1,2", "--length", "4,6")
        timed = command("time", *given, *sizes, "--repeats", 2)
        assert (run.code, timed.code) == (0, 0), run.err + timed.err
        return folder

    def test_accuracy_stands_beside_milliseconds(
        self, both: Path, command: Command, recorded: Any
    ) -> None:
        shown = json.loads(command("show", both, "--speed", "--format", "json").out)
        columns = [f"{column['task']} {column['metric']}" for column in shown["columns"]]
        assert columns == ["pos.v1 accuracy", "speed.v1 ms (batch 1, 4 words)"]
        expected: dict[int, Record] = {
            record.key.layer: record
            for record in recorded(both)
            if record.key.settings.get("batch_size") == 1 and record.key.settings.get("length") == 4
        }
        for row in shown["rows"]:
            cell = row["cells"][1]
            if row["layer"] is None:
                assert cell["status"] == "missing"
            else:
                assert cell["value"] == expected[row["layer"]].scores["milliseconds"]

    def test_without_it_the_table_is_as_before(self, both: Path, command: Command) -> None:
        said = command("show", both)
        assert "accuracy" in said.out and "ms" not in said.out.split()

    def test_a_choice_of_tasks_keeps_the_times(self, both: Path, command: Command) -> None:
        said = command("show", both, "-t", "pos", "--speed", "-f", "csv")
        assert "ms (batch 1, 4 words)" in said.out

    def test_the_times_alone(self, both: Path, command: Command) -> None:
        said = command("show", both, "-t", "speed", "-f", "csv")
        head = said.out.splitlines()[0]
        assert head.startswith('encoder,variant,layer,layer_name,"batch 1, 4 words ms"')

    def test_a_run_shows_them_too(self, both: Path, command: Command, corpus: Path) -> None:
        arguments = ("-e", "small", "-d", corpus, "-o", both, "-t", "pos", "--workers", 1)
        said = command("run", *arguments, "--no-controls", "--speed", "-f", "csv")
        assert "ms (batch 1, 4 words)" in said.out
