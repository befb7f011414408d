"""``probe compare``: is one encoder better than another, or one layer than another?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import click

FORMATS = ("terminal", "md", "csv", "json")


@click.command(name="compare")
@click.argument("run", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--a",
    "first",
    required=True,
    metavar="ENCODER[@LAYER]",
    help="One side: an encoder of RUN, or one layer of it.",
)
@click.option(
    "--b",
    "second",
    metavar="ENCODER[@LAYER]",
    help="The other side, of the second RUN where there are two; by default as --a.",
)
@click.option("-t", "--task", multiple=True, help="Only these tasks. Repeatable.")
@click.option(
    "--layers",
    type=click.Choice(["best", "all"]),
    default="best",
    show_default=True,
    help="The best layer of each side by its score on dev, or each with that of its number.",
)
@click.option(
    "--correction",
    type=click.Choice(["holm", "bh", "none"]),
    default="holm",
    show_default=True,
    help="How p-values of several comparisons are adjusted; bh: Benjamini-Hochberg.",
)
@click.option(
    "-f", "--format", "format_", type=click.Choice(FORMATS), default="terminal", show_default=True
)
def command(
    run: tuple[Path, ...],
    first: str,
    second: str | None,
    task: tuple[str, ...],
    layers: Literal["best", "all"],
    correction: str,
    format_: str,
) -> int:
    """Compare two encoders, or two layers, on the same test targets.

    RUN is a folder that `probe run` wrote. With two of them, --a is in the first and --b in the
    second.

    \b
    probe compare runs/gum --a transformer --b lstm
    probe compare runs/gum --a transformer --b transformer@0 --layers all
    probe compare runs/before runs/after --a local:model -t coref -f json
    """
    from ...core.errors import UsageError
    from ...results import comparison_table
    from ..compare import compare
    from ..compared_system import read_system

    if len(run) > 2:
        raise UsageError(f"{len(run)} runs", where="RUN", cure="give one or two")
    if second is None and len(run) == 1:
        raise UsageError("is missing", where="--b", cure="name the encoder to compare with")
    sides = read_system(run[0], first, "--a"), read_system(run[-1], second or first, "--b")
    for problem in dict.fromkeys([*sides[0].problems, *sides[1].problems]):
        click.echo(f"warning: {problem}", err=True)
    table = compare(*sides, tasks=task, layers=layers, correction=correction)
    if format_ in comparison_table.FORMATS:
        click.echo(comparison_table.FORMATS[format_](table), nl=False)
    else:
        styled = sys.stdout.isatty()
        click.echo(comparison_table.to_terminal(table, styled=styled), nl=False)
    return 0
