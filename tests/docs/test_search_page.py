"""The page on searching tells of commands that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from layerwise.suite.cli.search import command

PAGE = (Path(__file__).parents[2] / "docs" / "search.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line)[2:]
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_of_the_page_is_understood(words: list[str]) -> None:
    assert command.make_context("search", words).params["estimator"]


def test_there_are_some_and_their_options_are_told() -> None:
    assert len(COMMANDS) >= 5
    options = {name for option in command.params for name in option.opts}
    told = {name for name in re.findall(r"(--[a-z-]+)", PAGE)}
    assert told - options == set()
