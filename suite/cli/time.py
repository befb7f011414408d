"""``probe time``: what encoders cost, layer by layer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from . import complain

FORMATS = ("terminal", "md", "csv", "latex", "json")


@click.command(name="time")
@click.option(
    "-e",
    "--encoder",
    multiple=True,
    help="NAME, NAME+random, hf:ORG/NAME, hf:./FOLDER, local:FOLDER. Repeatable.",
)
@click.option("--batch-size", default="1,64", show_default=True, help="Texts at once.")
@click.option("--length", default="20,128,512", show_default=True, help="Words a text.")
@click.option("--repeats", default=10, show_default=True, help="Measurements of each.")
@click.option(
    "-d", "--data", default="builtin", show_default=True, help="Where the words come from."
)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:1.")
@click.option("--subword-pooling", default="mean", show_default=True, help="mean, first, last.")
@click.option("--context", default="document", show_default=True, help="document or sentence.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder for the records (runs/DATA)."
)
@click.option("--again", is_flag=True, help="Measure what is recorded already, too.")
@click.option(
    "--allow-download",
    is_flag=True,
    help="Let hf: models and hf-data: sets be fetched from the hub.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be measured, and measure nothing.")
@click.option("-f", "--format", "format_", type=click.Choice(FORMATS), help="The table's format.")
@click.option("--quartiles", is_flag=True, help="Show the lower and the upper quartile.")
@click.pass_obj
def command(
    shared: dict[str, bool],
    /,
    batch_size: str,
    length: str,
    allow_download: bool,
    dry_run: bool,
    format_: str | None,
    quartiles: bool,
    **given: Any,
) -> int:
    """Time encoders on texts of so many words, so many at once, and print the table.

    A layer's time is that of reaching it, characters or subwords to states; tokenisation and
    alignment are no part of it. What is recorded already is not measured again. `probe show RUN
    --speed` sets the times beside what the layers know.

    \b
    probe time --encoder transformer --encoder minilm
    probe time -e transformer --batch-size 1,64 --length 20 --device cuda
    """
    from ..timing import TimeConfig, evaluate
    from ._outcome import report
    from ._tables import print_speed

    if allow_download:
        os.environ["LAYERWISE_ALLOW_DOWNLOAD"] = "1"
    settings = TimeConfig(
        batch_size=_numbers("--batch-size", batch_size),
        length=_numbers("--length", length),
        **given,
    )
    if dry_run:
        return _dry_run(settings, shared["debug"])
    return report(
        evaluate(settings),
        lambda records: print_speed(records, format_, quartiles),
        verb="measured",
        debug=shared["debug"],
    )


def _numbers(flag: str, text: str) -> tuple[int, ...]:
    """``1,64`` -> (1, 64)."""
    from ...core.errors import UsageError

    parts = text.split(",")
    for part in parts:
        if not (part.strip().isascii() and part.strip().isdigit() and len(part) < 10):
            raise UsageError(f"{part!r} is no number", where=flag, cure="write them like 1,64")
    return tuple(int(part) for part in parts)


def _dry_run(settings: Any, debug: bool) -> int:
    from ..timing import plan

    planned = plan(settings)
    click.echo(f"{planned.clock.hardware}; words of {settings.data}; {settings.repeats} repeats")
    for batch, encoders in planned.missing:
        click.echo(f"to measure on {batch}: {', '.join(encoder.name for encoder in encoders)}")
    click.echo(f"{len(planned.recorded)} recorded; records would go to {planned.file.path}")
    for error in planned.errors.values():
        complain(error, debug=debug)
    return max((error.exit_code for error in planned.errors.values()), default=0)
