"""The options of strategies, held to their limits."""

from __future__ import annotations

from ....core.errors import UsageError


def require(holds: bool, option: str, value: object, cure: str) -> None:
    """Raise UsageError unless the option's value ``holds``."""
    if not holds:
        raise UsageError(f"{option} {value} is not possible", where="strategy", cure=cure)
