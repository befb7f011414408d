"""``probe show``: the table of what was measured."""

from __future__ import annotations

from pathlib import Path

import click

FORMATS = ("terminal", "md", "csv", "latex", "json")


@click.command(name="show")
@click.argument("run", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-e", "--encoder", multiple=True, help="Only these encoders.")
@click.option("-t", "--task", multiple=True, help="Only these tasks.")
@click.option("-f", "--format", "format_", type=click.Choice(FORMATS), help="The table's format.")
@click.option("--intervals", is_flag=True, help="Show 95 % intervals.")
@click.option("--strata", is_flag=True, help="Show the scores of each kind of target too.")
@click.option(
    "--speed", is_flag=True, help="Show each layer's time beside its scores (`probe time`)."
)
def command(
    run: tuple[Path, ...],
    encoder: tuple[str, ...],
    task: tuple[str, ...],
    format_: str | None,
    intervals: bool,
    strata: bool,
    speed: bool,
) -> int:
    """Print the table of the records in RUN: folders that `probe run` wrote, or JSONL files."""
    from ...core.errors import DataError, UsageError, did_you_mean
    from ...results.records import RecordFile
    from ...results.speed import TASK
    from ..outcome import RECORDS
    from ._tables import print_table

    records = []
    for path in run:
        file = path / RECORDS if path.is_dir() else path
        if not file.exists():
            raise DataError("no records here", where=str(path), cure="`probe run` makes them")
        found = RecordFile(file).read()
        for problem in found.problems:
            click.echo(f"warning: {problem}", err=True)
        records += found.records
    for flag, asked, known in (
        ("--encoder", encoder, {record.key.encoder for record in records}),
        ("--task", task, {record.key.task.rpartition(".")[0] for record in records}),
    ):
        for name in asked:
            if name not in known:
                raise UsageError(
                    f"no records of {name!r}", where=flag, cure=did_you_mean(name, known)
                )
    chosen = [
        record
        for record in records
        if (not encoder or record.key.encoder in encoder)
        and (
            not task
            or record.key.task.rpartition(".")[0] in task
            or (speed and record.key.task == TASK)
        )
    ]
    print_table(chosen, format_, intervals, with_speed=speed, strata=strata)
    return 0
