"""What tests of trainings share: a text that can be learnt, and a space of a few cells."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from layerwise.encoders.search.protocols import Setting
from layerwise.encoders.search.space.aliases import read_cell
from layerwise.encoders.search.space.canonical import canonical

MakeSetting = Callable[..., Setting]


class SomeCells:
    """A space of cells that are named, or of candidates as they are written."""

    name = "some-cells"

    def __init__(self, names: Sequence[str], as_written: bool = False) -> None:
        self.cells = [*names] if as_written else [str(canonical(read_cell(n))) for n in names]
        self.genes = [len(self.cells)]

    def sample(self, generator: random.Random) -> str:
        return self.cells[int(generator.random() * len(self.cells))]

    def mutate(self, candidate: str, generator: random.Random) -> str:
        return self.sample(generator)

    def cross(self, first: str, second: str, generator: random.Random) -> str:
        return first

    def decode(self, genes: Sequence[int]) -> str:
        return self.cells[genes[0]]

    def read(self, text: str) -> str:
        return text

    def describe(self, anonymous: bool = False) -> str:
        return " ".join(self.cells)


class TableOfCurves(SomeCells):
    """A table of candidates of any kind."""

    def __init__(self, curves: dict[str, Sequence[float]]) -> None:
        super().__init__([*curves], as_written=True)
        self.curves = curves

    def runs(self, candidate: str) -> Sequence[float]:
        return [self.curves[candidate][-1]]

    def curve(self, candidate: str) -> Sequence[float]:
        return self.curves[candidate]


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread, and no cache of others."""
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "cache"))
    torch.set_num_threads(1)


@pytest.fixture
def running_text(tmp_path: Path) -> Path:
    """1,000 words, of 20 different ones: each is followed by one of two."""
    rng = np.random.default_rng(0)
    word, words = 0, []
    for _ in range(1000):
        word = (3 * word + int(rng.integers(2))) % 20
        words.append(f"w{chr(97 + word)}")
    path = tmp_path / "text.txt"
    path.write_text("\n".join(" ".join(words[i : i + 10]) for i in range(0, 1000, 10)))
    return path


@pytest.fixture
def some_cells() -> type[SomeCells]:
    return SomeCells


@pytest.fixture
def table_of_curves() -> type[TableOfCurves]:
    return TableOfCurves


@pytest.fixture
def make_setting(running_text: Path) -> MakeSetting:
    """A setting of 8 channels and 1 layer, for the cells that are named."""

    def make(*names: str, **changes: Any) -> Setting:
        given: dict[str, Any] = {
            "space": SomeCells(names or ("mingru", "rnn")),
            "text": (running_text,),
            "words": 640,
            "dim": 8,
            "layers": 1,
            "window": 8,
            "batch": 4,
            "vocabulary": 30,
        }
        return Setting(**(given | changes))

    return make
