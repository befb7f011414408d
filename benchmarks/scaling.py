"""Seconds and peak memory of the solver as rows, features, classes and problems grow.

    OMP_NUM_THREADS=1 python benchmarks/scaling.py

Each line is a process of its own: CPU seconds on one thread, and memory beyond what the process
held before it had the features. ``README.md`` says how to read it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from layerwise.probes.design import IN_MEMORY, DenseDesign, Moments
from layerwise.probes.objective import Objective
from layerwise.probes.solver import Solution, solve

L2 = (1e3, 10**2.5, 1e2)
FEATURES, LABELS, TYPES = "features.bin", "labels.npy", "types.npy"
LAYERS = (1, 2)  # whose features stand side by side where one layer has too few


@dataclass(frozen=True)
class Case:
    """What is fitted."""

    rows: int = 20_000
    dim: int = 384
    classes: int = 17
    problems: int = 1
    streamed: bool = False


SIZES = (
    *(Case(rows=rows) for rows in (10_000, 20_000, 40_000, 80_000, 160_000)),
    *(Case(dim=dim) for dim in (192, 768)),
    *(Case(classes=classes) for classes in (2, 50)),
    *(Case(problems=problems) for problems in (6, 48)),
)


class Stored:
    """Rows on the disk. Mapped, a few rows here and there would count as the whole file."""

    def __init__(self, folder: Path, rows: int, dim: int) -> None:
        self.file = (folder / FEATURES).open("rb")
        self.shape = rows, dim
        whole = np.load(folder / LABELS, mmap_mode="r")
        self.width = (folder / FEATURES).stat().st_size // len(whole)  # bytes of a row

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(len(self))
            return self._read(start, stop)
        return np.concatenate([self._read(row, row + 1) for row in rows.tolist()])

    def _read(self, start: int, stop: int) -> np.ndarray:
        held = os.pread(self.file.fileno(), (stop - start) * self.width, start * self.width)
        return np.frombuffer(held, np.float16).reshape(stop - start, -1)[:, : self.shape[1]]


def main() -> None:
    """Print a line a case, each kept in memory and streamed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="gum", help="a corpus, or a folder with one")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--case", type=json.loads, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.folder:
        if asked.case:
            print(json.dumps(fit(Case(**asked.case), asked.folder)))
        else:
            write(asked.data, asked.folder)
        return
    with tempfile.TemporaryDirectory() as name:
        # A process inherits the peak of the one that starts it: this one has to stay small.
        _apart("--folder", name, "--data", asked.data)
        print(
            f"{len(L2)} values of L2; MB of features as kept, and of the process beyond its start"
        )
        print(
            "   rows  features  classes  problems   features |  kept: s    MB | streamed: s    MB"
        )
        for case in SIZES:
            kept, streamed = (
                json.loads(_apart("--folder", name, "--case", json.dumps(asdict(each))))
                for each in (case, replace(case, streamed=True))
            )
            size = 4 * case.rows * case.dim / 1e6
            print(
                f"{case.rows:7,}{case.dim:10}{case.classes:9}{case.problems:10}{size:8.0f} MB |"
                f"{kept['seconds']:9.1f}{kept['mb']:6.0f} |{streamed['seconds']:12.1f}"
                f"{streamed['mb']:6.0f}",
                flush=True,
            )


def write(corpus: str, folder: Path) -> None:
    """Two layers side by side, the words' parts of speech, and their types as numbers."""
    from words import load

    words = load(corpus, list(LAYERS))
    # Shuffled, so that the first rows of any number are like the others.
    order = np.random.default_rng(0).permutation(len(words.labels))
    np.hstack(words.layers).astype(np.float16)[order].tofile(folder / FEATURES)
    np.save(folder / LABELS, words.labels[order])
    np.save(folder / TYPES, np.unique(words.types, return_inverse=True)[1][order])


def labels_of(case: Case, folder: Path) -> torch.Tensor:
    """The task where it has as many classes, and control tasks: a label a word type."""
    own = np.load(folder / LABELS)[: case.rows]
    types = np.load(folder / TYPES)[: case.rows]
    found = [own] if case.classes == 17 else []
    for seed in range(len(found), case.problems):
        random = np.random.default_rng(seed)
        drawn = random.integers(0, case.classes, types.max() + 1)
        found.append(drawn[types])
    return torch.from_numpy(np.stack(found).astype(np.int64))


def fit(case: Case, folder: Path) -> dict[str, float]:
    """In this process: CPU seconds, and the growth of its peak memory in MB."""
    torch.set_num_threads(1)
    labels = labels_of(case, folder)
    # The first fit of a process brings in the libraries' own memory.
    small = np.random.default_rng(0).normal(size=(2_000, 64)).astype(np.float32)
    _solve(small, torch.arange(2_000)[None] % 3, 3, IN_MEMORY)
    before = _peak()
    started = time.process_time()
    array = Stored(folder, case.rows, case.dim)
    _solve(array, labels, case.classes, 0 if case.streamed else 2**40)
    return {"seconds": time.process_time() - started, "mb": _peak() - before}


def _solve(array: np.ndarray | Stored, labels: torch.Tensor, classes: int, in_memory: int) -> None:
    design = DenseDesign(array, Moments.of_rows(array), in_memory=in_memory)

    def done(solution: Solution) -> bool:
        return True

    solve(Objective(design, labels, classes), L2, done)


def _apart(*arguments: str) -> str:
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def _peak() -> float:
    """The largest memory of this process so far, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    main()
