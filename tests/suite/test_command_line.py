"""The command on a card can be pasted, and tells no one's folders."""

from __future__ import annotations

import shlex
import sys

import pytest

from layerwise.suite.cli._command_line import command_line

CELL = "cell=c1/L:0,@2/t:1=2"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--text", "/home/me/books.txt"], ["--text", "books.txt"]),
        (["--held-out=../texts/a b.txt.gz"], ["--held-out=a b.txt.gz"]),
        (["--set", CELL, "--text", "x/y.txt"], ["--set", CELL, "--text", "y.txt"]),
        ([f"--set={CELL}", "-o", "runs/mine"], [f"--set={CELL}", "-o", "mine"]),
        (["local:/home/me/lstm", "lstm", "20m"], ["local:lstm", "lstm", "20m"]),
    ],
)
def test_files_are_told_by_name_and_all_else_as_it_is(
    given: list[str], told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/probe", "pretrain", *given])
    assert shlex.split(command_line()) == ["probe", "pretrain", *told]
