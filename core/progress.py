"""Progress bars on the error stream; nothing at all when that is not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


_silent = False


def silence() -> None:
    """No bars from now on."""
    global _silent
    _silent = True


def is_shown() -> bool:
    """Whether anyone is looking: a terminal, and not silenced."""
    return sys.stderr.isatty() and not _silent


def say(line: str) -> None:
    """A line on the error stream, unless silenced."""
    if not _silent:
        print(line, file=sys.stderr, flush=True)


@contextmanager
def bar(description: str, total: float | None) -> Iterator[Callable[[float, str], None]]:
    """A bar that is moved by calling what the block gets: ``advance(steps, note)``.

    Without a total it only shows that something goes on.
    """
    if not is_shown():
        yield _unseen
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(description, total=total, note="")

        def advance(steps: float, note: str = "") -> None:
            progress.update(task, advance=steps, note=note)

        yield advance


def _unseen(steps: float, note: str) -> None:
    pass


def track(items: Iterable[T], description: str, total: int | None) -> Iterator[T]:
    """The items, with a bar that moves by one after each."""
    with bar(description, total) as advance:
        for item in items:
            yield item
            advance(1, "")
