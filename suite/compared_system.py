"""One side of a comparison: an encoder's records in a run, by task and layer."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from ..core.errors import DataError, UsageError, did_you_mean
from ..core.files import canonical_json
from ..results.collection import RECORDS
from ..results.compared import Side
from ..results.records import Key, Record, RecordFile
from ..results.speed import split
from ..results.table import lower_is_better

Unit = tuple[Record, ...]
"""The records of one layer on one task, one a seed, in the order of the seeds."""


class Task(NamedTuple):
    """A task and its targets, text included: what two units share where they can be compared."""

    name: str
    data_hash: str

    @property
    def bare(self) -> str:
        """The name on the command line, without the version."""
        return self.name.rpartition(".")[0]


@dataclass(frozen=True)
class System:
    """An encoder of a run. ``layer`` is the one asked for, ``failed`` its units without scores,
    ``problems`` the lines of the run's records that had to be left out."""

    encoder: str
    folder: Path
    layer: int | None
    units: Mapping[Task, Mapping[int, Unit]]
    failed: tuple[Record, ...]
    problems: tuple[str, ...]
    flag: str

    def named(self, task: Task) -> int | None:
        """The number of the layer asked for, negative ones counted from the last."""
        if self.layer is None:
            return None
        layers = self.units[task]
        count = next(iter(layers.values()))[0].layers
        number = self.layer + count if self.layer < 0 else self.layer
        if number not in layers:
            known = ", ".join(map(str, layers))
            raise UsageError(
                f"no good record of {self.encoder}, {task.name}, layer {self.layer}",
                where=self.flag,
                cure=f"there are those of layers {known}",
            )
        return number

    def best(self, task: Task) -> Side:
        """The layer asked for, the only one measured, or the best by score on dev, never on test.

        The lowest of equals. Raises UsageError where the task has no dev score of its metric.
        """
        layers = self.units[task]
        named = self.named(task)
        if named is not None:
            return self.side(task, named)
        if len(layers) == 1:
            number, (record, *_) = next(iter(layers.items()))
            return self.side(task, number, "the only one measured" if record.layers > 1 else "")
        scores = {}
        for number, records in layers.items():
            metric = records[0].metric
            if any(metric not in record.dev_scores for record in records):
                raise UsageError(
                    f"{task.name} has no {metric} on dev to choose a layer of {self.encoder} by",
                    where=self.flag,
                    cure=f"name one, {self.encoder}@LAYER, or take --layers all",
                )
            scores[number] = fmean(record.dev_scores[metric] for record in records)
        choose = min if lower_is_better(metric) else max
        return self.side(task, choose(scores, key=lambda number: scores[number]), "chosen on dev")

    def side(self, task: Task, layer: int, chosen: str = "") -> Side:
        """That layer, for a table."""
        return Side(layer, self.units[task][layer][0].layer_name, chosen)


def read_system(run: Path, asked: str, flag: str) -> System:
    """The encoder that ``ENCODER`` or ``ENCODER@LAYER`` names, in a run's folder or records.

    Raises UsageError for an unknown name, and DataError where records of one layer on one task
    differ in more than their seed.
    """
    file = run / RECORDS if run.is_dir() else run
    if not file.exists():
        raise DataError("no records here", where=str(run), cure="`probe run` makes them")
    found = RecordFile(file).read()
    scored, _ = split(found.records)
    known = {record.key.encoder for record in scored}
    encoder, layer = asked, None
    # hf:ORG/NAME@7 may be an encoder at a revision.
    if asked not in known and (match := re.fullmatch(r"(.+)@(-?\d{1,9})", asked)):
        encoder, layer = match[1], int(match[2])
    if encoder not in known:
        raise UsageError(
            f"no records of {encoder!r} in {run}", where=flag, cure=did_you_mean(encoder, known)
        )
    own = [record for record in scored if record.key.encoder == encoder]
    units: dict[Task, dict[int, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in sorted(own, key=lambda r: (r.key.layer, r.key.seed)):
        if record.status == "ok":
            units[Task(record.key.task, record.key.data_hash)][record.key.layer].append(record)
    for task, layers in units.items():
        _refuse_mixtures(task, [r.key for records in layers.values() for r in records], flag)
    return System(
        encoder=encoder,
        folder=file.parent,
        layer=layer,
        units={
            task: {number: tuple(records) for number, records in layers.items()}
            for task, layers in units.items()
        },
        failed=tuple(record for record in own if record.status == "failed"),
        problems=tuple(map(str, found.problems)),
        flag=flag,
    )


def _refuse_mixtures(task: Task, keys: Sequence[Key], flag: str) -> None:
    """Layers are compared with layers: all else but the seed must be the same."""
    differ = differences(keys)
    if differ:
        raise DataError(
            f"records of {keys[0].encoder}, {task.name} differ in {'; '.join(differ)}",
            where=flag,
            cure="measure each into a folder of its own and give both: `probe compare RUN_A RUN_B`",
        )


def differences(keys: Sequence[Key]) -> list[str]:
    """What sets keys of one encoder and task apart, but layer and seed: ``context (a, b)``."""
    names = sorted({name for key in keys for name in key.settings})
    values = {
        "data": [key.data for key in keys],
        "fingerprint": [key.fingerprint[:8] for key in keys],
        "probe": [key.probe for key in keys],
        **{
            name: [
                canonical_json(key.settings[name]) if name in key.settings else "none"
                for key in keys
            ]
            for name in names
        },
    }
    return [
        f"{name} ({', '.join(dict.fromkeys(each))})"
        for name, each in values.items()
        if len(set(each)) > 1
    ]
