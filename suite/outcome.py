"""What a command that measures gives back, and the way through its encoders that all share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ..core import files
from ..core.errors import LayerwiseError
from ..results.collection import RECORDS
from ..results.records import Record, RecordFile


@dataclass(frozen=True)
class Outcome:
    """The records that were asked for, where they are kept, and the encoders that could not run.

    ``problems`` are lines of the file of records that had to be left out.
    """

    records: list[Record]
    folder: Path
    computed: int
    errors: dict[str, LayerwiseError]
    problems: list[str]


Measure = Callable[[str, dict[str, Record]], tuple[list[Record], Iterable[Record]]]
"""From an encoder's name and the good records there are, by id, to those of them that were asked
for and the missing ones, which are measured as they are drawn."""


def over_encoders(encoders: Iterable[str], folder: Path, measure: Measure) -> Outcome:
    """One encoder after another; each record is on the disk before the next is measured.

    An encoder that cannot run is an error of its own, and the others go on.
    """
    file = RecordFile(files.make_folder(folder) / RECORDS)
    records: list[Record] = []
    errors: dict[str, LayerwiseError] = {}
    computed = 0
    for name in encoders:
        try:
            recorded, missing = measure(name, file.good())
            records += recorded
            for record in missing:
                file.append(record)
                records.append(record)
                computed += 1
        except LayerwiseError as error:
            errors[name] = error
    problems = [str(problem) for problem in file.read().problems]
    return Outcome(records, folder, computed, errors, problems)
