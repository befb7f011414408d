"""A package of somebody else's adds an encoder, and nothing of ours knows of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
PLUGIN = Path(__file__).parents[1] / "plugin_package"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def with_plugin(scratch: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    copy = tmp_path_factory.mktemp("plugin")
    for file in PLUGIN.iterdir():
        if file.is_file():
            (copy / file.name).write_bytes(file.read_bytes())
    done = scratch(
        "python",
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        str(copy),
    )
    assert done.returncode == 0, done.stderr
    return scratch


def test_plugin_is_listed_with_its_package(with_plugin: Run) -> None:
    lines = with_plugin("probe", "list", "encoders").stdout.splitlines()
    line = next(line for line in lines if line.startswith("letters "))
    assert line.endswith("layerwise-plugin-example")


def test_plugin_keeps_the_contract(with_plugin: Run) -> None:
    done = with_plugin("probe", "check", "encoder", "letters")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "keeps the contract" in done.stdout


def test_plugin_is_probed_like_any_other(with_plugin: Run, tmp_path: Path) -> None:
    words = [("the", "DET", 2, "det"), ("dog", "NOUN", 3, "nsubj"), ("runs", "VERB", 0, "root")]
    rows = "".join(
        f"{i}\t{form}\t{form}\t{upos}\t_\t_\t{head}\t{deprel}\t_\t_\n"
        for i, (form, upos, head, deprel) in enumerate(words, start=1)
    )
    for split in ("train", "dev", "test"):
        (tmp_path / f"tiny-{split}.conllu").write_text(f"# newdoc id = {split}\n{rows}\n")
    done = with_plugin(
        "probe",
        "run",
        "-e",
        "letters",
        "-t",
        "pos",
        "-d",
        str(tmp_path),
        "--workers",
        "1",
        "-f",
        "csv",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "letters" in done.stdout and "1.000" in done.stdout


def test_plugin_is_one_small_file() -> None:
    code = (PLUGIN / "letters_encoder.py").read_text().splitlines()
    assert sum(bool(line.strip()) for line in code) <= 30
