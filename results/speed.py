"""What layers cost in time: a table of its own, and a column beside what they know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median
from typing import NamedTuple

from ..core.errors import DataError
from .ordering import by_place
from .records import Record
from .table import Cell, Column, Failure, Row, Table
from .variants import variants

TASK = "speed.v1"
METRIC = "milliseconds"

REACHED = "the time to reach the layer in the model"
"""What a record says of its cost where the layer's own is known, not only the whole pass's."""

_SIZE = ("batch_size", "length")
_TIME, _RATE = "ms", "words/s"
# Below the layers: what a batch takes beside the model's time, by its name in a record.
_APART = {"prepare_seconds": "before the model", "encode_seconds": "all of encode"}
_UNDISTURBED = 0.9  # of a processor, or more


class Size(NamedTuple):
    """So many texts at once, each of so many words."""

    batch: int
    length: int

    def __str__(self) -> str:
        return f"batch {self.batch}, {self.length} words"


_Machine = tuple[str, int]
_Place = tuple[str, str, int]


def split(records: Iterable[Record]) -> tuple[list[Record], list[Record]]:
    """Those that tell what a layer knows, and those that tell what it costs."""
    whole = list(records)
    costs = [record for record in whole if record.key.task == TASK]
    return [record for record in whole if record.key.task != TASK], costs


def build(records: Iterable[Record]) -> Table:
    """The table of times: layers downwards, sizes across, with a time and a rate for each.

    Below the layers stands what else a batch takes. A cell's interval is from the lower to the
    upper quartile of the repeats, which is no confidence interval. Raises DataError where no time
    is recorded.
    """
    costs = list({record.id: record for record in split(records)[1]}.values())
    if not costs:
        raise DataError("no times to draw a table from", cure="run `probe time` first")
    labels = _labels(costs)
    sizes = sorted({_size(record) for record in costs})
    found: dict[_Place, dict[Size, Record]] = defaultdict(dict)
    for record, label in zip(costs, labels, strict=True):
        found[record.key.encoder, label, record.key.layer][_size(record)] = record
    rows = [
        Row(*place, _any(of_place).layer_name, _row(of_place, sizes))
        for place, of_place in sorted(found.items(), key=lambda item: by_place(item[0]))
    ]
    failures = tuple(
        Failure(r.key.encoder, label, str(_size(r)), r.key.layer, r.key.seed, r.error or "")
        for r, label in zip(costs, labels, strict=True)
        if r.status == "failed"
    )
    good = [record for record in costs if record.status == "ok"]
    repeats = [record.counts["repeats"] for record in good]
    return Table(
        tuple(Column(str(size), metric) for size in sizes for metric in (_TIME, _RATE)),
        (*rows, *_apart(found, sizes)),
        failures,
        _notes(good),
        f"[low, high]: quartiles over {_span(repeats)} repeats" if repeats else "",
    )


def beside(table: Table, records: Iterable[Record]) -> Table:
    """The table with what each layer costs, at the smallest size that was timed of any.

    ``records`` are those that the table was built from, and the times. They are joined by the
    encoder's fingerprint and the layer; each machine and number of threads has its own column.
    """
    scores, costs = split(records)
    fingerprints = {
        (record.key.encoder, variant.encoder): record.key.fingerprint
        for record, variant in zip(scores, variants(scores), strict=True)
    }
    known = set(fingerprints.values())
    costs = [r for r in costs if r.key.fingerprint in known]
    if not costs:
        note = "no times of these encoders are recorded; `probe time` measures them"
        return replace(table, notes=(*table.notes, note))
    size = min(_size(record) for record in costs)
    costs = [record for record in costs if _size(record) == size]
    machines = sorted({_machine(record) for record in costs})
    by_layer = {(_machine(r), r.key.fingerprint, r.key.layer): r for r in costs}

    def cells(row: Row) -> tuple[Cell, ...]:
        if row.layer is None:
            return tuple(Cell() for _ in machines)
        mine = fingerprints[row.name, row.variant]
        found = (by_layer.get((machine, mine, row.layer)) for machine in machines)
        return tuple(replace(_cells(record)[0], interval=None) for record in found)

    head = f"batch {size.batch}, {size.length} words"
    heads = [head] if len(machines) == 1 else [f"{head}, {_named(m)}" for m in machines]
    note = "; ".join(_named(machine) for machine in machines)
    return replace(
        table,
        columns=(*table.columns, *(Column(TASK, f"{_TIME} ({head})") for head in heads)),
        rows=tuple(replace(row, cells=(*row.cells, *cells(row))) for row in table.rows),
        notes=(*table.notes, f"ms: median time to reach the layer in the model, on {note}"),
    )


def _labels(costs: Sequence[Record]) -> list[str]:
    """What sets rows of one encoder apart: all that differs but the size of the batch."""
    alike = []
    for record in costs:
        rest = {n: v for n, v in record.key.settings.items() if n not in _SIZE}
        key = record.key.model_copy(update={"settings": rest, "data_hash": ""})
        alike.append(record.model_copy(update={"key": key}))
    return [variant.encoder for variant in variants(alike)]


def _row(of_place: dict[Size, Record], sizes: Sequence[Size]) -> tuple[Cell, ...]:
    return tuple(cell for size in sizes for cell in _cells(of_place.get(size)))


def _cells(record: Record | None) -> tuple[Cell, Cell]:
    """The time, and the rate."""
    if record is None:
        return Cell(), Cell()
    if record.status == "failed":
        return Cell(status="failed"), Cell(status="failed")
    low, high = (record.scores[f"{METRIC}_{quartile}"] for quartile in ("q25", "q75"))
    time, rate = record.scores[METRIC], record.scores["words_per_second"]
    return replace(_value(time), interval=(low, high)), _value(rate)


def _apart(found: dict[_Place, dict[Size, Record]], sizes: Sequence[Size]) -> list[Row]:
    """What of a batch is no part of the model's time, and the whole, for each encoder."""
    last: dict[tuple[str, str], dict[Size, Record]] = {}
    for name, variant, layer in sorted(found, key=by_place):
        last[name, variant] = found[name, variant, layer]
    rows = []
    for (name, variant), of_place in last.items():
        for part, meaning in _APART.items():
            cells: list[Cell] = []
            for size in sizes:
                record = of_place.get(size)
                seconds = record.timing.get(part) if record is not None else None
                if record is None or seconds is None:
                    cells += [Cell(), Cell()]
                else:
                    cells += [_value(1e3 * seconds), _value(record.counts["words"] / seconds)]
            if any(cell.value is not None for cell in cells):
                rows.append(Row(f"{name}: {meaning}", variant, None, "", tuple(cells)))
    return rows


def _notes(good: Sequence[Record]) -> tuple[str, ...]:
    """What a reader must know of the times."""
    notes = [
        "ms: median time to reach the layer in the model, layer 0 included, for the whole batch",
        "words/s: words of the batch over that time",
        "before the model: tokenisation, alignment, the way to the device",
        *sorted({f"on {_named(_machine(record))}{_torch(record)}" for record in good}),
    ]
    by_encoder: dict[str, list[Record]] = defaultdict(list)
    for record in good:
        by_encoder[record.key.encoder].append(record)
    for name, records in sorted(by_encoder.items()):
        notes += [f"{name}: {fact}" for fact in _facts(records)]
    costs = [
        100 * (record.timing["marked_forward_seconds"] / record.timing["forward_seconds"] - 1)
        for record in good
        if "marked_forward_seconds" in record.timing
    ]
    if costs:
        notes.append(
            f"the marks at the layers changed a pass by {median(costs):+.1f} % "
            f"(median; {min(costs):+.1f} to {max(costs):+.1f})"
        )
    shares = [share for r in good if isinstance(share := r.facts.get("processor_share"), float)]
    if shares and min(shares) < _UNDISTURBED:
        notes.append(
            "other work held the processor: passes had from "
            f"{100 * min(shares):.0f} % of one; measure again on an idle machine"
        )
    return tuple(notes)


def _facts(records: Sequence[Record]) -> list[str]:
    """What ran, what memory it took, and what is not as one would think, of one encoder."""
    lines = []
    kernels = dict.fromkeys(str(r.facts["precision"]) for r in records if r.facts["precision"])
    peaks = {}
    for record in records:
        ran = record.facts["kernels"]
        kernels |= dict.fromkeys(map(str, ran if isinstance(ran, list) else ()))
        if "peak_megabytes" in record.scores:
            peaks[_size(record)] = record.scores["peak_megabytes"]
    if kernels:
        lines.append(", ".join(kernels))
    if peaks:
        ends = dict.fromkeys((min(peaks), max(peaks)))
        lines.append("peak of a pass " + "; ".join(f"{peaks[s]:.4g} MB at {s}" for s in ends))
    windowed = {
        size: record.counts["windows"] / record.counts["texts"]
        for record in records
        if record.counts.get("windows", 0) > record.counts["texts"]
        for size in [_size(record)]
    }
    if windowed:
        lines.append(
            "longer than its window: "
            + ", ".join(f"{n:.3g} windows a text at {s}" for s, n in sorted(windowed.items()))
        )
    return lines + sorted({str(record.facts["cost"]) for record in records} - {REACHED})


def _size(record: Record) -> Size:
    return Size(*(int(record.key.settings[name]) for name in _SIZE))


def _machine(record: Record) -> _Machine:
    settings = record.key.settings
    return str(settings["device"]), int(settings["threads"])


def _named(machine: _Machine) -> str:
    device, threads = machine
    return f"{device}, {threads} thread{'s' if threads > 1 else ''}"


def _torch(record: Record) -> str:
    packages = record.provenance.get("packages")
    version = packages.get("torch") if isinstance(packages, dict) else None
    return f", torch {version}" if version else ""


def _value(value: float) -> Cell:
    return Cell(status="ok", value=value, values=(value,))


def _any(of_place: dict[Size, Record]) -> Record:
    return next(iter(of_place.values()))


def _span(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low}–{high}"
