"""``probe report``: all of a run on one page."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(name="report")
@click.argument("run", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-e", "--encoder", multiple=True, help="Only these encoders. Repeatable.")
@click.option("-t", "--task", multiple=True, help="Only these tasks. Repeatable.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("report.html"),
    show_default=True,
    help="The page.",
)
def command(
    run: tuple[Path, ...], encoder: tuple[str, ...], task: tuple[str, ...], output: Path
) -> int:
    """Write one page of RUN: tables, pictures, mistakes in their context, provenance.

    RUN is a folder that `probe run` wrote, or a JSONL file of records. The page is a single file
    of about 5 MB, most of it the library that draws, and works without a network. It holds words
    of the test targets: share it where you may share the data.

    \b
    probe report runs/gum -o gum.html
    probe report runs/gum runs/ewt -e transformer -t pos
    """
    from ...core.files import write_text
    from ..report import read_runs, report

    runs = read_runs(run)
    for problem in runs.problems:
        click.echo(f"warning: {problem}", err=True)
    page = report(runs, encoder, task)
    write_text(output, page)
    click.echo(f"{len(runs.records):,} records, {len(page.encode()) / 1e6:.1f} MB: {output}")
    return 0
