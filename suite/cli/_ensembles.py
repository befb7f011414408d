"""Printing what ensembles of probes score, an arm a row, and what a run of them would measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ...results.records import Record
from . import complain

if TYPE_CHECKING:
    from ..config import RunConfig

_SCORES = (
    "tempered_nats",
    "cross_entropy_nats",
    "tempered_brier",
    "calibration_error",
    "tempered_calibration_error",
    "accuracy",
    "accuracy_at_80",
)


def print_arms(records: Sequence[Record], format_: str | None, intervals: bool) -> None:
    """Encoders, tasks and arms downwards, scores on test across."""
    import sys

    from ...results import export
    from ...results.pivot import Layout, pivot
    from ...results.terminal import to_terminal

    good = [record for record in records if record.status == "ok"]
    if good:
        built = pivot(good, Layout(("encoder", "task", "settings.arm"), (), _SCORES), {})
        if format_ in (None, "terminal"):
            text = to_terminal(built, intervals=intervals, styled=sys.stdout.isatty())
        else:
            text = export.to_text(built, format_, intervals)
        click.echo(text.rstrip("\n"))
        if format_ in (None, "terminal"):
            click.echo(
                "tempered_...: after a temperature fitted on the half of dev that chose nothing; "
                "no control tasks or encoders"
            )
    for record in records:
        if record.status == "failed":
            arm = record.key.settings["arm"]
            complain(f"{record.key.encoder}, {record.key.task}, {arm}: {record.error}")


def dry_run(config: RunConfig) -> int:
    """Say what would be measured."""
    from ...results.collection import RECORDS
    from ...results.records import RecordFile
    from ..ensembling import plan, prepare

    tasks = prepare(config)
    for task in tasks:
        click.echo(f"{task.data.task}: {task.summary}")
    file = RecordFile(config.folder() / RECORDS)
    for name in config.encoder:
        planned = plan(config, name, tasks, file.good())
        missing = sum(len(keys) for keys, _ in planned.missing)
        click.echo(
            f"{name}: ensembles over {len(planned.layers)} layers x {planned.encoder.dim}; "
            f"arms to measure {missing}, recorded {len(planned.recorded)}"
        )
    click.echo(f"records would go to {file.path}")
    return 0
