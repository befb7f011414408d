"""``probe loss-curve``: the loss of trainings as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command(name="loss-curve")
@click.argument("run", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="A file that ends in .png, .svg or .pdf. Repeatable.",
)
@click.option(
    "--by",
    type=click.Choice(["words", "steps", "minutes"]),
    default="words",
    show_default=True,
    help="What the curves go along.",
)
def command(run: tuple[Path, ...], output: tuple[Path, ...], by: Any) -> int:
    """Draw the loss of each RUN, a folder of `probe pretrain` or its log, all in one picture."""
    from ...encoders.training_log import LOG
    from ...results.loss_curve import draw, read_curve

    logs = [path / LOG if path.is_dir() else path for path in run]
    curves = [
        read_curve(log, log.resolve().parent.name if log.name == LOG else log.stem, by)
        for log in logs
    ]
    draw(curves, output, by)
    return 0
