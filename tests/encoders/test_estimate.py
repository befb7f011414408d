"""A dry run's figures against those of a real training."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from layerwise.core.errors import DataError
from layerwise.encoders import estimate as module
from layerwise.encoders.bilm import BiLMSettings
from layerwise.encoders.character_cnn import CharacterSettings
from layerwise.encoders.estimate import Estimate, Memory, estimate
from layerwise.encoders.language_model import LanguageModel
from layerwise.encoders.training_settings import TrainingSettings
from layerwise.encoders.training_step import Stepped, Trainer
from layerwise.encoders.training_text import Text

torch.set_num_threads(1)

SETTINGS = BiLMSettings(
    architecture="transformer",
    stack={"dim": 16, "layers": 1, "heads": 2, "feed_forward": 24, "dropout": 0.0},
    characters=CharacterSettings(embedding=4, filters=((1, 8), (2, 8)), highways=1),
    window=6,
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_TIMED", 0.1)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    drawn = np.random.default_rng(0).choice([f"w{chr(97 + i)}" for i in range(20)], 300)
    (tmp_path / "text").write_text("\n".join([" ".join(drawn[:150]), " ".join(drawn[150:])]))
    return tmp_path / "text"


def estimated(text: Path, **changes: Any) -> Estimate:
    held_out = changes.pop("held_out", [])
    plan = TrainingSettings(
        **{"budget": "10steps", "batch": 3, "vocabulary": 12, "evaluate_every": 4, **changes}
    )
    return estimate(SETTINGS, plan, [text], held_out)


class TestFigures:
    def test_parameters_are_those_of_the_model(self, text: Path) -> None:
        found = estimated(text)
        model = LanguageModel(SETTINGS, 12)
        assert sum(found.parameters.values()) == sum(w.numel() for w in model.parameters())
        assert found.memory.weights == 4 * sum(found.parameters.values())
        assert found.memory.optimiser == 2 * found.memory.weights
        assert found.vocabulary == 12

    def test_nothing_is_written(self, text: Path, tmp_path: Path) -> None:
        estimated(text)
        assert [path.name for path in tmp_path.iterdir()] == ["text"]

    @pytest.mark.parametrize(
        ("budget", "steps"), [("10steps", 10), ("181words", 11), ("1Mwords", 55_556)]
    )
    def test_steps_follow_from_the_budget(self, text: Path, budget: str, steps: int) -> None:
        found = estimated(text, budget=budget)  # 18 words a step
        assert (found.steps, found.words_to_read) == (steps, 18 * steps)
        assert found.evaluations == -(-steps // 4)

    def test_time_is_the_median_of_steps(self, text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        clock, passed, made = module.time.perf_counter, 0.0, 0

        def step(*_: Any) -> Stepped:
            nonlocal passed, made
            made += 1
            passed += 500.0 if made == 5 else 10.0  # one of them is disturbed
            return Stepped(1.0, 1.0)

        monkeypatch.setattr(Trainer, "step", step)
        monkeypatch.setattr(module.time, "perf_counter", lambda: clock() * 1e-6 + passed)
        found = estimated(text, budget="2m")
        assert found.step_seconds == pytest.approx(10.0, abs=1e-3)
        assert found.steps == 12 and found.timed == 3

    def test_the_held_out_text_is_timed_in_proportion(
        self, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock, passed, measured = module.time.perf_counter, 0.0, []

        def perplexity(model: Any, piece: Text, *_: Any) -> None:
            nonlocal passed
            passed += 10.0 * len(piece.words)  # each word takes ten seconds
            measured.append(len(piece.words))

        monkeypatch.setattr(module, "perplexity", perplexity)
        monkeypatch.setattr(module.time, "perf_counter", lambda: clock() * 1e-6 + passed)
        (tmp_path / "held").write_text("wa wb wc wd we wf wg " * 200)
        short, long = estimated(text), estimated(text, held_out=[tmp_path / "held"])
        assert short.evaluation_seconds == pytest.approx(10 * 6)  # a fiftieth of 300 words
        assert long.evaluation_seconds == pytest.approx(10 * 1400)
        assert measured == [6, 32 * 6]

    def test_long_text_is_looked_at_in_part(
        self, text: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert (estimated(text).words, estimated(text).complete) == (300, True)
        monkeypatch.setattr(module, "_SAMPLE", 100)
        found = estimated(text)
        assert (found.words, found.complete) == (150, False)

    def test_too_little_text_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "text").write_text("one two")
        with pytest.raises(DataError, match="--text: fewer words than one window"):
            estimated(tmp_path / "text")

    def test_the_highest_is_a_step_or_the_saving_after_it(self) -> None:
        assert Memory(weights=10, optimiser=20, step=100, saving=60).highest == 130
        assert Memory(weights=10, optimiser=20, step=50, saving=60).highest == 90


# What is released goes back to the system at once, or the C library holds half as much again.
PROMPT = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
REAL = """
import sys
from pathlib import Path
import torch
from layerwise.encoders.bilm import build_settings
from layerwise.encoders.estimate import estimate
from layerwise.encoders.pretrain import pretrain
from layerwise.encoders.training_settings import TrainingSettings
torch.set_num_threads(1)


def highest():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


folder = Path(sys.argv[1])
settings = build_settings("transformer", "tiny", window=32)
tiny = TrainingSettings(budget="1steps", batch=1, vocabulary=50)
plan = TrainingSettings(budget="3steps", batch=24, vocabulary=9000)
if sys.argv[2] == "estimate":
    print(estimate(settings, plan, [folder / "text"], []).memory.highest)
else:
    # A small training first, so that torch and the store of the text are there.
    pretrain(settings, tiny, [folder / "text"], [], folder / "tiny", "")
    before = highest()
    pretrain(settings, plan, [folder / "text"], [], folder / "out", "")
    print(highest() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak from /proc")
def test_memory_is_that_of_a_real_training(tmp_path: Path) -> None:
    """The peak of the process, as the system tells it, beyond that of a tiny training."""
    drawn = np.random.default_rng(0).permutation(9000)
    (tmp_path / "text").write_text(" ".join(f"w{number}" for number in drawn))

    def run(what: str) -> float:
        done = subprocess.run(
            [sys.executable, "-c", REAL, str(tmp_path), what],
            env={"LAYERWISE_CACHE": str(tmp_path / what), "OMP_NUM_THREADS": "1", **PROMPT},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return float(done.stdout)

    found, real = run("estimate"), run("train")
    assert real > 5e7  # enough to tell from the noise of an allocator
    assert found == pytest.approx(real, rel=0.15)
