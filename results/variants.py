"""What sets records of one encoder or one task apart, so that they never share a row."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .records import Key, Record

_ABSENT = "(unset)"
_SHORTEST_HASH = 8
_PLAIN = re.compile(r"[^\s,=\"(]+")


class Variant(NamedTuple):
    """A record's labels: ``encoder`` for its rows, ``data`` for the baselines of its task.

    Empty where nothing differs, otherwise like ``data=gum, context=document``. Different
    identities have different labels, whatever characters they are made of.
    """

    encoder: str
    data: str


def variants(records: Sequence[Record]) -> list[Variant]:
    """A pair of labels for each record.

    Rows of one encoder hold one fingerprint over all tasks. Data, probe and settings may differ
    from task to task (a pair has settings that a word lacks), but not within a task: then each
    value gets rows of its own, which the other tasks' records with that value join. Baselines are
    told apart by the data alone.
    """
    by_encoder: dict[str, list[Key]] = defaultdict(list)
    for record in records:
        by_encoder[record.key.encoder].append(record.key)
    encoders = {name: _Differences(keys) for name, keys in by_encoder.items()}
    data = _Differences([record.key for record in records])
    return [
        Variant(encoders[r.key.encoder].label(r.key), data.label(r.key, of_data_only=True))
        for r in records
    ]


class _Differences:
    """What differs among keys of one group."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self.fingerprints = _short({key.fingerprint for key in keys})
        self.hashes = _short({key.data_hash for key in keys})
        by_task: dict[str, list[Key]] = defaultdict(list)
        by_data: dict[tuple[str, str], set[str]] = defaultdict(set)
        for key in keys:
            by_task[key.task].append(key)
            by_data[key.task, key.data].add(key.data_hash)
        self.revised = {data for data, hashes in by_data.items() if len(hashes) > 1}
        self.data = any(_several(key.data for key in of_task) for of_task in by_task.values())
        self.probe = any(_several(key.probe for key in of_task) for of_task in by_task.values())
        self.settings = sorted(
            {
                name
                for of_task in by_task.values()
                for name in {name for key in of_task for name in key.settings}
                if _several(_setting(key, name) for key in of_task)
            }
        )

    def label(self, key: Key, of_data_only: bool = False) -> str:
        parts = []
        if self.data:
            parts.append(("data", _quoted(key.data)))
        if (key.task, key.data) in self.revised:
            parts.append(("data_hash", self.hashes[key.data_hash]))
        if not of_data_only:
            if len(self.fingerprints) > 1:
                parts.append(("fingerprint", self.fingerprints[key.fingerprint]))
            if self.probe:
                parts.append(("probe", _quoted(key.probe)))
            parts += [(_quoted(name), _setting(key, name)) for name in self.settings]
        return ", ".join(f"{name}={value}" for name, value in parts)


def _several(values: Iterable[str]) -> bool:
    return len(set(values)) > 1


def _setting(key: Key, name: str) -> str:
    if name not in key.settings:
        return _ABSENT
    value = key.settings[name]
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    """The text, in quotation marks where it could be taken for something else."""
    if _PLAIN.fullmatch(text):
        try:
            json.loads(text)
        except ValueError:
            return text
    return json.dumps(text, ensure_ascii=False)


def _short(hashes: set[str]) -> dict[str, str]:
    """The shortest beginnings, of one length, that tell the hashes apart."""
    length = _SHORTEST_HASH
    while len({text[:length] for text in hashes}) < len(hashes):
        length += 1
    return {text: _hash(text[:length]) for text in hashes}


def _hash(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else _quoted(text)
