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


@pytest.mark.parametrize(
    "given, told",
    [
        (("--sparsity", "half"), "--sparsity half: not numbers with commas between them"),
        (("--sparsity", "0.5,1"), "--sparsity 1: a sparsity is a share"),
        (("--sparsity", "nan"), "--sparsity nan: a sparsity is a share"),
        (("--structure", "2:4", "--sparsity", "0.8"), "two of each four weights are a half"),
        (("--structure", "heads"), "--structure"),
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
