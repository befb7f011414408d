"""The end of every command that measures: what could not be read or run, and the exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from ...results.records import Record
from ..outcome import Outcome
from . import complain


def report(
    outcome: Outcome, show: Callable[[Sequence[Record]], None], *, verb: str, debug: bool
) -> int:
    """Show the records where there are any, say what was wrong, and return the exit code.

    ``verb`` is what was done to the records that are new: ``measured``. 0: all went well, 1: a
    unit failed, else the exit code of the gravest encoder that could not run.
    """
    for problem in outcome.problems:
        click.echo(f"warning: {problem}", err=True)
    if outcome.records:
        show(outcome.records)
        before = len(outcome.records) - outcome.computed
        click.echo(
            f"{outcome.computed} {verb} now, {before} recorded before; records: {outcome.folder}",
            err=True,
        )
    for error in outcome.errors.values():
        complain(error, debug=debug)
    if outcome.errors:
        return max(error.exit_code for error in outcome.errors.values())
    return int(any(record.status == "failed" for record in outcome.records))
