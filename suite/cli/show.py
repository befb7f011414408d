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
    from ...results.speed import TASK
    from ._records import chosen, read
    from ._tables import print_table

    records = [
        record
        for record in chosen(read(run), encoder, task)
        if record.key.task != TASK or speed or not task or "speed" in task
    ]
    print_table(records, format_, intervals, with_speed=speed, strata=strata)
    return 0
