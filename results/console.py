"""Plain text by rich: exactly what is given, with no markup, no emoji and no guessing."""

from __future__ import annotations

from typing import IO, Literal

from rich.console import Console


def console(
    out: IO[str], width: int, *, colours: Literal["standard", "truecolor"] | None
) -> Console:
    """A console of ``width`` columns. ``colours`` is rich's colour system; None: no escapes."""
    return Console(
        file=out,
        width=width,
        force_terminal=colours is not None,
        color_system=colours,
        no_color=colours is None,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )
