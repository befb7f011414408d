"""Records: strict, identified by what their numbers depend on, and never lost to a torn line."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from layerwise.core.errors import DataError
from layerwise.results.records import Interval, Key, Record, RecordFile

KEY = Key(
    encoder="lstm",
    fingerprint="f" * 64,
    task="pos.v1",
    data="builtin",
    data_hash="d" * 64,
    layer=1,
    probe="linear.v1",
    seed=0,
    settings={"context": "document", "l2": 0.1, "limit": 5, "shuffle": True},
)
INTERVAL = Interval(low=0.8, high=0.95, confidence=0.95, clusters=40, replicates=1000)


def record(key: Key = KEY, **changes) -> Record:
    whole = {
        "key": key,
        "layer_name": "layer 1",
        "layers": 3,
        "status": "ok",
        "metric": "accuracy",
        "scores": {"accuracy": 0.9},
        "interval": INTERVAL,
        "counts": {"targets": 100},
        "facts": {"note": "naïve 日本\u2028", "nested": {"list": [1, 2.5, None, True]}},
    }
    return Record(**{**whole, **changes})


def numbered(seed: int) -> Record:
    return record(KEY.model_copy(update={"seed": seed}))


# --- the record ------------------------------------------------------------------------------


def test_a_record_survives_its_line():
    one = record()
    line = one.to_line()
    assert "\n" not in line
    assert Record.model_validate_json(line) == one
    json.loads(line, parse_constant=pytest.fail)


@settings(deadline=None)
@given(
    st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False)),
    st.dictionaries(
        st.text(),
        st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.text(),
    ),
)
def test_any_finite_numbers_and_names_survive(scores, chosen):
    one = record(scores={"accuracy": 1.0, **scores}, chosen=chosen)
    assert Record.model_validate_json(one.to_line()) == one


def test_the_id_is_fixed_for_all_time():
    # A change of this value would make every stored unit unknown.
    assert KEY.id == "0b98eeaf145333c4"
    assert record().id == KEY.id


@pytest.mark.parametrize("field", [name for name in Key.model_fields if name != "settings"])
def test_the_id_depends_on_each_part_of_the_key(field):
    value = getattr(KEY, field)
    other = value + 1 if isinstance(value, int) else value + "x"
    assert KEY.model_copy(update={field: other}).id != KEY.id


def test_the_id_depends_on_settings_but_not_on_their_order():
    turned = dict(reversed(KEY.settings.items()))
    assert KEY.model_copy(update={"settings": turned}).id == KEY.id
    assert KEY.model_copy(update={"settings": {**turned, "limit": 6}}).id != KEY.id


def test_settings_keep_their_kinds():
    read = Record.model_validate_json(record().to_line()).key.settings
    assert [type(value) for value in read.values()] == [str, float, int, bool]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    "place",
    [
        lambda bad: record(scores={"accuracy": bad}),
        lambda bad: record(timing={"fit": bad}),
        lambda bad: record(baselines={"majority": {"accuracy": bad}}),
        lambda bad: record(facts={"deep": [{"ratio": bad}]}),
        lambda bad: record(chosen={"gap": bad}),
        lambda bad: KEY.model_validate({**KEY.model_dump(), "settings": {"l2": bad}}),
        lambda bad: Interval(low=0.0, high=bad, confidence=0.9, clusters=2, replicates=1),
    ],
)
def test_what_is_no_number_is_refused(place, bad):
    with pytest.raises(ValidationError):
        place(bad)


def test_a_number_spoilt_later_is_refused_when_written():
    one = record()
    one.scores["accuracy"] = math.nan
    with pytest.raises(DataError, match="JSON"):
        one.to_line()


def test_a_copy_with_another_key_and_the_old_id_is_never_written():
    other = KEY.model_copy(update={"seed": 5})
    with pytest.raises(DataError, match="id"):
        record().model_copy(update={"key": other}).to_line()


@pytest.mark.parametrize(
    "changes",
    [
        {"surprise": 1},
        {"id": "0" * 16},
        {"status": "failed"},
        {"status": "ok", "error": "no"},
        {"scores": {}},
        {"layers": "3"},
        {"layers": True},
        {"schema_version": 0},
        {"facts": {"x": object()}},
        {"facts": {"x": "\ud800"}},
    ],
)
def test_contradictions_and_strangers_are_refused(changes):
    with pytest.raises(ValidationError):
        record(**changes)


def test_an_interval_has_two_ends_in_order():
    with pytest.raises(ValidationError):
        Interval(low=1.0, high=0.0, confidence=0.9, clusters=2, replicates=1)


def test_numbers_of_numpy_and_tuples_are_taken():
    one = record(
        scores={"accuracy": np.float64(0.5)},
        counts={"targets": np.int64(3)},
        facts={"a": (1, np.float32(0.5)), "b": np.bool_(True)},
    )
    assert one.facts == {"a": [1, 0.5], "b": True}
    assert Record.model_validate_json(one.to_line()) == one


def test_an_error_may_quote_a_name_that_is_not_unicode():
    failed = record(status="failed", error="no file \udcff", scores={}, interval=None)
    assert Record.model_validate_json(failed.to_line()).error == "no file \\udcff"


def test_reading_records_loads_nothing_heavy():
    code = (
        "import sys, layerwise.results.records; "
        "sys.exit(bool({'pandas', 'torch', 'sklearn', 'scipy', 'rich'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- the file --------------------------------------------------------------------------------


def test_a_file_that_is_not_there_has_no_records(tmp_path):
    assert RecordFile(tmp_path / "none.jsonl").read() == ([], [])


def test_a_later_record_of_a_unit_replaces_the_earlier(tmp_path):
    file = RecordFile(tmp_path / "deep" / "results.jsonl")
    failed = record(status="failed", error="out of memory", scores={}, interval=None)
    for one in (failed, numbered(1), record()):
        file.append(one)
    read = file.read()
    assert [(one.key.seed, one.status) for one in read.records] == [(0, "ok"), (1, "ok")]
    assert read.problems == []


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_cut_anywhere_all_earlier_records_load_and_the_next_append_heals(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("cut") / "results.jsonl"
    whole = [numbered(seed) for seed in range(3)]
    text = b"".join(one.to_line().encode() + b"\n" for one in whole)
    cut = data.draw(st.integers(0, len(text)))
    path.write_bytes(text[:cut])
    # A last line that lacks only its line break is complete.
    ends = [i for i, byte in enumerate(text) if byte == ord("\n")]
    complete = sum(cut >= end for end in ends)
    torn = cut not in {0, *ends, *(end + 1 for end in ends)}
    read = RecordFile(path).read()
    assert read.records == whole[:complete]
    assert [problem.line for problem in read.problems] == ([complete + 1] if torn else [])
    RecordFile(path).append(numbered(9))
    healed = RecordFile(path).read()
    assert [one.id for one in healed.records] == [
        one.id for one in [*whole[:complete], numbered(9)]
    ]
    assert healed.problems == read.problems


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_reported_never_fatal(tmp_path_factory, junk):
    path = tmp_path_factory.mktemp("junk") / "results.jsonl"
    path.write_bytes(junk + b"\n" + record().to_line().encode() + b"\n")
    read = RecordFile(path).read()
    assert [one.id for one in read.records] == [KEY.id]
    assert len(read.problems) == sum(bool(line.strip()) for line in junk.split(b"\n"))
    for problem in read.problems:
        assert str(problem).isprintable()
        assert str(problem).startswith(f"{path}:{problem.line}: ")


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line.replace('"layer":1', '"layer":2'),
        lambda line: line.replace("0.9,", "NaN,").replace("0.9}", "NaN}"),
        lambda line: line.replace("2.5", "NaN"),
        lambda line: line.replace("2.5", "1e999"),
        lambda line: line.replace('"layers":3', '"\\u001b[31m":3'),
        lambda line: "\0" * 50,
        lambda line: "[" * 100_000,
        lambda line: "null",
        lambda line: '{"schema_version":"2"}',
        lambda line: '{"schema_version":0}',
    ],
)
def test_damage_is_reported_with_its_line(tmp_path, damage):
    path = tmp_path / "results.jsonl"
    bad = damage(record().to_line())
    assert bad != record().to_line()
    path.write_text(f"{numbered(1).to_line()}\n\n{bad}\n{numbered(2).to_line()}\n")
    read = RecordFile(path).read()
    assert [one.key.seed for one in read.records] == [1, 2]
    assert [problem.line for problem in read.problems] == [3]
    assert str(read.problems[0]).isprintable()


def test_a_newer_schema_is_an_error_that_says_to_update(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text(record().to_line().replace('"schema_version":1', '"schema_version":2') + "\n")
    with pytest.raises(DataError, match=r"results.jsonl:1: .*schema 2.*update layerwise"):
        RecordFile(path).read()


def test_a_folder_in_place_of_the_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(DataError, match=str(tmp_path)):
        RecordFile(tmp_path).read()


APPEND = """
import sys
from pathlib import Path
from layerwise.results.records import Record, RecordFile

path, start, line = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
one = Record.model_validate_json(line).model_dump(exclude={"id"})
for seed in range(start, start + 25):
    one["key"]["seed"] = seed
    RecordFile(path).append(Record.model_validate(one))
"""


def test_processes_that_append_at_once_lose_nothing(tmp_path):
    path = tmp_path / "results.jsonl"
    workers = [
        subprocess.Popen([sys.executable, "-c", APPEND, str(path), str(start), record().to_line()])
        for start in (0, 100)
    ]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    read = RecordFile(path).read()
    assert read.problems == []
    expected = {numbered(start + seed).id for start in (0, 100) for seed in range(25)}
    assert {one.id for one in read.records} == expected
    assert path.read_bytes().count(b"\n") == 50
