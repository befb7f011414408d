"""``probe table``: any field of records downwards, any across, a score in each cell."""

from __future__ import annotations

import sys
from pathlib import Path

import click

FORMATS = ("terminal", "md", "csv", "latex", "json", "parquet")


@click.command(name="table")
@click.argument("run", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--rows", default="encoder,layer", show_default=True, help="The fields downwards, with commas."
)
@click.option(
    "--columns",
    default="task",
    show_default=True,
    help="The fields across, with commas; '' for none.",
)
@click.option(
    "--metric",
    multiple=True,
    help="The score in the cells, or several with commas; by default each task's own.",
)
@click.option(
    "--where",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Only records that say so. Repeatable; one field with two values takes either.",
)
@click.option(
    "-f",
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    help="The table's format; by default that of the file's ending.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A file to write: .txt, .md, .csv, .tex, .json, .parquet.",
)
@click.option("--intervals", is_flag=True, help="Show 95 % intervals.")
@click.option("--strata", is_flag=True, help="Show the scores of each kind of target too.")
@click.option(
    "--speed", is_flag=True, help="Show each layer's time beside its scores (`probe time`)."
)
def command(
    run: tuple[Path, ...],
    rows: str,
    columns: str,
    metric: tuple[str, ...],
    where: tuple[str, ...],
    format_: str | None,
    output: Path | None,
    intervals: bool,
    strata: bool,
    speed: bool,
) -> int:
    """Lay out the records in RUN as a table: folders that `probe run` wrote, or JSONL files.

    A field is encoder, fingerprint, task, data, layer, layer_name, probe, seed or metric, or a
    dotted name: settings.context, facts.encoder.dim, provenance.platform. A metric is a score
    (accuracy, macro_f1), or a number by its dotted name: dev_scores.accuracy, counts.targets,
    chosen.l2, timing.fit_seconds, baselines.majority.accuracy.

    Seeds are averaged, and nothing else: where several units fall into one cell, the error says
    what they differ in. The best layer of each encoder and the best of all encoders are marked.

    \b
    probe table runs/builtin --rows layer --columns encoder --where task=pos
    probe table runs/builtin --rows task,encoder --columns layer --metric macro_f1
    probe table runs/a runs/b --rows encoder,settings.context,layer --intervals
    probe table runs/builtin --metric accuracy,counts.test_targets,chosen.l2 -o table.tex
    probe table runs/* --where encoder=lstm --where encoder=lstm+random -o table.parquet
    """
    from ...core.errors import UsageError
    from ...results import export
    from ...results.collection import load_results, names
    from ...results.fields import conditions
    from ...results.pivot import Layout, pivot

    if output is not None and format_ is None:
        format_ = export.format_of(output)
    if output is None and format_ == "parquet":
        raise UsageError(
            "is no text", where="--format parquet", cure="name a file: -o table.parquet"
        )
    layout = Layout(names(rows), names(columns), names(",".join(metric)), strata)
    found = load_results(*run)
    for problem in found.problems:
        click.echo(f"warning: {problem}", err=True)
    table = pivot(found.records, layout, conditions(where), with_speed=speed)
    if output is not None:
        export.write(table, output, format_, intervals)
        click.echo(f"{len(table.rows)} rows and {len(table.columns)} columns: {output}", err=True)
    elif format_ in (None, "terminal"):
        from ...results.terminal import to_terminal

        styled = sys.stdout.isatty()
        click.echo(to_terminal(table, intervals=intervals, styled=styled).rstrip("\n"))
    else:
        click.echo(export.to_text(table, format_, intervals).rstrip("\n"))
    return 0
