"""What the tests of the tasks share: small files from text, and the real data where it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from layerwise.tasks.conllu import ConlluFile, read_conllu

Write = Callable[..., Path]
Read = Callable[[str], ConlluFile]


@pytest.fixture
def conllu(tmp_path: Path) -> Write:
    """Writes CoNLL-U: in lines that begin with a digit, blanks stand for tabs."""

    def write(text: str, name: str = "news.conllu") -> Path:
        lines = []
        for line in text.strip().splitlines():
            line = line.strip()
            lines.append("\t".join(line.split()) if line[:1].isdigit() else line)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the real data; the test is skipped where there is none."""
    named = os.environ.get("LAYERWISE_DATA")
    folder = Path(named) if named else Path(__file__).parents[2].parent / "shared" / "data"
    if not (folder / "gum_open").is_dir():
        pytest.skip(f"the real data is not at {folder}; set LAYERWISE_DATA")
    return folder


@pytest.fixture(scope="session")
def read_shared(shared_data: Path) -> Read:
    """Reads a file of the real data, once a session."""

    @cache
    def read(name: str) -> ConlluFile:
        return read_conllu(shared_data / name)

    return read
