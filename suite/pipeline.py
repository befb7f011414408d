"""The pipeline: text -> tasks -> encoders -> probes -> records. Read it from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..core import files, progress, registry
from ..core.errors import LayerwiseError, ModelError
from ..core.types import SPLITS, TaskData
from ..encoders.base import Configured, Encoder, EncoderOptions
from ..encoders.loading import load_encoder
from ..encoders.store import Activations, Store
from ..probes.base import Probe
from ..results.records import Key, Record, RecordFile
from ..tasks.base import prepare
from ..tasks.corpora import load_corpus
from . import engine
from .arrays import TaskArrays, to_arrays
from .baselines import baselines
from .config import RunConfig, select_layers
from .controls import Controls, controls
from .measure import LayerJob, Unit, measure_layer

RECORDS = "records.jsonl"


@dataclass(frozen=True)
class Prepared:
    """A task on the run's data, and its targets as arrays."""

    data: TaskData
    arrays: TaskArrays
    control_tasks: int

    @cached_property
    def baselines(self) -> dict[str, dict[str, float]]:
        """The same for every encoder, and only drawn up where something is to be measured."""
        return baselines(self.data, self.arrays)

    @cached_property
    def controls(self) -> Controls:
        """The same for every encoder."""
        return controls(self.data, self.arrays, self.control_tasks)


@dataclass(frozen=True)
class Planned:
    """What is asked of one encoder: the units that are recorded already and those to do."""

    encoder: Encoder
    recorded: list[Record]
    missing: list[tuple[Key, Prepared]]


@dataclass(frozen=True)
class Outcome:
    """The records that were asked for, where they are kept, and the encoders that could not run.

    ``problems`` are lines of the file of records that had to be left out.
    """

    records: list[Record]
    folder: Path
    computed: int
    errors: dict[str, LayerwiseError]
    problems: list[str]


def evaluate(config: RunConfig) -> Outcome:
    """Measure what is asked for and not recorded yet; return all that was asked for."""
    tasks = prepare_tasks(config)
    folder = files.make_folder(config.folder())
    file = RecordFile(folder / RECORDS)
    records: list[Record] = []
    errors: dict[str, LayerwiseError] = {}
    computed = 0
    for name in config.encoder:
        try:
            with _blame(f"encoder {name}"):
                planned = plan(config, name, tasks, file)
            records += planned.recorded
            for record in compute(config, planned):
                file.append(record)
                records.append(record)
                computed += 1
        except LayerwiseError as error:
            errors[name] = error
    problems = [str(problem) for problem in file.read().problems]
    return Outcome(records, folder, computed, errors, problems)


def prepare_tasks(config: RunConfig) -> list[Prepared]:
    """The tasks' targets on the run's data. A wrong name is found before anything is computed."""
    for name in config.encoder:
        registry.owner("encoder", registry.split_name(name.split("+random")[0])[0])
    with _blame(f"probe {config.probe}"):
        _probe(config).settings()
    kinds = {}
    for name in config.task:
        head, argument = registry.split_name(name)
        with _blame(f"task {name}"):
            kinds[name] = registry.load("task", head)(argument)
    corpus = load_corpus(config.data)
    prepared = []
    for name, task in progress.track(kinds.items(), "laying out the targets", len(kinds)):
        with _blame(f"task {name}"):
            files.canonical_json(dict(task.facts))  # or no record could be written
            data = prepare(task, corpus)
            prepared.append(Prepared(data, to_arrays(data), config.controls))
    return prepared


def plan(config: RunConfig, name: str, tasks: list[Prepared], file: RecordFile) -> Planned:
    """Load the encoder and tell which of its units are recorded. A failed unit is done again."""
    encoder = load_encoder(
        name,
        EncoderOptions(
            device=config.device,
            batch_words=config.batch_words,
            subword_pooling=config.subword_pooling,
            context=config.context,
        ),
    )
    known = {record.id: record for record in file.read().records if record.status == "ok"}
    recorded, missing = [], []
    for task in tasks:
        for layer in select_layers(config.layers, len(encoder.layer_names)):
            key = _key(config, encoder, task, layer)
            if key.id in known:
                recorded.append(known[key.id])
            else:
                missing.append((key, task))
    return Planned(encoder, recorded, missing)


def compute(config: RunConfig, planned: Planned) -> Iterator[Record]:
    """Encode once, then fit and score every missing unit; records come as they are done."""
    if not planned.missing:
        return
    encoder = planned.encoder
    store = Store()
    # Every task reads the same documents, so one pass over each split serves them all.
    splits = planned.missing[0][1].data.splits
    with _blame(f"encoder {encoder.name}"):
        activations = {name: store.activations(encoder, splits[name].documents) for name in SPLITS}
    units = [_unit(config, encoder, key, task, activations) for key, task in planned.missing]
    jobs = _jobs(units, activations, encoder.dim, engine.count(config.workers))
    done = engine.run(measure_layer, jobs, engine=config.engine, workers=config.workers)
    with progress.bar(f"probing {encoder.name}", sum(job.cost for job in jobs)) as advance:
        for cost, records in done:
            yield from records
            advance(cost, "")


@contextmanager
def _blame(whose: str) -> Iterator[None]:
    """Tell whose exception it is: anyone may have written an encoder, a task or a probe."""
    try:
        yield
    except LayerwiseError:
        raise
    except Exception as error:
        raise ModelError(
            f"fails ({type(error).__name__}: {error})",
            where=whose,
            cure="`probe --debug` shows where",
        ) from error


def _probe(config: RunConfig) -> Probe:
    probe: Probe = registry.load("probe", config.probe)()
    return probe


def _key(config: RunConfig, encoder: Encoder, task: Prepared, layer: int) -> Key:
    probe = _probe(config)
    return Key(
        encoder=encoder.name,
        fingerprint=encoder.fingerprint,
        task=task.data.task,
        data=task.data.facts["corpus"],
        data_hash=task.arrays.data_hash,
        layer=layer,
        probe=f"{probe.name}.{probe.version}",
        seed=0,
        settings={
            "span_pooling": config.span_pooling,
            "controls": config.controls,
            **({"codelength": config.codelength} if config.codelength else {}),
            **({"refits": config.refits} if config.refits else {}),
            **(encoder.settings if isinstance(encoder, Configured) else {}),
            **probe.settings(),
        },
    )


def _unit(
    config: RunConfig,
    encoder: Encoder,
    key: Key,
    task: Prepared,
    activations: dict[str, Activations],
) -> Unit:
    facts: dict[str, Any] = {
        **task.data.facts,
        "encoder": {
            "parameters": encoder.parameters,
            "dim": encoder.dim,
            "final_norm": encoder.final_norm,
            "input": {name: entry.manifest["input"] for name, entry in activations.items()},
            "stored_as": sorted({str(entry.manifest["dtype"]) for entry in activations.values()}),
        },
    }
    return Unit(
        key=key,
        layer_name=encoder.layer_names[key.layer],
        layers=len(encoder.layer_names),
        arrays=task.arrays,
        controls=task.controls,
        probe=_probe(config),
        span_pooling=config.span_pooling,
        device=config.device,
        orders=config.codelength,
        refits=config.refits,
        baselines=task.baselines,
        facts=facts,
    )


def _jobs(
    units: list[Unit], activations: dict[str, Activations], dim: int, workers: int
) -> list[LayerJob]:
    """One job a layer; where that leaves workers idle, one a unit. The longest come first."""
    layers: dict[int, list[Unit]] = {}
    for unit in units:
        layers.setdefault(unit.key.layer, []).append(unit)
    groups = list(layers.values())
    if len(groups) < workers:
        groups = [[unit] for unit in units]
    jobs = [LayerJob(activations, group, sum(unit.cost(dim) for unit in group)) for group in groups]
    return sorted(jobs, key=lambda job: -job.cost)
