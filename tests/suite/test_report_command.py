"""``probe report`` from a run to a file, and the commands on the page, which measure it again."""

from __future__ import annotations

import html
import json
import re
import shlex
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from layerwise.results.records import Record
from layerwise.results.report.page import Command as Line
from layerwise.suite.config import RunConfig
from layerwise.suite.pipeline import evaluate
from layerwise.suite.rerun import commands_of

Config = Callable[..., RunConfig]


@pytest.fixture
def run(fake: Any, config: Config, tmp_path: Path) -> Path:
    fake()
    evaluate(config(task=("pos", "morph:Number")))
    return tmp_path / "run"


def mistakes_in(page: str) -> list[dict[str, Any]]:
    found = re.search(r'id="mistakes-data">(.*?)</script>', page, re.S)
    assert found is not None
    units: list[dict[str, Any]] = json.loads(found[1])
    return units


def test_a_run_becomes_a_page(run: Path, command: Any, recorded: Any, tmp_path: Path) -> None:
    said = command("report", run, "-o", tmp_path / "page.html")
    assert said.code == 0 and said.err == "" and "4 records" in said.out
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    units = mistakes_in(page)
    records = {(r.key.task, r.key.layer): r for r in recorded(run)}
    assert len(units) == len(records) == 4
    for unit in units:
        record = records[unit["task"], unit["number"]]
        if record.metric == "accuracy":
            assert 1 - unit["wrong"] / unit["of"] == pytest.approx(record.scores["accuracy"])
        for mistake in unit["shown"]:
            [marked] = [words for words, spans in mistake["pieces"] if spans]
            if unit["task"].startswith("pos"):  # the first letter tells the part of speech
                assert mistake["gold"] == {"n": "NOUN", "v": "VERB", "d": "DET"}[marked[0]]
                assert mistake["predicted"] != mistake["gold"]
        sure = [mistake["probability"] for mistake in unit["shown"]]
        assert sure == sorted(sure, reverse=True)
    assert any(unit["shown"] for unit in units)
    assert '"how":"best on dev"' in page and str(tmp_path) not in page


def test_the_commands_measure_the_same_units(
    run: Path, command: Any, corpus: Path, tmp_path: Path
) -> None:
    command("report", run, "-o", tmp_path / "page.html")
    page = html.unescape((tmp_path / "page.html").read_text(encoding="utf-8"))
    lines = [line for line in re.findall(r"^.*?(probe run .*?)(?:</code>|$)", page, re.M)]
    assert len(lines) == 1
    words = [str(corpus) if word == corpus.name else word for word in shlex.split(lines[0])]
    again = command(*words[1:], "--workers", 1, "-o", run)
    assert again.code == 0 and "0 measured now, 4 recorded before" in again.out + again.err


def test_settings_become_flags(fake: Any, config: Config, tmp_path: Path) -> None:
    fake()
    records = evaluate(config(split="sentence", disjoint="type")).records
    records += evaluate(
        config(layers="1", controls=0, span_pooling="max", train_targets=20)
    ).records
    lines = [shlex.split(line.line) for line in commands_of(records)]
    assert len(lines) == 2
    [sampled] = [words for words in lines if "--layers" in words]
    flags = dict(pairwise(sampled))
    assert flags["--controls"] == "0" and flags["--span-pooling"] == "max"
    assert flags["--train-targets"] == "20" and "--split" not in flags
    assert flags["--layers"] == "1"
    [split] = [words for words in lines if "--layers" not in words]
    flags = dict(pairwise(split))
    assert flags["--split"] == "sentence" and flags["--disjoint"] == "type"


def test_hostile_names_are_one_word_of_a_command(fake: Any, config: Config) -> None:
    fake()
    [record, *_] = evaluate(config(layers="0")).records
    key = record.key.model_copy(update={"encoder": "x; rm -rf $HOME `id`\n#"})
    hostile = Record.model_validate({**record.model_dump(), "key": key.model_dump(), "id": key.id})
    [line] = commands_of([hostile])
    assert isinstance(line, Line)
    assert shlex.split(line.line)[:4] == ["probe", "run", "-e", "x; rm -rf $HOME `id`\n#"]


def test_a_choice_of_what_is_shown(run: Path, command: Any, tmp_path: Path) -> None:
    said = command("report", run, "-t", "pos", "-o", tmp_path / "pos.html")
    assert said.code == 0
    page = (tmp_path / "pos.html").read_text(encoding="utf-8")
    assert {unit["task"] for unit in mistakes_in(page)} == {"pos.v1"}
    assert "morph:Number" not in page[page.index("<body>") : page.index("<script>")]
    for flag, name in (("-t", "poss"), ("-e", "fakes")):
        said = command("report", run, flag, name, "-o", tmp_path / "none.html")
        assert said.code == 2 and "no records of" in said.one_line()
    assert not (tmp_path / "none.html").exists()


def test_what_is_missing_or_damaged_is_told(run: Path, command: Any, tmp_path: Path) -> None:
    said = command("report", tmp_path / "nowhere")
    assert said.code == 3 and "no records here" in said.one_line()
    for file in (run / "targets").iterdir():
        file.unlink()
    with (run / "records.jsonl").open("a") as stream:
        stream.write('{"torn')
    said = command("report", run, "-o", tmp_path / "page.html")
    assert said.code == 0 and "the line is left out" in said.one_line()
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Of 4 measured layers no predictions" in page and "the line is left out" in page
    prediction = next((run / "predictions").glob("*.npz"))
    assert prediction.exists()
