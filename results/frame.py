"""Records as flat rows, for a data frame of the reader's choice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .records import Record


def frame(records: Iterable[Record]) -> list[dict[str, Any]]:
    """One flat dict a record, for ``pandas.DataFrame(rows)`` or ``polars.DataFrame(rows)``.

    The key's fields stand under their names, ``value`` is the score that ``metric`` names (None
    for a failed unit), the rest under dotted names: ``scores.accuracy``,
    ``baselines.majority.accuracy``, ``settings.context``. All rows have the same keys, in the
    same order, with None where a record has nothing.
    """
    rows = [_row(record) for record in records]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [{name: row.get(name) for name in names} for row in rows]


def _row(record: Record) -> dict[str, Any]:
    whole = record.model_dump()
    key = whole.pop("key")
    settings = key.pop("settings")
    interval = whole.pop("interval") or {}
    row = {"id": whole.pop("id"), **key}
    for name in ("layer_name", "layers", "status", "error", "metric"):
        row[name] = whole.pop(name)
    row["value"] = record.scores.get(record.metric)
    for name in ("low", "high", "confidence", "clusters", "replicates"):
        row[name] = interval.get(name)
    return row | _flat({"settings": settings, **whole})


def _flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        if isinstance(inner, dict):
            flat |= _flat(inner, f"{prefix}{name}.")
        else:
            flat[prefix + name] = inner
    return flat
