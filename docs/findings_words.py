"""How names and numbers are written on ``findings.md``."""

from __future__ import annotations


def plain(task: str) -> str:
    """``pos`` of ``pos.v1``."""
    return task.partition(".v")[0]


def short(value: float) -> str:
    """``.929``: three places, and no 0 before the point."""
    return f"{value:.3f}".removeprefix("0")
