"""The page of a run: records, what is kept beside them, and the commands that make them again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..core.errors import DataError, UsageError, did_you_mean
from ..results.collection import RECORDS
from ..results.predictions import read_predictions
from ..results.records import Record, RecordFile
from ..results.report.errors_in_context import Kept
from ..results.report.page import page
from ..results.targets import TestTargets, read_targets
from .rerun import commands_of


class Runs(NamedTuple):
    """The records of several runs, the folder of each record, and lines that were left out."""

    records: list[Record]
    folders: dict[str, Path]
    problems: list[str]


def read_runs(paths: Sequence[Path]) -> Runs:
    """Records of folders that `probe run` wrote, or of JSONL files; the later of two counts."""
    records: dict[str, Record] = {}
    folders: dict[str, Path] = {}
    problems: list[str] = []
    for path in paths:
        file = path / RECORDS if path.is_dir() else path
        if not file.exists():
            raise DataError("no records here", where=str(path), cure="`probe run` makes them")
        found = RecordFile(file).read()
        problems += map(str, found.problems)
        records |= {record.id: record for record in found.records}
        folders |= {record.id: file.parent for record in found.records}
    return Runs(list(records.values()), folders, problems)


def report(runs: Runs, encoders: Sequence[str] = (), tasks: Sequence[str] = ()) -> str:
    """The page of those encoders and tasks, of all by default; times of the encoders come along.

    Raises UsageError for a name that no record has, DataError where nothing was scored.
    """
    known = {record.key.encoder for record in runs.records}
    bare = {_bare(record) for record in runs.records}
    for flag, asked, there in (("--encoder", encoders, known), ("--task", tasks, bare)):
        for name in asked:
            if name not in there:
                cure = did_you_mean(name, there)
                raise UsageError(f"no records of {name!r}", where=flag, cure=cure)
    chosen = [
        record
        for record in runs.records
        if (not encoders or record.key.encoder in encoders)
        and (not tasks or _bare(record) in {*tasks, "speed"})
    ]
    return page(chosen, _Beside(runs.folders), commands_of(chosen), runs.problems)


class _Beside:
    """Finds what is kept beside a record; the targets of a task are read once."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self._folders = folders
        self._targets: dict[tuple[Path, str], TestTargets | None] = {}

    def __call__(self, record: Record) -> Kept | None:
        folder, data = self._folders[record.id], record.key.data_hash
        if (folder, data) not in self._targets:
            self._targets[folder, data] = read_targets(folder, data)
        targets = self._targets[folder, data]
        predictions = None if targets is None else read_predictions(folder, record.id)
        return None if targets is None or predictions is None else Kept(predictions, targets)


def _bare(record: Record) -> str:
    return record.key.task.rpartition(".")[0]
