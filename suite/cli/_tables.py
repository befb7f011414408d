"""Printing records as a table, for every command that shows one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from ...results import render, table, terminal
from ...results.records import Record

FORMATS = ("terminal", "md", "csv", "latex", "json")


def print_table(records: Sequence[Record], format_: str | None, intervals: bool) -> None:
    """To the output, in a named format, by default as the terminal shows it best."""
    built = table.build(records)
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
