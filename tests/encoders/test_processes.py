"""Several processes train as one does: the same losses and the same weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from layerwise.core.errors import UsageError
from layerwise.encoders import processes as module
from layerwise.encoders.checkpoint import load_tensors
from layerwise.encoders.processes import Processes, SharedProcesses, is_first, join

torch.set_num_threads(1)

OPTIONS = (
    "--size tiny --set layers=1 --window 8 --budget 4steps --batch 4 --accumulate 2 "
    "--vocabulary 12 --evaluate-every 2 --softmax adaptive"
).split()


def start(folder: Path, output: str, count: int, *options: str) -> subprocess.CompletedProcess[str]:
    """What a user calls, on processors."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(count)]
    before = [sys.executable, *(launcher if count > 1 else [])]
    given = ["-e", "transformer", "--text", str(folder / "text"), "-o", str(folder / output)]
    return subprocess.run(
        [*before, "-m", "layerwise", "pretrain", *given, *OPTIONS, *options],
        env=os.environ | {"LAYERWISE_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def result(folder: Path) -> tuple[list[dict[str, Any]], dict[str, torch.Tensor]]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return lines, load_tensors(folder / "training.safetensors")[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    drawn = np.random.default_rng(0).choice([f"w{chr(97 + i)}" for i in range(15)], 900)
    (tmp_path / "text").write_text(" ".join(drawn))
    return tmp_path


class TestTwo:
    def test_they_train_as_one_does_with_as_many_windows(self, folder: Path) -> None:
        for output, count in (("one", 1), ("two", 2)):
            done = start(folder, output, count)
            assert done.returncode == 0, done.stderr
            assert done.stdout.count("held-out perplexity") == 1
            card = json.loads((folder / output / "card.json").read_text())
            assert card["processes"] == count and card["words_seen"] == 4 * 8 * 8
        (one, weights), (two, other) = result(folder / "one"), result(folder / "two")
        for line, twin in zip(one, two, strict=True):
            assert line["step"] == twin["step"] and line["words_seen"] == twin["words_seen"]
            assert line["loss"] == pytest.approx(twin["loss"], abs=1e-4)
            assert line["gradient_norm"] == pytest.approx(twin["gradient_norm"], rel=1e-3)
            assert line["held_out"]["mean"] == pytest.approx(twin["held_out"]["mean"], abs=0.01)
        moved = torch.cat([v.flatten() for k, v in weights.items() if ".exp_avg." in k])
        twins = torch.cat([v.flatten() for k, v in other.items() if ".exp_avg." in k])
        assert torch.allclose(moved, twins, atol=1e-5) and moved.abs().max() > 1e-3

    def test_windows_that_cannot_be_shared_are_told(self, folder: Path) -> None:
        done = start(folder, "two", 2, "--batch", "3")
        assert done.returncode != 0
        told = "error: --batch: 3 windows cannot be shared by 2 processes; take a multiple of 2"
        assert told in done.stderr
        assert not (folder / "two").exists()


class FakeAccelerator:
    """Two processes, the other of which holds what this one holds, and one more."""

    process_index, num_processes = 0, 2
    device = torch.device("cpu")

    def reduce(self, tensor: torch.Tensor, how: str) -> torch.Tensor:
        total = tensor + (tensor + 1)
        return total / 2 if how == "mean" else total


class TestExchange:
    def test_gradients_become_their_mean(self) -> None:
        weight = torch.nn.Parameter(torch.zeros(2))
        weight.grad = torch.tensor([1.0, 3.0])
        SharedProcesses(FakeAccelerator()).average_gradients([weight])
        assert weight.grad.tolist() == [1.5, 3.5]

    def test_values_are_added(self) -> None:
        assert SharedProcesses(FakeAccelerator()).add_up(np.array([2.0])).tolist() == [5.0]

    def test_alone_nothing_changes(self) -> None:
        alone = Processes()
        assert alone.add_up(np.array([2.0])).tolist() == alone.of_first([2.0]) == [2.0]
        assert (alone.rank, alone.count) == (0, 1)


class TestJoining:
    def test_one_process_needs_no_library(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "import_module", lambda _: pytest.fail("imported"))
        monkeypatch.delenv("WORLD_SIZE", raising=False)
        processes, device = join("cpu")
        assert processes.count == 1 and device == "cpu" and is_first()

    @pytest.mark.parametrize("device", ["tpu", "meta:x", "cuda:99"])
    def test_a_device_that_is_not_there_is_told(
        self, monkeypatch: pytest.MonkeyPatch, device: str
    ) -> None:
        monkeypatch.delenv("WORLD_SIZE", raising=False)
        with pytest.raises(UsageError, match=f"--device: the device '{device}' cannot be used"):
            join(device)

    def test_without_accelerate_several_are_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(name: str) -> Any:
            raise ImportError(name)

        monkeypatch.setattr(module, "import_module", missing)
        monkeypatch.setenv("WORLD_SIZE", "2")
        with pytest.raises(
            UsageError, match=r'accelerate is not installed; pip install "layerwise'
        ):
            join("cpu")
