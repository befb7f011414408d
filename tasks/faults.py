"""One fault of a data file, as the parser tells it to whoever listens.

The reader raises at the first error; the checker collects them all. Both listen to one parser, so
that what the checker passes is what the reader reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from ..core.errors import DataError

Severity = Literal["error", "warning"]


class Fault(NamedTuple):
    """``line`` counts from 1; 0 means the file as a whole. ``kind`` is a short name to count by.

    A warning is something that the format forbids or that looks wrong, and that changes no label.
    """

    kind: str
    line: int
    sentence: str
    what: str
    cure: str = ""
    severity: Severity = "error"


Report = Callable[[Fault], None]


def place(name: str, line: int) -> str:
    """``FILE:LINE``, as errors name it."""
    return f"{name}:{line}" if line else name


def raising(name: str, counts: dict[str, int]) -> Report:
    """A listener that raises DataError at an error and counts warnings under their kind."""

    def report(fault: Fault) -> None:
        if fault.severity == "error":
            what = f"sentence {fault.sentence}: {fault.what}" if fault.sentence else fault.what
            raise DataError(what, where=place(name, fault.line), cure=fault.cure)
        counts[fault.kind] = counts.get(fault.kind, 0) + 1

    return report
