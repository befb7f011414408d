"""``probe pretrain`` and ``probe loss-curve`` as a user calls them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layerwise.core import registry
from layerwise.encoders.base import EncoderOptions
from layerwise.encoders.character_cnn import PAPER

Command = Callable[..., Any]


@pytest.fixture
def text(tmp_path: Path) -> Path:
    drawn = np.random.default_rng(0).choice([f"w{chr(97 + i)}" for i in range(20)], 600)
    (tmp_path / "text.txt").write_text("\n".join(map(" ".join, drawn.reshape(60, 10))))
    return tmp_path / "text.txt"


@pytest.fixture
def pretrain(command: Command, text: Path, tmp_path: Path) -> Command:
    """Trains a very small transformer in this process."""

    def run(*options: object, budget: str = "3steps") -> Any:
        return command(
            *("pretrain", "-e", "transformer", "--text", text, "-o", tmp_path / "out"),
            *("--size", "tiny", "--set", "dim=8", "--set", "layers=1", "--window", 8),
            *("--batch", 2, "--budget", budget, *options),
        )

    return run


class TestPretrain:
    def test_it_trains_draws_and_tells(self, pretrain: Command, tmp_path: Path) -> None:
        said = pretrain()
        assert said.code == 0, said.err
        assert "held-out perplexity" in said.out and "after 3 steps, 48 words" in said.out
        assert {path.name for path in (tmp_path / "out").iterdir() if path.name[0] != "."} == {
            *("card.json", "settings.json", "weights.safetensors", "training.safetensors"),
            *("vocabulary.txt", "log.jsonl", "loss_curve.png", "loss_curve.svg"),
        }
        settings = json.loads((tmp_path / "out/settings.json").read_text())
        assert settings["stack"]["dim"] == 8 and settings["stack"]["layers"] == 1
        card = json.loads((tmp_path / "out/card.json").read_text())
        assert str(tmp_path) not in card["command"] and "--text text.txt" in card["command"]
        encoder = registry.load("encoder", "local")(str(tmp_path / "out"), EncoderOptions())
        assert encoder.dim == 16

    def test_a_card_tells_files_by_name_and_keeps_their_options(
        self, pretrain: Command, text: Path, tmp_path: Path
    ) -> None:
        pretrain(f"--held-out={text}", "--learning-rate=1e-3")
        words = json.loads((tmp_path / "out/card.json").read_text())["command"].split()
        assert words[-2:] == ["--held-out=text.txt", "--learning-rate=1e-3"]

    def test_an_augmentation_is_told_by_the_card(self, pretrain: Command, tmp_path: Path) -> None:
        said = pretrain("--augment", "moex", "--augment-probability", 0.5)
        assert said.code == 0, said.err
        training = json.loads((tmp_path / "out/card.json").read_text())["training"]
        assert {key: value for key, value in training.items() if key.startswith("augment")} == {
            **{"augment": "moex", "augment_probability": 0.5},
            **{"augment_lambda": 0.9, "augment_moments": "channels"},
        }

    def test_the_same_command_again_does_nothing_new(
        self, pretrain: Command, tmp_path: Path
    ) -> None:
        first = pretrain()
        weights = (tmp_path / "out/weights.safetensors").stat().st_mtime_ns
        assert pretrain().out == first.out
        assert (tmp_path / "out/weights.safetensors").stat().st_mtime_ns == weights

    def test_the_paper_size_has_the_papers_characters(
        self, command: Command, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from layerwise.encoders import estimate as estimating

        given = []

        def note(settings: Any, *rest: Any) -> Any:
            given.append(settings)
            raise KeyboardInterrupt

        monkeypatch.setattr(estimating, "estimate", note)
        for size in ("paper", "small"):
            options = ("--size", size, "--dry-run")
            command("pretrain", "-e", "lstm", "--text", text, "-o", tmp_path / "out", *options)
        assert given[0].characters == PAPER != given[1].characters
        assert given[0].stack["hidden"] == 4096


class TestDryRun:
    def test_it_tells_what_it_takes_and_writes_nothing(
        self, pretrain: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("layerwise.encoders.estimate._TIMED", 0.1)
        said = pretrain("--dry-run", budget="1Mwords")
        assert said.code == 0, said.err
        lines = said.out.splitlines()
        assert lines[0].startswith("transformer tiny: contextual ")
        assert lines[0].endswith(" parameters")
        assert lines[1] == "text: 600 words; full softmax over 21 words"
        assert "optimiser" in lines[2] and "MiB allocated" in lines[2]
        assert "62,500 steps" in lines[3] and "1,000,000 words, 1666.7 times over" in lines[3]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["text.txt"]


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "told"),
        [
            (("--budget", "20min"), "--budget: no such unit: 'min'"),
            (("--batch", 0), "--batch: Input should be greater than 0"),
            (("--warmup", 2), "--warmup: Input should be less than or equal to 1"),
            (("--set", "layers"), "--set layers: not NAME=VALUE; such as layers=4"),
            (
                ("--set", "layer=3"),
                "--set: transformer has no setting 'layer'; did you mean layers?",
            ),
            (("--set", "layers=many"), "--set layers: Input should be a valid integer"),
            (("--set", "heads=3"), "--set heads: 3 heads cannot share a width of 8"),
            (("--size", "huge"), "--size: transformer has no size 'huge'"),
            (("--window", 1), "--window: Input should be greater than or equal to 2"),
            (("--softmax", "adaptive", "--vocabulary", 2), "--softmax adaptive: a width of 8"),
            (("--text", "missing.txt"), "missing.txt: cannot be read"),
            (("--augment", "moex", "--augment-moments", "time"), "--augment-moments: moments over"),
            (("--augment", "moex", "--augment-lambda", 0), "--augment-lambda: Input should be"),
            (("--augment", "moex", "--batch", 1), "--augment moex: a window that is read alone"),
            (("--augment-lambda", 0.5), "--augment-lambda: has no effect without --augment"),
        ],
    )
    def test_each_names_its_option(
        self, pretrain: Command, tmp_path: Path, options: tuple[Any, ...], told: str
    ) -> None:
        said = pretrain(*options)
        assert said.code in (2, 3)
        assert told in said.one_line()
        assert not (tmp_path / "out").exists()

    def test_an_unknown_architecture_is_told(self, pretrain: Command) -> None:
        said = pretrain("-e", "lstn")
        assert said.code == 2
        assert "no such architecture: 'lstn'; did you mean lstm?" in said.one_line()

    def test_help_names_the_installed_architectures(self, command: Command) -> None:
        said = " ".join(command("pretrain", "--help").out.split())
        of_encoder = said.partition("--encoder TEXT")[2].partition("--text PATH")[0]
        for name in registry.names("architecture"):
            assert name in of_encoder

    def test_a_burst_names_step_and_cure(self, pretrain: Command) -> None:
        said = pretrain("--learning-rate", "1e30")
        assert said.code == 2
        assert "no longer finite at step 1; lower --learning-rate or --clip" in said.one_line()


class TestInterruption:
    def test_ctrl_c_saves_says_how_to_go_on_and_ends_the_same(
        self, text: Path, tmp_path: Path
    ) -> None:
        def start(output: str) -> subprocess.Popen[str]:
            return subprocess.Popen(
                [
                    *(sys.executable, "-m", "layerwise", "pretrain", "-e", "transformer"),
                    *("--text", str(text), "-o", str(tmp_path / output), "--size", "tiny"),
                    *("--set", "dim=8", "--set", "layers=1", "--window", "8", "--batch", "2"),
                    *("--budget", "200steps", "--seed", "3"),
                ],
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                stderr=subprocess.PIPE,
                text=True,
            )

        stopped = start("out")
        log = tmp_path / "out" / "log.jsonl"
        for _ in range(2400):
            if log.exists() or stopped.poll() is not None:
                break
            time.sleep(0.05)
        stopped.send_signal(signal.SIGINT)
        _, said = stopped.communicate(timeout=120)
        assert stopped.returncode == 130, said
        assert said.strip() == (
            "error: interrupted; what is finished is kept, and the same command goes on from there"
        )
        assert (tmp_path / "out/training.safetensors").exists()
        assert not (tmp_path / "out/card.json").exists()
        for output in ("out", "whole"):
            again = start(output)
            assert again.communicate(timeout=240)[1] == ""
            assert again.returncode == 0
        one, two = (tmp_path / name / "weights.safetensors" for name in ("out", "whole"))
        assert one.read_bytes() == two.read_bytes()
        steps = [json.loads(line)["step"] for line in log.read_text().splitlines()]
        assert steps == list(range(50, 201, 50))


class TestLossCurve:
    def test_several_are_drawn_in_one_picture(
        self, pretrain: Command, command: Command, tmp_path: Path
    ) -> None:
        pretrain()
        picture = tmp_path / "all.svg"
        log = tmp_path / "out/log.jsonl"
        (tmp_path / "other.jsonl").write_bytes(log.read_bytes())
        said = command("loss-curve", tmp_path / "out", tmp_path / "other.jsonl", "-o", picture)
        assert said.code == 0, said.err
        assert picture.stat().st_size > 1000
        for by in ("steps", "minutes"):
            again = command("loss-curve", log, "-o", tmp_path / f"{by}.pdf", "--by", by)
            assert again.code == 0, again.err

    def test_what_pretrain_drew_can_be_drawn_again(
        self, pretrain: Command, command: Command, tmp_path: Path
    ) -> None:
        pretrain()
        drawn = (tmp_path / "out/loss_curve.svg").read_bytes()
        (tmp_path / "out").rename(tmp_path / "transformer")
        command("loss-curve", tmp_path / "transformer", "-o", tmp_path / "again.svg")
        assert (tmp_path / "again.svg").read_bytes() == drawn

    def test_a_folder_without_a_log_is_told(self, command: Command, tmp_path: Path) -> None:
        said = command("loss-curve", tmp_path, "-o", tmp_path / "a.png")
        assert said.code == 3 and "log.jsonl: no log can be read here" in said.one_line()
