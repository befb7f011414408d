"""What a record says under a name, and which records say what is asked for."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..core.errors import DataError, UsageError, did_you_mean
from .frame import flat
from .records import Record
from .table import Label

UNSET = "(unset)"
"""The label of a field that a record lacks."""

_FEW = 30
# Named in a cure where no name is near; the others are hundreds.
_FIRST = (
    "encoder",
    "fingerprint",
    "task",
    "data",
    "layer",
    "layer_name",
    "probe",
    "seed",
    "metric",
)


class Item(NamedTuple):
    """A record, and all that it says under the names of ``frame.flat``."""

    record: Record
    fields: dict[str, Any]

    def label(self, name: str) -> Label:
        """What the record says under the name; of a list, and of true and false, its JSON."""
        value = self.fields.get(name)
        if value is None:
            return UNSET
        if isinstance(value, list | dict | bool):  # True equals 1, and would share its row
            return json.dumps(value, ensure_ascii=False)
        assert isinstance(value, str | int | float)
        return json.dumps(value) if isinstance(value, str) and _misleads(value) else value

    def number(self, metric: str) -> float | None:
        """A score by its name, or any number by its dotted name; None where there is none."""
        if metric in self.record.scores:
            return self.record.scores[metric]
        value = self.fields.get(metric)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        return None


def items(records: Iterable[Record]) -> list[Item]:
    """The records that differ, by seed. Of two records of one unit the later counts."""
    unique = {record.id: record for record in records}.values()
    return [Item(r, flat(r)) for r in sorted(unique, key=lambda r: r.key.seed)]


def need(name: str, known: Collection[str], where: str) -> None:
    """Raise UsageError where no record has a field of that name."""
    if name in known:
        return
    fields = f"a field is {', '.join(_FIRST)} or a dotted name: settings.context, counts.targets"
    raise UsageError(f"no record has {name!r}", where=where, cure=_cure(name, known, fields))


def names_of(found: Iterable[Item]) -> set[str]:
    """The names under which any record says something."""
    return {name for item in found for name, value in item.fields.items() if value is not None}


def conditions(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """``key=value`` texts by key; a key that comes twice takes either value."""
    asked: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f"{text!r} is no condition", where="--where", cure="write task=pos")
        asked[name] = (*asked.get(name, ()), value)
    return asked


def select(found: Sequence[Item], where: Mapping[str, Sequence[str]]) -> list[Item]:
    """The items that say one of the values under each name, with values written as text.

    A task may be named without its version. Raises UsageError for a name or a value that no
    record has, DataError where no record has them all.
    """
    if not found:
        raise DataError("no records to draw a table from", cure="run `probe run` first")
    known = names_of(found)
    for name, values in where.items():
        need(name, known, "--where")
        there = {text for item in found for text in _texts(item, name)}
        for value in values:
            if value not in there:
                cure = _cure(value, there, f"`--rows {name}` shows the values")
                raise UsageError(f"no record has {name}={value}", where="--where", cure=cure)
    chosen = [
        item
        for item in found
        if all(_texts(item, name) & {*values} for name, values in where.items())
    ]
    if not chosen:
        asked = " and ".join(f"{name}={' or '.join(values)}" for name, values in where.items())
        raise DataError(f"no record has {asked}", where="--where")
    return chosen


def _cure(name: str, known: Collection[str], otherwise: str) -> str:
    """The nearest names, or all where they are few."""
    cure = did_you_mean(name, known)
    near = cure.startswith("did you mean")
    return cure if near or len(known) <= _FEW else otherwise


def _texts(item: Item, name: str) -> set[str]:
    """How a field's value may be written."""
    value = item.fields.get(name)
    if value is None:
        return {UNSET}
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return {text, text.rpartition(".")[0]} - {""} if name == "task" else {text}


def _misleads(text: str) -> bool:
    """Whether a text looks like a value of another type, or like several."""
    if text == UNSET or ", " in text:
        return True
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
