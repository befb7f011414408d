"""Records as flat rows, for a data frame of the reader's choice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .records import Record

_OF_KEY = ("encoder", "fingerprint", "task", "data", "data_hash", "layer", "probe", "seed")
_OF_INTERVAL = ("low", "high", "confidence", "clusters", "replicates")


def frame(records: Iterable[Record]) -> list[dict[str, Any]]:
    """One flat dict a record, for ``pandas.DataFrame(rows)`` or ``polars.DataFrame(rows)``.

    The key's fields stand under their names, ``value`` is the score that ``metric`` names (None
    for a failed unit), the rest under dotted names: ``scores.accuracy``,
    ``baselines.majority.accuracy``, ``settings.context``. All rows have the same keys, in the
    same order, with None where a record has nothing.
    """
    return _even([flat(record) for record in records])


def tidy(records: Iterable[Record]) -> list[dict[str, Any]]:
    """One flat dict a score, with the same keys, in the same order, in all.

    The columns: ``id``; the key's fields and ``settings.NAME``; ``layer_name``, ``layers``,
    ``status`` and ``error``; ``split``, ``test`` or ``dev``; ``metric``, the score's name, and
    ``main``, whether tables show it; ``value``; and of the main score on test, where there is an
    interval, ``low``, ``high``, ``confidence``, ``clusters`` and ``replicates``. Where a task
    fits nothing, ``test`` is all that was scored. A failed unit is one row, of its main score,
    without a value: no unit is left out.
    """
    return _even([row for record in records for row in _scores(record)])


def flat(record: Record) -> dict[str, Any]:
    """The record under the names of ``frame``, without those that it has no value for."""
    whole = record.model_dump()
    key = whole.pop("key")
    settings = key.pop("settings")
    interval = whole.pop("interval") or {}
    row = {"id": whole.pop("id"), **key}
    for name in ("layer_name", "layers", "status", "error", "metric"):
        row[name] = whole.pop(name)
    row["value"] = record.scores.get(record.metric)
    for name in _OF_INTERVAL:
        row[name] = interval.get(name)
    return row | _flat({"settings": settings, **whole})


def _scores(record: Record) -> Iterator[dict[str, Any]]:
    about = {
        "id": record.id,
        **{name: getattr(record.key, name) for name in _OF_KEY},
        **_flat({"settings": record.key.settings}),
        **{name: getattr(record, name) for name in ("layer_name", "layers", "status", "error")},
    }
    found: list[tuple[str, str, float | None]] = [
        (split, metric, value)
        for split, scores in (("test", record.scores), ("dev", record.dev_scores))
        for metric, value in scores.items()
    ]
    for split, metric, value in found or [("test", record.metric, None)]:
        main = metric == record.metric
        interval = record.interval if main and split == "test" else None
        yield {
            **about,
            **{"split": split, "metric": metric, "main": main, "value": value},
            **{name: getattr(interval, name, None) for name in _OF_INTERVAL},
        }


def _even(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return [{name: row.get(name) for name in names} for row in rows]


def _flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        if isinstance(inner, dict):
            flat |= _flat(inner, f"{prefix}{name}.")
        else:
            flat[prefix + name] = inner
    return flat
