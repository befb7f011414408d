"""Figures in files: their formats, and no file that depends on another."""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from layerwise.core.errors import UsageError
from layerwise.results.picture import ENDINGS, check_ending, save

BEGIN = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}


def figure() -> Figure:
    made = Figure(figsize=(3, 2), layout="constrained")
    axes = made.add_subplot()
    axes.plot([1, 2, 4], [3, 1, 2], label="a line")
    axes.set_ylabel("a label\nin two lines")
    axes.legend()
    return made


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_is_the_same_whatever_was_written_before_it(tmp_path: Path, ending: str) -> None:
    alone, later = figure(), figure()
    save(alone, tmp_path / f"alone{ending}")
    for other in ENDINGS:
        save(later, tmp_path / f"other{other}")
    save(later, tmp_path / f"later{ending.upper()}")
    written = (tmp_path / f"alone{ending}").read_bytes()
    assert written.startswith(BEGIN[ending])
    assert (tmp_path / f"later{ending.upper()}").read_bytes() == written


def test_the_ending_of_no_picture_is_told(tmp_path: Path) -> None:
    for refuse in (check_ending, lambda path: save(figure(), path)):
        with pytest.raises(UsageError, match=r"a\.pgn has no ending of a picture; .* \.png"):
            refuse(tmp_path / "a.pgn")
    assert not list(tmp_path.iterdir())
