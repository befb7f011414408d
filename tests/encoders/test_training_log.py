"""The log: means over the steps between, and no step twice after a kill."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from layerwise.encoders.training_log import TrainingLog


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_tells_of_the_steps_since_the_last(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path / "log", 0, 0.0, 100)
    log.note(4.0)
    log.note(2.0)
    log.write(2, 0.5, "loss", learning_rate=0.1)
    log.note(1.0)
    log.write(3, 1.5, "loss", learning_rate=0.2, held_out={"mean": 7.0})
    assert lines(tmp_path / "log") == [
        {
            "step": 2,
            "words_seen": 200,
            "seconds": 0.5,
            "words_per_second": 400.0,
            "loss": 3.0,
            "learning_rate": 0.1,
        },
        {
            "step": 3,
            "words_seen": 300,
            "seconds": 1.5,
            "words_per_second": 100.0,
            "loss": 1.0,
            "learning_rate": 0.2,
            "held_out": {"mean": 7.0},
        },
    ]


def test_what_a_killed_training_logged_beyond_its_state_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text('{"step": 50}\n{"step": 100}\n{"step": 150}\n{"ste')
    log = TrainingLog(path, 100, 10.0, 10)
    assert lines(path) == [{"step": 50}, {"step": 100}]
    log.note(1.0)
    log.write(101, 12.0, "sampled_loss")
    assert lines(path)[-1]["words_per_second"] == 5.0
    assert lines(path)[-1]["sampled_loss"] == 1.0 and "loss" not in lines(path)[-1]


def test_a_whole_log_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text('{"step": 50}\n')
    before = path.stat().st_mtime_ns
    TrainingLog(path, 50, 1.0, 10)
    assert path.stat().st_mtime_ns == before


def test_without_a_path_nothing_is_written(tmp_path: Path) -> None:
    log = TrainingLog(None, 0, 0.0, 10)
    log.note(1.0)
    log.write(1, 1.0, "loss")
    assert not list(tmp_path.iterdir())
