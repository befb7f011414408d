"""``probe run``: the main job."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from ...core.errors import UsageError

FORMATS = ("terminal", "md", "csv", "latex", "json")


@click.command(name="run")
@click.option(
    "-e",
    "--encoder",
    multiple=True,
    help="NAME, NAME+random, hf:ORG/NAME, hf:./FOLDER, local:FOLDER. Repeatable.",
)
@click.option(
    "-t", "--task", multiple=True, help="pos, morph:FEATURE, deprel, coref ... Repeatable."
)
@click.option("-d", "--data", help="builtin (default), the name of a corpus, a folder or a file.")
@click.option("--split", help="given (default), or split anew by document or sentence.")
@click.option("--disjoint", help="Keep the splits' word forms (type) or lemmas (lemma) apart.")
@click.option("--layers", help="all (default), or 0,4,8-12, or -1 for the last.")
@click.option(
    "--probe",
    help="linear (default), a layer each; hyper-deep: calibrated ensembles over all layers, "
    "beside the single, seeds-only, bootstrap and other ensembles that they have to beat.",
)
@click.option("--controls", type=int, help="Control tasks a task, for selectivity (1).")
@click.option(
    "--control-encoders/--no-control-encoders",
    default=None,
    help="Rows for random weights, one-hot words and random word vectors too (the default).",
)
@click.option("--no-controls", is_flag=True, help="Neither control tasks nor control encoders.")
@click.option(
    "--codelength",
    type=int,
    is_flag=False,
    flag_value=1,
    help="Measure the online code length, in as many orders (1).",
)
@click.option(
    "--refits",
    type=int,
    help="Refits on resampled training sentences, two or more, for their spread.",
)
@click.option(
    "--train-targets",
    type=int,
    help="Learn from a sample of at most that many targets; 0 (default): from all.",
)
@click.option(
    "--span-pooling",
    help="A span's vector: mean (default), max, first, last, endpoints, attentive.",
)
@click.option("--subword-pooling", help="A word's vector: mean (default), first, last.")
@click.option("--context", help="What a word sees: its document (default) or its sentence.")
@click.option("--device", help="Where encoders run: cpu (default), cuda, cuda:1, mps.")
@click.option(
    "--batch-words",
    metavar="WORDS|auto",
    help="Words that go through an encoder at once (1024); auto: what is fastest, timed on the texts.",
)
@click.option("--batch-size", hidden=True)
@click.option("--workers", type=int, help="Workers that fit probes; 0 (default): one a processor.")
@click.option("--engine", help="Where they run: processes (default), threads, ray.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder for the records (runs/DATA)."
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="A TOML file of these settings; flags override it.",
)
@click.option(
    "--allow-download",
    is_flag=True,
    help="Let hf: models and hf-data: sets be fetched from the hub.",
)
@click.option("--dry-run", is_flag=True, help="Say what would run, and run nothing.")
@click.option("-f", "--format", "format_", type=click.Choice(FORMATS), help="The table's format.")
@click.option("--intervals", is_flag=True, help="Show 95 % intervals.")
@click.option("--strata", is_flag=True, help="Show the scores of each kind of target too.")
@click.option(
    "--speed", is_flag=True, help="Show each layer's time beside its scores (`probe time`)."
)
@click.pass_obj
def command(
    shared: dict[str, bool],
    /,
    config: Path | None,
    allow_download: bool,
    dry_run: bool,
    no_controls: bool,
    format_: str | None,
    intervals: bool,
    strata: bool,
    speed: bool,
    **given: Any,
) -> int:
    """Probe encoders on tasks, layer by layer, and print the table.

    What is recorded already is not computed again: the same command resumes a killed run.

    \b
    probe run --encoder transformer --task coref
    probe run -e minilm -e minilm+random -t pos -t morph:Number --data gum
    """
    from ..config import build

    if no_controls:
        if given["controls"]:
            raise UsageError("contradicts --controls", where="--no-controls", cure="give one")
        given["controls"] = 0
    given["batch_words"] = _batch_words(given["batch_words"], given.pop("batch_size"))
    if allow_download:
        os.environ["LAYERWISE_ALLOW_DOWNLOAD"] = "1"
    settings = build(given, config)

    from ..ensembling import is_ensemble

    ensembles = is_ensemble(settings)
    if ensembles and (strata or speed):
        raise UsageError(
            "ensembles have no such columns",
            where="--strata" if strata else "--speed",
            cure="leave it away, or take --probe linear",
        )
    if dry_run:
        from ._ensembles import dry_run as dry_run_of_ensembles

        return dry_run_of_ensembles(settings) if ensembles else _dry_run(settings)

    from ..pipeline import evaluate
    from ._ensembles import print_arms
    from ._outcome import report
    from ._tables import print_table

    outcome = evaluate(settings)
    if ensembles:
        return report(
            outcome,
            lambda records: print_arms(records, format_, intervals),
            verb="measured",
            debug=shared["debug"],
        )
    times = _times(outcome, speed)
    return report(
        outcome,
        lambda records: print_table(
            [*records, *times], format_, intervals, with_speed=speed, strata=strata
        ),
        verb="measured",
        debug=shared["debug"],
    )


def _batch_words(words: str | None, size: str | None) -> str | None:
    """``--batch-size auto`` is understood, but a number of texts is no number of words."""
    if size is None:
        return words
    if words is not None or size != "auto":
        raise UsageError(
            "batches are counted in words", where="--batch-size", cure="take --batch-words 1024"
        )
    return size


def _times(outcome: Any, speed: bool) -> list[Any]:
    """The times that `probe time` recorded in the run's folder, where they are asked for."""
    from ...results.collection import RECORDS
    from ...results.records import RecordFile
    from ...results.speed import split

    return split(RecordFile(outcome.folder / RECORDS).read().records)[1] if speed else []


def _dry_run(settings: Any) -> int:
    from ...encoders.base import Randomisable
    from ...encoders.store import Store
    from ...results.collection import RECORDS
    from ...results.records import RecordFile
    from ..control_encoders import rows_of
    from ..pipeline import plan
    from ..prepared import documents_of, prepare_tasks

    tasks = prepare_tasks(settings)
    for task in tasks:
        click.echo(f"{task.data.task}: {task.summary}")
    file = RecordFile(settings.folder() / RECORDS)
    documents = documents_of(tasks)
    store = Store()
    with_weights: set[str] = set()
    for row in rows_of(settings, with_weights.__contains__):
        planned = plan(settings, row, tasks, file.good())
        if isinstance(planned.encoder, Randomisable):
            with_weights.add(row.encoder)
        stored = sum(store.find(planned.encoder, read) is not None for read in documents)
        click.echo(
            f"{row.encoder}: {len(planned.encoder.layer_names)} layers x {planned.encoder.dim}, "
            f"{planned.encoder.parameters:,} parameters; encoded already {stored} of {len(documents)} "
            f"texts; units to measure {len(planned.missing)}, recorded {len(planned.recorded)}"
        )
    click.echo(f"records would go to {file.path}")
    return 0
