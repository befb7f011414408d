"""Printing records as a table, for every command that shows one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from ...results import render, speed, table, terminal
from ...results.records import Record

FORMATS = ("terminal", "md", "csv", "latex", "json")


def print_table(
    records: Sequence[Record],
    format_: str | None,
    intervals: bool,
    *,
    with_speed: bool = False,
    strata: bool = False,
) -> None:
    """What layers know, of which targets, and beside what they cost where that is asked for.

    Records of times alone make a table of times.
    """
    scores, costs = speed.split(records)
    if costs and not scores:
        return print_speed(costs, format_, intervals)
    built = table.build(scores, strata=strata)
    _print(speed.beside(built, records) if with_speed else built, format_, intervals)


def print_speed(records: Sequence[Record], format_: str | None, quartiles: bool) -> None:
    """What layers cost."""
    _print(speed.build(records), format_, quartiles)


def _print(built: table.Table, format_: str | None, intervals: bool) -> None:
    """To the output, in a named format, by default as the terminal shows it best."""
    renderers = {
        "md": render.to_markdown,
        "csv": render.to_csv,
        "latex": render.to_latex,
        "json": render.to_json,
    }
    if format_ in renderers:
        click.echo(renderers[format_](built, intervals).rstrip("\n"))
        return
    styled = sys.stdout.isatty()
    click.echo(terminal.to_terminal(built, intervals=intervals, styled=styled).rstrip("\n"))
