"""``probe contextuality``: how much of a layer is the word's form, how much its context."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

FORMATS = ("terminal", "md", "csv", "latex", "json")


@click.command(name="contextuality")
@click.option(
    "-e", "--encoder", multiple=True, help="As in `probe run`; `probe list encoders`. Repeatable."
)
@click.option("-d", "--data", help="builtin (default), the name of a corpus, a folder or a file.")
@click.option("--layers", help="all (default), or 0,4,8-12, or -1 for the last.")
@click.option("--subword-pooling", help="A word's vector: mean (default), first, last.")
@click.option("--context", help="What a word sees: its document (default) or its sentence.")
@click.option("--device", help="Where encoders run: cpu (default), cuda, cuda:1, mps.")
@click.option("--batch-words", type=int, help="Words that go through an encoder at once (1024).")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder for the records (runs/DATA)."
)
@click.option(
    "--allow-download",
    is_flag=True,
    help="Let hf: models and hf-data: sets be fetched from the hub.",
)
@click.option("-f", "--format", "format_", type=click.Choice(FORMATS), help="The table's format.")
@click.option("--intervals", is_flag=True, help="Show 95 % intervals.")
@click.pass_obj
def command(
    shared: dict[str, bool],
    /,
    allow_download: bool,
    format_: str | None,
    intervals: bool,
    **given: Any,
) -> int:
    """Compare the vectors of a word form in all its contexts, layer by layer.

    The measures of Ethayarajh 2019, each above what random words give, and the share of variance
    between word forms. Nothing is fitted, so that all text of the data is used.

    \b
    probe contextuality --encoder transformer --encoder onehot --intervals
    """
    if allow_download:
        os.environ["LAYERWISE_ALLOW_DOWNLOAD"] = "1"
    from ..config import build
    from ..contextuality import MEASURES, evaluate
    from ._outcome import report
    from ._tables import print_table

    outcome = evaluate(build({**given, "task": tuple(MEASURES)}))
    return report(
        outcome,
        lambda records: print_table(records, format_, intervals),
        verb="measured",
        debug=shared["debug"],
    )
