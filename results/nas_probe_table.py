"""The table of NAS-Probe: the lines that were measured, as Parquet of one row a cell."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core import files
from ..core.errors import DataError

CELL_LINES, SCORE_LINES, SETTINGS = "cells.jsonl", "scores.jsonl", "settings.json"
LETTERS = "LGtsurgqambnKDYAE"
WAYS = ("parallel", "scan", "steps")

Row = dict[str, Any]

COLUMNS = {
    "id": "the short id of the cell's canonical form",
    "name": "its name, where it has one",
    "cell": "the cell, in its canonical form",
    "status": "ok, or failed",
    "error": "why it failed",
    "nodes": "its nodes",
    "op_LETTER": "its nodes of that operation, whatever their size",
    "parallel, scan, steps": "its nodes that are computed over all words at once, as a linear scan,"
    " word by word",
    "parameters": "weights of both directions' stacks, without characters and softmax",
    "perplexity, perplexity_forward, perplexity_backward": "on held-out text, of a word; the first"
    " of the mean cross-entropy of the two",
    "losses": "mean training loss in nats of each tenth of the training, in order",
    "train_seconds": "processor's seconds of the training",
    "milliseconds": "processor's time for 128 words, batch 1, both directions, median",
    "TASK_SPLIT_LAYER": "the probe's score (accuracy; coref: F1) on dev and test; layer 0 is the"
    " characters'",
    "TASK_nats_LAYER": "the probe's cross-entropy on test in nats a target",
    "TASK_edge_LAYER": "whether the strongest penalty of the grid was the best",
    "score_NAME": "a training-free score, the mean of 3 draws of the weights; none where it is not"
    " finite",
}
"""The columns; names in capitals stand for several."""


@dataclass(frozen=True)
class ProbedCells:
    """The rows, in the order of the draw, and what they were measured with."""

    rows: list[Row]
    settings: dict[str, Any]

    @property
    def good(self) -> list[Row]:
        """The cells that could be trained and probed."""
        return [row for row in self.rows if row["status"] == "ok"]

    @property
    def tasks(self) -> list[str]:
        """The tasks that were probed."""
        return list(self.settings["tasks"])

    @property
    def layers(self) -> int:
        """The layers above the characters'."""
        return int(self.settings["layers"])

    @property
    def scores(self) -> list[str]:
        """The columns of training-free scores that some cell has."""
        names = [name for name in self.rows[0] if name.startswith("score_")]
        return [name for name in names if any(row[name] is not None for row in self.rows)]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a JSONL file, each an object with an ``id``; none where there is no file.

    Of one id the last line counts. A line that is torn is left out. Raises DataError where the
    file cannot be read.
    """
    try:
        texts = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=str(path)) from error
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and "id" in line:
            found[str(line["id"])] = line
    return list(found.values())


def collect(folder: Path, order: Sequence[str]) -> ProbedCells:
    """The cells of a folder in the order of their ids. Raises DataError where there are none."""
    measured = {line["id"]: line for line in read_lines(folder / CELL_LINES)}
    lines = [measured[each] for each in order if each in measured]
    if not lines:
        raise DataError("no cells were measured yet", where=str(folder))
    scores = {line["id"]: line["scores"] for line in read_lines(folder / SCORE_LINES)}
    names = sorted({name for each in scores.values() for name in each})
    rows = [
        dict(_flat(line)) | {f"score_{n}": scores.get(line["id"], {}).get(n) for n in names}
        for line in lines
    ]
    columns = dict.fromkeys(name for row in rows for name in row)
    even = [{name: row.get(name) for name in columns} for row in rows]
    return ProbedCells(even, files.read_json(folder / SETTINGS))


def write(table: ProbedCells, path: Path) -> None:
    """Write Parquet; its metadata hold ``settings`` and ``columns``, each as JSON."""
    import pyarrow
    from pyarrow import parquet

    metadata = {"settings": json.dumps(table.settings), "columns": json.dumps(COLUMNS)}
    written = pyarrow.Table.from_pylist(table.rows).replace_schema_metadata(metadata)
    out = io.BytesIO()
    parquet.write_table(written, out, compression="zstd")
    with files.atomic_writer(path) as stream:
        stream.write(out.getvalue())


def read(path: Path) -> ProbedCells:
    """A table that ``write`` wrote. Raises DataError for any other file."""
    import pyarrow
    from pyarrow import parquet

    try:
        found = parquet.read_table(path)
        settings = json.loads((found.schema.metadata or {})[b"settings"])
    except (OSError, pyarrow.ArrowException, KeyError, ValueError) as error:
        raise DataError(f"no table of NAS-Probe ({error})", where=str(path)) from error
    return ProbedCells(found.to_pylist(), settings)


def _flat(line: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The columns of a line but its scores."""
    for name in ("id", "name", "cell", "status"):
        yield name, line[name]
    yield "error", line.get("error")
    yield "nodes", line["nodes"]
    for letter in LETTERS:
        of_letter = (n for text, n in line["operations"].items() if text[0] == letter)
        yield f"op_{letter}", sum(of_letter)
    for way in WAYS:
        yield way, line["ways"].get(way, 0)
    reached = line.get("perplexity", {})
    yield "parameters", line.get("parameters", {}).get("contextual")
    yield "perplexity", reached.get("mean")
    yield "perplexity_forward", reached.get("forward")
    yield "perplexity_backward", reached.get("backward")
    yield "losses", line.get("losses")
    yield "train_seconds", line.get("train_seconds", {}).get("processor")
    yield "milliseconds", line.get("latency", {}).get("processor")
    for task, probed in line.get("probes", {}).items():
        plain = task.partition(".v")[0]
        for layer, edge in enumerate(probed["at_edge"]):
            for split in ("dev", "test"):
                yield f"{plain}_{split}_{layer}", probed[split][probed["metric"]][layer]
            yield f"{plain}_nats_{layer}", probed["test"]["cross_entropy_nats"][layer]
            yield f"{plain}_edge_{layer}", edge
