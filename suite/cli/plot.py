"""``probe plot``: pictures of what was measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ...results.panels import Picture
    from ...results.records import Record

KINDS = ("layers", "heat", "pareto", "selectivity", "codelength", "mix")
_WITH_METRIC = ("layers", "heat", "pareto", "codelength")


@click.command(name="plot")
@click.argument("kind", metavar="KIND", type=click.Choice(KINDS))
@click.argument("run", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="A file that ends in .png, .svg or .pdf. Repeatable.",
)
@click.option("-e", "--encoder", multiple=True, help="Only these encoders. Repeatable.")
@click.option("-t", "--task", multiple=True, help="Only these tasks. Repeatable.")
@click.option(
    "--metric",
    help="The score to draw, by default each task's own; for codelength: codelength_bits or compression.",
)
@click.option("--relative", is_flag=True, help="layers: along depth from 0 to 1.")
def command(
    kind: str,
    run: tuple[Path, ...],
    output: tuple[Path, ...],
    encoder: tuple[str, ...],
    task: tuple[str, ...],
    metric: str | None,
    relative: bool,
) -> int:
    """Draw the records in RUN: folders that `probe run` wrote, or JSONL files.

    \b
    layers       scores by layer, a panel a task
    heat         scores as numbers on colours, encoders against layers
    pareto       scores against the time to reach the layer (`probe time`)
    selectivity  scores by layer beside those of the control task
    codelength   code lengths by layer (`probe run --codelength`)
    mix          weights of scalar mixes (`probe mix`)

    \b
    probe plot layers runs/gum -o layers.pdf
    probe plot pareto runs/gum runs/speed -t pos -o cost.svg -o cost.png

    Prints a sentence that says what the picture shows; the file holds it too.
    """
    from ...core.errors import UsageError
    from ...results.escaping import visible
    from ...results.picture import check_ending
    from ._records import chosen, read

    for path in output:
        check_ending(path)
    if metric is not None and kind not in _WITH_METRIC:
        raise UsageError(
            f"{kind} has no choice of metric",
            where="--metric",
            cure="leave it out, or draw " + ", ".join(_WITH_METRIC),
        )
    if relative and kind != "layers":
        raise UsageError(f"{kind} is not along depth", where="--relative", cure="draw layers")
    records = chosen(read(run), encoder, task)
    picture = _drawer(kind, metric, relative)(records)
    for line in picture.left_out:
        click.echo(f"warning: {visible(line)}", err=True)
    for path in output:
        picture.write(path)
    click.echo(visible(picture.summary))
    return 0


def _drawer(kind: str, metric: str | None, relative: bool) -> Callable[[list[Record]], Picture]:
    if kind == "heat":
        from ...results.layer_heat_map import layer_heat_map

        return lambda records: layer_heat_map(records, metric=metric)
    if kind == "pareto":
        from ...results.pareto import pareto

        return lambda records: pareto(records, metric=metric)
    if kind == "mix":
        from ...results.mix_weights import mix_weights

        return mix_weights
    if kind in ("selectivity", "codelength"):
        from ...results.selectivity_curve import code_length, selectivity

        if kind == "selectivity":
            return selectivity
        return lambda records: code_length(records, metric=metric or "codelength_bits")
    from ...results.layer_curves import layer_curves

    return lambda records: layer_curves(records, metric=metric, relative=relative)
