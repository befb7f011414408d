"""Reading records for the commands that show or draw them."""

from __future__ import annotations

from pathlib import Path

import click

from ...core.errors import DataError, UsageError, did_you_mean
from ...results.collection import RECORDS
from ...results.records import Record, RecordFile
from ...results.speed import TASK


def read(run: tuple[Path, ...]) -> list[Record]:
    """The records of folders that `probe run` wrote, or of JSONL files; damaged lines are told."""
    records = []
    for path in run:
        file = path / RECORDS if path.is_dir() else path
        if not file.exists():
            raise DataError("no records here", where=str(path), cure="`probe run` makes them")
        found = RecordFile(file).read()
        for problem in found.problems:
            click.echo(f"warning: {problem}", err=True)
        records += found.records
    return records


def chosen(
    records: list[Record], encoders: tuple[str, ...], tasks: tuple[str, ...]
) -> list[Record]:
    """Those of the encoders and tasks asked for; times belong to every task."""
    for flag, asked, known in (
        ("--encoder", encoders, {record.key.encoder for record in records}),
        ("--task", tasks, {record.key.task.rpartition(".")[0] for record in records}),
    ):
        for name in asked:
            if name not in known:
                raise UsageError(
                    f"no records of {name!r}", where=flag, cure=did_you_mean(name, known)
                )
    return [
        record
        for record in records
        if (not encoders or record.key.encoder in encoders)
        and (not tasks or record.key.task == TASK or record.key.task.rpartition(".")[0] in tasks)
    ]
