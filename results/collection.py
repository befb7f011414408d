"""Records of one or several runs, as Python hands them out: as a frame, a table, a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import DataError, UsageError
from .export import to_html, to_text, write
from .frame import frame, tidy
from .pivot import Layout, pivot
from .records import Record, RecordFile
from .table import Table

if TYPE_CHECKING:
    import pandas

RECORDS = "records.jsonl"
"""The file of records in a run's folder."""

Names = str | Sequence[str]


@dataclass(frozen=True)
class ShownTable:
    """A table that prints itself, in a terminal as in a notebook; ``table`` holds the numbers."""

    table: Table
    intervals: bool = False

    def to(self, format: str) -> str:
        """The table as text: ``terminal``, ``md``, ``csv``, ``latex`` or ``json``."""
        return to_text(self.table, format, self.intervals)

    def save(self, path: str | Path, format: str | None = None) -> None:
        """Write a file, by default in the format of its ending, ``.parquet`` among them."""
        write(self.table, Path(path), format, self.intervals)

    def __repr__(self) -> str:
        return self.to("terminal").rstrip("\n")

    def _repr_html_(self) -> str:
        return to_html(self.table, self.intervals)


@dataclass(frozen=True)
class Results:
    """Records, in the order in which they were measured first.

    ``problems`` are lines about what is not among them: damaged lines of files, records that a
    later file replaces, encoders that could not run. A unit that failed is a record, whose
    ``status`` says so.
    """

    records: tuple[Record, ...]
    problems: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        encoders = {record.key.encoder for record in self.records}
        tasks = {record.key.task for record in self.records}
        failed = sum(record.status == "failed" for record in self.records)
        return (
            f"<Results: {len(self)} records ({failed} failed), {len(encoders)} encoders, "
            f"{len(tasks)} tasks; {len(self.problems)} problems>"
        )

    def _repr_html_(self) -> str:
        """The table of all records, or, where fields must be named for one, a line that says so."""
        from html import escape

        try:
            return self.table()._repr_html_()
        except (DataError, UsageError) as error:
            return f"<p>{escape(repr(self))}</p><p>{escape(str(error))}</p>"

    def frame(self, *, wide: bool = False) -> pandas.DataFrame:
        """A pandas frame of one row a score, with the columns of ``frame.tidy``.

        ``wide``: of one row a record, with all that it says, in the columns of ``frame.frame``.
        """
        from pandas import DataFrame

        return DataFrame((frame if wide else tidy)(self.records))

    def table(
        self,
        rows: Names = ("encoder", "layer"),
        columns: Names = ("task",),
        metric: Names = (),
        *,
        where: Mapping[str, object] | None = None,
        intervals: bool = False,
        strata: bool = False,
        speed: bool = False,
    ) -> ShownTable:
        """The pivot of the records (``pivot.pivot``), as ``probe table`` shows it.

        Several names are a sequence, or one text with commas. ``where`` gives a value, or a list
        of values, for each field: ``{"task": ["pos", "coref"], "layer": 2}``.
        """
        layout = Layout(names(rows), names(columns), names(metric), strata)
        asked = {name: _texts(value) for name, value in (where or {}).items()}
        return ShownTable(pivot(self.records, layout, asked, with_speed=speed), intervals)


def load_results(*paths: str | Path) -> Results:
    """The records in folders that runs wrote, or in JSONL files.

    A later record of a unit replaces an earlier one. Raises DataError where a path has no records,
    or records of a newer schema.
    """
    if not paths:
        raise UsageError("no path is given", where="load_results", cure="give a run's folder")
    records: dict[str, Record] = {}
    problems: list[str] = []
    for path in map(Path, paths):
        file = path / RECORDS if path.is_dir() else path
        if not file.exists():
            raise DataError("no records here", where=str(path), cure="`probe run` makes them")
        found = RecordFile(file).read()
        problems += map(str, found.problems)
        replaced = sum(r.id in records and records[r.id] != r for r in found.records)
        if replaced:
            problems.append(f"{file}: {replaced} of its records replace other ones of their units")
        records |= {record.id: record for record in found.records}
    return Results(tuple(records.values()), tuple(problems))


def names(given: Names) -> tuple[str, ...]:
    """Names from a sequence of them, or from one text with commas."""
    if isinstance(given, str):
        return tuple(name.strip() for name in given.split(",") if name.strip())
    return tuple(given)


def _texts(value: object) -> tuple[str, ...]:
    """Values as ``fields.select`` reads them."""
    several = value if isinstance(value, list | tuple | set | frozenset) else (value,)
    return tuple(_text(each) for each in several)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
