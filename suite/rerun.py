"""From records to the commands that measure them again."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Sequence

from ..probes.context_similarity import NAME as SIMILARITY
from ..probes.scalar_mix import ScalarMix
from ..results.ordering import natural
from ..results.records import Record
from ..results.report.page import Command
from ..results.speed import TASK as SPEED
from .contextuality import PROBE as CONTEXTUALITY

# Settings in a record's key that a flag sets, by command; others follow from the code's version.
_OF_TEXT = ("split", "disjoint", "context", "subword_pooling")
_FLAGS = {
    "run": (*_OF_TEXT, "controls", "span_pooling", "codelength", "refits", "train_targets"),
    "mix": ("context", "subword_pooling", "span_pooling"),
    "contextuality": ("context", "subword_pooling"),
    "time": ("context", "subword_pooling"),
}
_DEFAULTS = {
    "context": "document",
    "subword_pooling": "mean",
    "span_pooling": "mean",
    "controls": 1,
}

Group = tuple[str, str, tuple[tuple[str, str], ...], str]


def commands_of(records: Iterable[Record]) -> list[Command]:
    """One command for all records that differ in nothing but what it measures at once.

    Where the data were a file or a folder, a record has its name only, and a note says so.
    """
    groups: dict[Group, list[Record]] = defaultdict(list)
    layers: dict[str, set[int]] = defaultdict(set)
    found = list(records)
    for record in found:
        layers[_of_any_layer(record)].add(record.key.layer)
    for record in found:
        asked = _layers(record, layers[_of_any_layer(record)])
        groups[_command(record), record.key.data, _flags(record), asked].append(record)
    merged = _with_choices(groups)
    return [_line(group, merged[group]) for group in sorted(merged, key=lambda g: (g[0], g[1:]))]


def _command(record: Record) -> str:
    probe = record.key.probe
    if record.key.task == SPEED:
        return "time"
    if probe == CONTEXTUALITY:
        return "contextuality"
    return "mix" if probe.partition(".")[0] == ScalarMix.name else "run"


def _flags(record: Record) -> tuple[tuple[str, str], ...]:
    names = _FLAGS[_command(record)]
    settings = record.key.settings
    told = {name: settings[name] for name in names if name in settings}
    if _command(record) == "run" and not _is_choice(record):
        probe = record.key.probe.partition(".")[0]
        told |= {} if probe in ("linear", "structural") else {"probe": probe}
    return tuple((name, str(value)) for name, value in told.items() if _DEFAULTS.get(name) != value)


def _of_any_layer(record: Record) -> str:
    return record.key.model_copy(update={"layer": 0, "seed": 0}).id


def _layers(record: Record, measured: set[int]) -> str:
    if _command(record) in ("time", "mix") or len(measured) == record.layers:
        return ""
    return ",".join(map(str, sorted(measured)))


def _is_choice(record: Record) -> bool:
    return record.key.probe.partition(".")[0] == SIMILARITY


def _with_choices(groups: dict[Group, list[Record]]) -> dict[Group, list[Record]]:
    """Tasks that fit nothing have no settings of a probe: they join a command that has the rest."""
    merged = dict(groups)
    for group, found in groups.items():
        if not all(map(_is_choice, found)):
            continue
        command, data, flags, layers = group
        for other, members in groups.items():
            of_text = tuple(flag for flag in other[2] if flag[0] in _OF_TEXT)
            same = (other[0], other[1], of_text, other[3]) == (command, data, flags, layers)
            encoders = {record.key.encoder for record in members}
            if same and other != group and {r.key.encoder for r in found} == encoders:
                merged[other] = [*merged[other], *merged.pop(group)]
                break
    return merged


def _line(group: Group, records: Sequence[Record]) -> Command:
    command, data, flags, layers = group
    words = ["probe", command]
    for name in _several(record.key.encoder for record in records):
        words += ["-e", name]
    if command in ("run", "mix"):
        for name in _several(record.key.task.rpartition(".")[0] for record in records):
            words += ["-t", name]
    words += ["-d", data]
    for name, value in flags:
        words += [f"--{name.replace('_', '-')}", value]
    if layers:
        words += ["--layers", layers]
    if command == "run":
        words.append("--no-control-encoders")  # those that were measured are named
    if command == "mix" and len({record.key.layer for record in records}) > 1:
        words.append("--cumulative")
    note = ""
    if command == "time":
        for flag, name in (("--batch-size", "batch_size"), ("--length", "length")):
            words += [flag, ",".join(_several(str(r.key.settings[name]) for r in records))]
        machines = _several(
            f"{r.key.settings['device']}, threads: {r.key.settings['threads']}" for r in records
        )
        note = f"timed on {'; '.join(machines)}"
    if any("file" in str(record.facts.get("data", "")) for record in records) and data != "builtin":
        note = f"{data}: the name of the data, or of the file or folder to give as a path"
    return Command(shlex.join(words), note)


def _several(names: Iterable[str]) -> list[str]:
    return sorted(set(names), key=natural)
