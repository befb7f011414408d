"""The README tells of commands that exist, and its second block is what runs these tests."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from layerwise.suite.cli import probe

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def commands() -> Iterator[list[str]]:
    for block in re.findall(r"```sh\n(.*?)```", README + GUIDE, re.DOTALL):
        for line in block.splitlines():
            for part in re.split(r"&&|;", line.partition("#")[0]):
                words = shlex.split(part)
                if words and Path(words[0]).name == "probe":
                    yield words[1:]


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_a_command_of_the_readme_is_understood(words: list[str]) -> None:
    command: click.Command = probe
    # A command keeps the names of --help that it is first asked with: those of the whole.
    context = click.Context(probe, help_option_names=["-h", "--help"])
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, words[0]
        command, words = found, words[1:]
    made = command.make_context(command.name, words, parent=context)
    assert made.params


def test_readme_has_the_main_job() -> None:
    assert ["run", "--encoder", "transformer", "--task", "coref"] in list(commands())


def test_ci_calls_the_second_block_and_nothing_cleverer() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    assert blocks[1].strip() == "tests/run.sh"
    steps = [
        line
        for line in (ROOT / ".ci" / "run").read_text().splitlines()
        if line and not line.startswith(("#", "set ", "cd "))
    ]
    assert steps == ["tests/run.sh"]


def test_links_of_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README + GUIDE):
        assert (ROOT / target).exists(), target


def test_every_shipped_requirement_is_pinned() -> None:
    """``constraints.txt`` names each direct requirement, so that two installs are the same."""
    pinned = {
        re.split("==", line)[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    wanted = re.findall(r'^ {12,16}"([A-Za-z0-9_-]+)[><=]', (ROOT / "setup.py").read_text(), re.M)
    assert len(wanted) > 15
    # MiniLM's package is installed without its own requirements, by a line of its own.
    assert {name.lower().replace("_", "-") for name in wanted} - pinned == set()
