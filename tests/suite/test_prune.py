"""``probe prune``: what it writes, says, keeps and refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from layerwise.encoders.bilm import BiLM, BiLMSettings
from layerwise.encoders.character_cnn import CharacterSettings
from layerwise.encoders.checkpoint import save_encoder

Command = Callable[..., Any]


@pytest.fixture
def encoder(tmp_path: Path) -> str:
    torch.manual_seed(3)
    settings = BiLMSettings(
        architecture="transformer",
        stack={"dim": 8, "layers": 1, "heads": 2, "feed_forward": 12},
        characters=CharacterSettings(embedding=4, filters=((1, 4), (3, 6))),
        window=12,
    )
    save_encoder(tmp_path / "dense", BiLM(settings), {})
    return f"local:{tmp_path / 'dense'}"


def files_in(folder: Path) -> dict[str, float]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_each_sparsity_is_an_encoder(encoder: str, command: Command, tmp_path: Path) -> None:
    output = tmp_path / "out"
    said = command("prune", encoder, "--sparsity", "0.5,0.8", "-o", output)
    assert said.code == 0 and said.err == ""
    # 2 directions of 8 x (24 + 8 + 12 + 12).
    assert said.out == (
        "sparsity 0.5: 448 of 896 weights in 8 matrices are 0; use it as --encoder "
        f"local:{output}/sparsity-0.5\n"
        "sparsity 0.8: 717 of 896 weights in 8 matrices are 0; use it as --encoder "
        f"local:{output}/sparsity-0.8\n"
    )
    checked = command("check", "encoder", f"local:{output}/sparsity-0.8")
    assert checked.code == 0 and "keeps the contract" in checked.out


def test_what_is_written_is_not_written_again(
    encoder: str, command: Command, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    command("prune", encoder, "-o", output)
    before = files_in(output)
    said = command("prune", encoder, "--sparsity", "0.5,0.9", "-o", output)
    assert said.code == 0 and said.out.startswith("sparsity 0.5: written before; ")
    after = files_in(output)
    assert before.items() < after.items() and any("sparsity-0.9" in name for name in after)
    other = command("prune", encoder, "--score", "random", "-o", output)
    assert other.code == 2 and "holds another encoder" in other.one_line()
    assert files_in(output) == after


def test_a_dry_run_writes_nothing(encoder: str, command: Command, tmp_path: Path) -> None:
    said = command("prune", encoder, "--structure", "neurons", "--dry-run", "-o", tmp_path / "out")
    assert said.code == 0 and not (tmp_path / "out").exists()
    # A neuron is 8 + 1 weights in and 8 out; 6 of 12 leave each direction.
    assert "6 of 12 neurons stay in each of 2 blocks, " in said.out
    numbers = said.out.split("blocks, ")[1].split(" parameters")[0].replace(",", "").split(" of ")
    after, before = map(int, numbers)
    assert before - after == 2 * 6 * 17
    assert said.out.endswith("nothing was kept: this was a dry run\n")
    both = command("prune", encoder, "--structure", "neurons,heads", "--dry-run", "-o", tmp_path)
    assert "6 of 12 neurons and 1 of 2 heads stay in each of 2 blocks" in both.out


def test_gradually_and_again(encoder: str, command: Command, tmp_path: Path) -> None:
    text, output = tmp_path / "text.txt", tmp_path / "out"
    text.write_text("a cat sees a dog and the dog sees the cat on a mat .\n" * 20)
    trained = tmp_path / "trained"
    command(
        *("pretrain", "-e", "transformer", "--text", text, "-o", trained, "--size", "tiny"),
        *("--set", "dim=8", "--set", "layers=1", "--window", 8, "--budget", "4steps"),
    )
    given = ("--schedule", "gradual", "--text", text, "--sparsity", "0.5,0.9")
    given += ("--budget", "5steps", "--rounds", "2")
    told = command("prune", f"local:{trained}", *given, "-o", output, "--dry-run")
    assert told.code == 0 and not output.exists()
    assert "would train 5steps of 16 x 8 words" in told.out and "its own softmax" in told.out
    # 0.9 * (1 - 1 / 8) after the first of two rounds.
    assert "2 rounds, to the sparsities 0.787, 0.9" in told.out
    said = command("prune", f"local:{trained}", *given, "-o", output)
    assert said.code == 0 and said.err == "", said.err
    assert "before, " in said.out and f"use it as --encoder local:{output}/sparsity-0.9" in said.out
    before = files_in(output)
    again = command("prune", f"local:{trained}", *given, "-o", output)
    assert again.out.count("written before") == 2 and files_in(output) == before
    anew = command("prune", encoder, *given, "-o", tmp_path / "anew", "--dry-run")
    assert "with a softmax that is drawn anew" in anew.out


@pytest.mark.parametrize(
    "given, told",
    [
        (("--sparsity", "half"), "--sparsity half: not numbers with commas between them"),
        (("--sparsity", "0.5,1"), "--sparsity 1: a sparsity is a share"),
        (("--sparsity", "nan"), "--sparsity nan: a sparsity is a share"),
        (("--structure", "2:4", "--sparsity", "0.8"), "two of each four weights are a half"),
        (("--structure", "heads", "--sparsity", "0.9"), "none of 2 heads would be left"),
        (("--budget", "9steps"), "--budget: is for --schedule gradual; leave it away"),
        (("--learning-rate", "1"), "--learning-rate: is for --schedule gradual"),
        (("--schedule", "gradual"), "--schedule gradual: goes on training; --text FILE"),
        (("--held-out", __file__), "has no softmax that predicts it; leave it away"),
        (("--score", "obd"), "--score obd: asks running text; --text FILE"),
        (("--text", "books.txt"), "--text: --score magnitude reads no text; leave it away"),
    ],
)
def test_mistakes_are_told_in_a_line(
    given: tuple[str, ...], told: str, encoder: str, command: Command, tmp_path: Path
) -> None:
    said = command("prune", encoder, *given, "-o", tmp_path / "out")
    assert said.code == 2 and told in said.one_line()
    assert not (tmp_path / "out").exists()
