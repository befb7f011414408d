"""NAS-Probe: small cells, each trained briefly under one budget and probed layer by layer.

Read it from top to bottom: cells -> training -> perplexity -> times -> probes -> one line a cell.
Every cell reads the same words in the same order from the same seed, so that two lines differ by
their cells alone. What is written is not measured again: a killed run goes on where it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..core import files, progress, provenance
from ..core.errors import UsageError, in_one_line
from ..encoders.search.space.grammar import parse
from ..encoders.search.space.schedule import schedule
from ..results.nas_probe_table import CELL_LINES, SETTINGS, read_lines
from .nas_probe_bench import Bench, NasProbeSettings, latency, prepare, probe, train
from .nas_probe_cells import NamedCell, draw_cells


class Estimate(NamedTuple):
    """How many cells are missing, and what one took: the median seconds of so many ``cells``."""

    missing: int
    seconds: float
    cells: int


def evaluate(
    settings: NasProbeSettings, folder: Path, part: tuple[int, int] = (1, 1)
) -> Iterator[dict[str, Any]]:
    """Measure the cells that ``folder`` has no line of; give each line when it is on the disk.

    ``part`` (2, 3) takes every third cell, from the second: other processes take the others.

    A cell that fails is a line that says why. Raises UsageError where the folder holds a table of
    other settings, and DataError for text or data that cannot be read.
    """
    known = {line["id"] for line in read_lines(folder / CELL_LINES)}
    drawn = draw_cells(settings.cells, settings.seed)[part[0] - 1 :: part[1]]
    missing = [each for each in drawn if each.id not in known]
    if not missing:
        return
    bench = prepare(settings)
    claim(folder, bench.identity())
    for each in progress.track(missing, "cells", len(missing)):
        line = measure(bench, each)
        files.append_line(folder / CELL_LINES, files.canonical_json(line))
        yield line


def estimate(settings: NasProbeSettings, folder: Path) -> Estimate:
    """What is to be done, by the cells that were measured; where none was, by the first one."""
    lines = read_lines(folder / CELL_LINES)
    drawn = draw_cells(settings.cells, settings.seed)
    missing = len({each.id for each in drawn} - {line["id"] for line in lines})
    good = [line for line in lines if line["status"] == "ok"]
    good = good or [measure(prepare(settings), drawn[0])]
    spent = [
        line.get("train_seconds", {}).get("processor", 0.0)
        + line.get("probe_seconds", {}).get("processor", 0.0)
        for line in good
    ]
    return Estimate(missing, float(np.median(spent)), len(spent))


def claim(folder: Path, identity: dict[str, Any]) -> None:
    """Write down what the folder's lines are measured with, or refuse another measurement."""
    path = folder / SETTINGS
    if not path.exists():
        files.write_json(path, identity | {"provenance": provenance.describe()})
        return
    kept = files.read_json(path)
    for name, value in identity.items():
        if files.canonical_json(kept.get(name)) != files.canonical_json(value):
            raise UsageError(
                f"holds a table with {name} {kept.get(name)}, not {value}",
                where=str(folder),
                cure="name another --output, or the same settings",
            )


def measure(bench: Bench, each: NamedCell) -> dict[str, Any]:
    """All that is measured of a cell, as a line; of one that fails, why."""
    line = describe(each)
    try:
        model, trained = train(bench, each.cell)
        line |= trained
        line |= {"latency": latency(bench, model.bilm)}
        line |= probe(bench, model.bilm)
    except Exception as error:  # a cell that cannot be trained must not end the table
        return line | {"status": "failed", "error": in_one_line(error)}
    return line | {"status": "ok"}


def describe(each: NamedCell) -> dict[str, Any]:
    """What a cell's text tells by itself."""
    cell = parse(each.cell)
    ways = Counter[str]()
    for stage in schedule(cell):
        ways[stage.way.name.lower()] += len(stage.nodes)
    return {
        "id": each.id,
        "name": each.name,
        "cell": each.cell,
        "nodes": len(cell.nodes),
        "operations": dict(Counter(str(node.operation) for node in cell.nodes)),
        "ways": dict(ways),
    }
