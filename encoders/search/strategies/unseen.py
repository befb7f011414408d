"""Candidates that were not asked about before."""

from __future__ import annotations

from collections.abc import Callable, Container

NEAR = 100
"""How often a small change is drawn before the neighbourhood counts as seen."""

ANYWHERE = 5_000
"""How often a candidate is drawn at random before the space counts as seen."""


def draw_unseen(draw: Callable[[], str], seen: Container[str], tries: int) -> str | None:
    """The first that ``draw`` gives and that is not ``seen``; None after so many ``tries``."""
    for _ in range(tries):
        candidate = draw()
        if candidate not in seen:
            return candidate
    return None
