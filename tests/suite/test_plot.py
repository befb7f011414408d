"""``probe plot``: every kind to a file, the same bytes again, and one line for what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from layerwise.results.records import Interval, Key, Record, RecordFile
from layerwise.suite.cli.plot import KINDS

HOSTILE = "$\\frac{a}$\n<b>&amp; _x\u202e" + "y" * 60
SPEED = {"batch_size": 1, "length": 20, "device": "cpu", "threads": 1}


def record(encoder: str, task: str, layer: int, scores: dict[str, float], **rest: Any) -> Record:
    metric = next(iter(scores))
    settings = SPEED if task == "speed.v1" else {}
    key = Key(
        encoder=encoder,
        fingerprint=encoder,
        task=task,
        data="tiny",
        data_hash=task,
        layer=layer,
        probe="mix.v1" if metric.startswith("mix") else "linear.v2",
        seed=0,
        settings=settings,
    )
    return Record(
        key=key, layer_name=f"l{layer}", layers=2, status="ok", metric=metric, scores=scores, **rest
    )


def everything(encoder: str) -> list[Record]:
    """Records that serve each kind of picture."""
    made = []
    for layer in (0, 1):
        scores = {
            "accuracy": 0.6 + layer / 10,
            "control_accuracy": 0.5,
            "selectivity": 0.1 + layer / 10,
            "codelength_bits": 90.0 - layer,
            "control_codelength_bits": 200.0,
            "compression": 3.0 + layer,
        }
        interval = Interval(low=0.5, high=0.8, confidence=0.95, clusters=9, replicates=99)
        made.append(record(encoder, "pos.v1", layer, scores, interval=interval))
        ends = {"milliseconds_q25": 1.0, "milliseconds_q75": 3.0, "words_per_second": 9.0}
        made.append(record(encoder, "speed.v1", layer, {"milliseconds": 1.0 + layer, **ends}))
    chosen = {"weights": [0.25, 0.75], "starts": [{"weights": [0.25, 0.75]}]}
    scores = {"mix_accuracy": 0.7, "centre_of_gravity": 0.75}
    return [*made, record(encoder, "pos.v1", 1, scores, chosen=chosen)]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder with an encoder, its twin, and one with a name that means ill."""
    file = RecordFile(tmp_path / "run" / "records.jsonl")
    file.path.parent.mkdir()
    for name in ("lstm", "lstm+random", HOSTILE):
        for each in everything(name):
            file.append(each)
    return file.path.parent


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_the_same_bytes_again_and_tells_what_it_shows(
    command: Any, run: Path, tmp_path: Path, kind: str
) -> None:
    svg, png, again = (tmp_path / name for name in ("a.svg", "a.png", "again.svg"))
    said = command("plot", kind, run, "-o", svg, "-o", png)
    assert said.code == 0 and said == command("plot", kind, run, "-o", again)
    assert svg.read_bytes() == again.read_bytes()
    summary = said.out.removesuffix("\n")
    assert summary.endswith(".") and "\n" not in summary and len(summary) > 30
    told = ElementTree.parse(svg).getroot()[0]
    assert told.tag.endswith("desc") and told.text is not None
    assert told.text.startswith(summary)
    with Image.open(png) as image:
        assert image.info["Description"] == told.text
        assert image.width >= 3.2 * 200
    for line in said.err.splitlines():
        assert line.startswith("warning: ") and line.removeprefix("warning: ") in told.text


def test_a_file_of_pages_tells_it_too_and_no_date(command: Any, run: Path, tmp_path: Path) -> None:
    pdf, again = tmp_path / "a.pdf", tmp_path / "again.pdf"
    said = command("plot", "layers", run, "-e", "lstm", "-o", pdf, "-o", again)
    assert said.code == 0 and pdf.read_bytes() == again.read_bytes()
    assert b"/Subject (Scores by layer of 1 encoder" in pdf.read_bytes()
    assert b"CreationDate" not in pdf.read_bytes()


def test_encoders_and_tasks_are_chosen_and_times_stay(
    command: Any, run: Path, tmp_path: Path
) -> None:
    said = command("plot", "pareto", run, "-e", "lstm", "-t", "pos", "-o", tmp_path / "a.svg")
    assert said.code == 0 and "lstm@1 (2.00 ms, 0.700)" in said.out and "frac" not in said.out
    said = command("plot", "layers", run, "-e", "lstm", "--relative", "-o", tmp_path / "b.svg")
    assert said.out == (
        "Scores by layer of 1 encoder on 1 task, the best being pos.v1, accuracy: lstm@1, 0.700.\n"
    )
    given = ("--metric", "compression", "-e", "lstm", "-o", tmp_path / "c.svg")
    assert "Compression by online codes" in command("plot", "codelength", run, *given).out


@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        (("layers", "RUN", "-o", "a.pgn"), 2, "--output: a.pgn has no ending of a picture"),
        (("layers", "nowhere", "-o", "a.png"), 3, "nowhere: no records here; `probe run` makes"),
        (("layers", "RUN", "-e", "lsm", "-o", "a.png"), 2, "--encoder: no records of 'lsm'; did"),
        (("layers", "RUN", "-t", "ps", "-o", "a.png"), 2, "--task: no records of 'ps'; did you"),
        (("heat", "RUN", "--metric", "acc", "-o", "a.png"), 2, "--metric: no layer has a score"),
        (("mix", "RUN", "--metric", "f1", "-o", "a.png"), 2, "--metric: mix has no choice of"),
        (("heat", "RUN", "--relative", "-o", "a.png"), 2, "--relative: heat is not along depth"),
        (("lines", "RUN", "-o", "a.png"), 2, "'lines' is not one of 'layers', 'heat'"),
        (("layers", "RUN", "-t", "speed", "-o", "a.png"), 3, "no scores of layers here; `probe"),
        (("layers", "RUN"), 2, "Missing option '-o'"),
    ],
)
def test_what_is_wrong_is_one_line(
    command: Any,
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    said = command("plot", *(run if word == "RUN" else word for word in given))
    assert said.code == code and told in said.one_line()
    assert not list(tmp_path.glob("a.*"))


def test_a_damaged_line_is_told_and_the_rest_is_drawn(
    command: Any, run: Path, tmp_path: Path
) -> None:
    with (run / "records.jsonl").open("a") as file:
        file.write('{"schema_version": 1, "ke\n')
    said = command("plot", "heat", run, "-e", "lstm", "-o", tmp_path / "a.svg")
    assert said.code == 0 and "records.jsonl:16: " in said.err and (tmp_path / "a.svg").exists()
