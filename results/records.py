"""The record of one measured unit, and the file of records: the truth that tables are drawn from.

A unit is one encoder, task, data, layer, probe, seed and settings. Its record is one line of
strict JSON in a file that is only ever appended to.
"""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from ..core.errors import DataError
from ..core.files import append_line

SCHEMA_VERSION = 1
_LONGEST_REASON = 200


def _plain(value: Any, info: ValidationInfo) -> Any:
    """Tuples to lists, numpy numbers to Python's; refuses what strict JSON cannot hold."""
    try:
        text = json.dumps(value, default=_simpler, allow_nan=False, ensure_ascii=False)
        text.encode("utf-8")
    except TypeError as error:
        raise ValueError(f"no JSON value: {error}") from error
    return value if info.mode == "json" else json.loads(text)


def _simpler(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if callable(getattr(value, "item", None)):
        return value.item()
    raise TypeError(type(value).__name__)


def _encodable(value: Any) -> Any:
    # The text of an error may quote a file name that is not Unicode.
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


Scores = dict[str, float]
Json = Annotated[dict[str, JsonValue], BeforeValidator(_plain)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Interval(_Strict):
    """An interval of a score at a confidence in (0, 1), and what it was drawn from."""

    low: float
    high: float
    confidence: float = Field(gt=0, lt=1)
    clusters: int = Field(ge=2)
    replicates: int = Field(ge=1)

    @model_validator(mode="after")
    def _ordered(self) -> Interval:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


class Key(_Strict):
    """All that a unit's numbers depend on; two units with one key are the same unit.

    ``task`` and ``probe`` are versioned names (``pos.v1``, ``linear.v1``), ``fingerprint`` the
    encoder's content hash, ``data`` the corpus's name, ``data_hash`` the sha256 over text and
    targets of the splits, ``layer`` counts from 0 (context-free). ``settings`` holds whatever
    else changes a number: pooling, context, the grid of penalties.
    """

    encoder: str
    fingerprint: str
    task: str
    data: str
    data_hash: str
    layer: int
    probe: str
    seed: int
    settings: dict[str, bool | int | float | str] = {}

    @property
    def id(self) -> str:
        """The first 16 hex digits of the sha256 of the key's canonical JSON."""
        canonical = json.dumps(self.model_dump(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]


class Record(_Strict):
    """What was measured for one unit, or why it failed.

    ``metric`` names the score that tables show, ``interval`` is its interval (None: unknown);
    ``scores`` are those on the test split, or, where nothing is fitted, on the splits that
    ``facts`` names as ``scored_on``. ``layers`` is the encoder's number of layers, layer 0
    included. ``counts`` says what the scores stand on, ``chosen`` what was fitted or selected
    (penalty, convergence), ``baselines`` holds other ways' scores by name, ``facts`` the task's
    and the data's, ``timing`` seconds. Every number is finite; ``id`` follows from ``key``.
    """

    schema_version: Literal[1] = 1
    key: Key
    id: str = Field(default_factory=lambda data: data["key"].id)
    layer_name: str
    layers: int
    status: Literal["ok", "failed"]
    error: Annotated[str | None, BeforeValidator(_encodable)] = None
    metric: str
    scores: Scores = {}
    dev_scores: Scores = {}
    interval: Interval | None = None
    counts: Annotated[dict[str, int], BeforeValidator(_plain)] = {}
    chosen: Json = {}
    baselines: dict[str, Scores] = {}
    facts: Json = {}
    timing: dict[str, float] = {}
    provenance: Json = {}
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @model_validator(mode="after")
    def _consistent(self) -> Record:
        if self.id != self.key.id:
            raise ValueError("the id does not belong to the key")
        if self.status == "failed" and not self.error:
            raise ValueError("a failed unit without an error")
        if self.status == "ok" and (self.error is not None or self.metric not in self.scores):
            raise ValueError("a good unit has no error, and its metric among its scores")
        return self

    def to_line(self) -> str:
        """The record as one line of strict JSON, without the line break.

        Raises DataError where it could not be read back: a copy or a dict changed after the
        record was checked.
        """
        try:
            line = json.dumps(
                self.model_dump(), allow_nan=False, ensure_ascii=False, separators=(",", ":")
            )
            Record.model_validate_json(line)
        except ValidationError as error:
            raise DataError(f"no valid record ({_reason(error)})", where=self.id) from error
        except (TypeError, ValueError) as error:
            raise DataError(f"cannot be written as JSON ({error})", where=self.id) from error
        return line


class Problem(NamedTuple):
    """A line that is no record; ``line`` counts from 1."""

    path: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}; the line is left out"


class Records(NamedTuple):
    """The records of a file, and the lines that had to be left out."""

    records: list[Record]
    problems: list[Problem]


class RecordFile:
    """A file of records, one JSON line each, safe to append to from many processes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, record: Record) -> None:
        """Add a record; it is on the disk when this returns."""
        append_line(self.path, record.to_line())

    def read(self) -> Records:
        """All records, in the order in which their units were first recorded.

        A later record of a unit replaces the earlier one. A damaged line (the last one, torn by a
        kill) is reported and left out. A file that does not exist yet has no records. Raises
        DataError for a record of a newer schema, which must not be taken for damage.
        """
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return Records([], [])
        except OSError as error:
            raise DataError(f"cannot be read ({error.strerror})", where=str(self.path)) from error
        records: dict[str, Record] = {}
        problems = []
        with _without_collection():
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    record = Record.model_validate_json(line)
                except ValidationError as error:
                    self._refuse_newer(line, number)
                    problems.append(Problem(self.path, number, _reason(error)))
                else:
                    records[record.id] = record
        return Records(list(records.values()), problems)

    def good(self) -> dict[str, Record]:
        """By id, the records of units that need not be measured again: those that did not fail."""
        return {record.id: record for record in self.read().records if record.status == "ok"}

    def _refuse_newer(self, line: bytes, number: int) -> None:
        try:
            version = json.loads(line)["schema_version"]
        except (ValueError, TypeError, LookupError, RecursionError):
            return
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise DataError(
                f"the record is of schema {version}, newer than {SCHEMA_VERSION}",
                where=f"{self.path}:{number}",
                cure="update layerwise",
            )


@contextmanager
def _without_collection() -> Iterator[None]:
    # A million small objects that all stay: collecting garbage meanwhile doubles the time.
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    text = f"{place}: {first['msg']}" if place else first["msg"]
    # Names in a damaged line are not to be trusted with a terminal.
    return ascii(text)[1:-1][:_LONGEST_REASON]
