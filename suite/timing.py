"""Time encoders and record it: what a layer costs, beside what it knows.

Encoders are measured in turns, so that whatever else the machine does meanwhile hits all alike. A
batch (so many texts of so many words) is recorded when all its turns are done.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from ..core import files, progress
from ..core.errors import LayerwiseError, ModelError, UsageError
from ..core.types import text_hash
from ..encoders.base import Encoder, EncoderOptions
from ..encoders.loading import load_encoder
from ..encoders.stages import Marks, find_marks
from ..encoders.stopwatch import Stopwatch, stopwatch
from ..encoders.timing import TimedBatch
from ..results.collection import RECORDS
from ..results.records import Record, RecordFile
from ..results.speed import TASK
from ..tasks.corpora import load_corpus
from .outcome import Outcome
from .sequences import sequences
from .speed_records import Batch, failures, keys, records

_WHOLE = 1 << 40  # words at once: an encoder never cuts a batch for want of room
_SHORT = 20  # words on which it is found out where an encoder's layers are reached


@dataclass(frozen=True)
class TimeConfig:
    """What to time: every encoder on every batch. Field names are those of the flags."""

    encoder: tuple[str, ...]
    batch_size: tuple[int, ...] = (1, 64)
    length: tuple[int, ...] = (20, 128, 512)
    repeats: int = 10
    data: str = "builtin"
    device: str = "cpu"
    subword_pooling: str = "mean"
    context: str = "document"
    output: Path | None = None
    again: bool = False

    def __post_init__(self) -> None:
        if not self.encoder:
            raise UsageError(
                "is missing", where="--encoder", cure="`probe list encoders` tells the names"
            )
        for flag, given in (
            ("--batch-size", self.batch_size),
            ("--length", self.length),
            ("--repeats", (self.repeats,)),
        ):
            if min(given, default=0) < 1:
                raise UsageError("must be at least 1", where=flag)

    def folder(self) -> Path:
        """Where the records go: the same folder as those of a run on the data."""
        return self.output or Path("runs") / files.safe_name(Path(self.data).name or self.data)

    def options(self) -> EncoderOptions:
        """How encoders are loaded."""
        return EncoderOptions(self.device, _WHOLE, self.subword_pooling, self.context)


@dataclass(frozen=True)
class Plan:
    """The loaded encoders that each batch is to be measured with, and what is recorded."""

    clock: Stopwatch
    missing: list[tuple[Batch, list[Encoder]]]
    recorded: list[Record]
    errors: dict[str, LayerwiseError]
    file: RecordFile


def evaluate(config: TimeConfig) -> Outcome:
    """Measure what is asked for and not recorded yet; return all that was asked for."""
    planned = plan(config)
    marks = _marks(planned)
    todo = [(batch, [e for e in those if e.name in marks]) for batch, those in planned.missing]
    if todo:
        files.make_folder(config.folder())  # before the work, not after it
    total = config.repeats * sum(_cost(batch, e) for batch, those in todo for e in those)
    found = list(planned.recorded)
    with progress.bar("timing", total) as advance:
        for batch, encoders in todo:
            turns = _Turns(batch, planned.clock, marks)
            for record in turns.measure(encoders, config.repeats, advance):
                planned.file.append(record)
                found.append(record)
    computed = len(found) - len(planned.recorded)
    problems = [str(problem) for problem in planned.file.read().problems]
    return Outcome(found, config.folder(), computed, planned.errors, problems)


def plan(config: TimeConfig) -> Plan:
    """Load the encoders, cut the texts, and tell what is recorded already.

    What failed, or was measured less often than is asked for, is measured again.
    """
    clock = stopwatch(config.device)
    corpus = load_corpus(config.data)
    documents = [d.document for split in corpus.splits.values() for d in split]
    file = RecordFile(config.folder() / RECORDS)
    known = {r.id: r for r in file.read().records if r.status == "ok" and r.key.task == TASK}
    encoders: dict[str, Encoder] = {}
    errors: dict[str, LayerwiseError] = {}
    for name in dict.fromkeys(config.encoder):
        try:
            encoders[name] = load_encoder(name, config.options())
        except LayerwiseError as error:
            errors[name] = error
    missing, recorded = [], []
    for size, length in product(sorted(set(config.batch_size)), sorted(set(config.length))):
        texts = sequences(documents, size, length)
        batch = Batch(length, texts, corpus.name, text_hash(texts))
        todo = []
        for encoder in encoders.values():
            ids = [key.id for key in keys(encoder, batch, clock)]
            # The last layer is recorded last, and is all there is where only the whole is known.
            last = known.get(ids[-1])
            if config.again or last is None or last.counts["repeats"] < config.repeats:
                todo.append(encoder)
            else:
                recorded += [known[id] for id in ids if id in known]
        if todo:
            missing.append((batch, todo))
    return Plan(clock, missing, recorded, errors, file)


def _marks(planned: Plan) -> dict[str, Marks | None]:
    """Where each encoder's layers are reached. One that does not work at all is an error."""
    marks: dict[str, Marks | None] = {}
    encoders = {encoder.name: encoder for _, those in planned.missing for encoder in those}
    for name, encoder in encoders.items():
        (text,) = sequences(planned.missing[0][0].documents, 1, _SHORT)
        try:
            marks[name] = find_marks(encoder, text)
        except Exception as error:
            planned.errors[name] = ModelError(
                f"fails on {_SHORT} words ({type(error).__name__}: {error})",
                where=f"encoder {name}",
                cure=f"`probe check encoder {name}` tells more",
            )
    return marks


class _Turns:
    """Encoders that are measured on one batch in turns."""

    def __init__(self, batch: Batch, clock: Stopwatch, marks: dict[str, Marks | None]) -> None:
        self._batch = batch
        self._clock = clock
        self._marks = marks
        self._timed: dict[str, TimedBatch] = {}
        self._failed: dict[str, Exception] = {}

    def measure(
        self, encoders: list[Encoder], repeats: int, advance: Callable[[float, str], None]
    ) -> Iterator[Record]:
        """All records of the batch. What goes wrong with an encoder becomes failed records."""
        load = {"load_average": round(os.getloadavg()[0], 2)} if hasattr(os, "getloadavg") else {}
        for encoder in encoders:
            self._attempt(encoder, partial(self._begin, encoder))
        for turn in range(repeats):
            # Another encoder goes first each time: none has always the same one before it.
            first = turn % max(len(encoders), 1)
            for encoder in encoders[first:] + encoders[:first]:
                if encoder.name in self._timed:
                    self._attempt(encoder, self._timed[encoder.name].visit)
                advance(_cost(self._batch, encoder), f"{encoder.name}, {self._batch}")
        together = list(self._timed)
        for encoder in encoders:
            beside = [name for name in together if name != encoder.name]
            yield from self._records(encoder, {"in_turns_with": beside, **load})

    def _begin(self, encoder: Encoder) -> None:
        timed = TimedBatch(encoder, self._batch.documents, self._marks[encoder.name], self._clock)
        timed.visit(keep=False)
        self._timed[encoder.name] = timed

    def _attempt(self, encoder: Encoder, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self._failed[encoder.name] = error
            self._timed.pop(encoder.name, None)

    def _records(self, encoder: Encoder, around: dict[str, Any]) -> list[Record]:
        timed = self._timed.pop(encoder.name, None)
        if timed is not None:
            try:
                return records(encoder, self._batch, self._clock, timed.result(), around)
            except Exception as error:
                self._failed[encoder.name] = error
        layers = keys(encoder, self._batch, self._clock)
        known = layers if self._marks[encoder.name] is not None else layers[-1:]
        return failures(known, encoder, self._failed[encoder.name])


def _cost(batch: Batch, encoder: Encoder) -> float:
    """How long a visit takes, in a unit of its own, for an estimate of the time left."""
    return float(len(batch.documents) * batch.length * max(encoder.parameters, 1))
