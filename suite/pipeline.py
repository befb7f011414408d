"""The pipeline: text -> tasks -> encoders -> probes -> records. Read it from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..core import progress
from ..core.types import text_hash
from ..encoders.base import Configured, Encoder, Randomisable
from ..encoders.batch_tuning import BatchChoice, TunedEncoder
from ..encoders.store import Store
from ..results.records import Key, Record
from . import engine, ensembling
from .blame import blame
from .choices import PROBE as CHOICE
from .choices import ChoiceUnit, PreparedChoices
from .config import RunConfig, select_layers
from .control_encoders import Row, rows_of
from .encoder_facts import encoder_facts
from .encoder_options import AUTO, encoder_of
from .kept import targets_of
from .layers import Layers
from .measure import LayerJob, Unit, measure_layer
from .outcome import Outcome, over_encoders
from .prepared import AnyPrepared, Prepared, documents_of, prepare_tasks, probe_of
from .structural import PROBE as STRUCTURAL
from .structural import PreparedTrees, TreeUnit
from .word_identity import word_identities


@dataclass(frozen=True)
class Reading:
    """A unit, and the activations of each split that it reads."""

    unit: Unit | ChoiceUnit | TreeUnit
    activations: dict[str, Layers]


@dataclass(frozen=True)
class Planned:
    """What is asked of one encoder: the units that are recorded already and those to do."""

    encoder: Encoder
    recorded: list[Record]
    missing: list[tuple[Key, AnyPrepared]]


def evaluate(config: RunConfig) -> Outcome:
    """Measure what is asked for and not recorded yet; return all that was asked for."""
    if ensembling.is_ensemble(config):
        return ensembling.evaluate(config)
    tasks = prepare_tasks(config)
    rows: dict[str, Row] = {}
    with_weights: set[str] = set()

    def names() -> Iterator[str]:
        for row in rows_of(config, with_weights.__contains__):
            rows[row.encoder] = row
            yield row.encoder

    def measure(name: str, known: Mapping[str, Record]) -> tuple[list[Record], Iterator[Record]]:
        with blame(f"encoder {name}"):
            planned = plan(config, rows[name], tasks, known)
        if isinstance(planned.encoder, Randomisable):
            with_weights.add(name)
        return planned.recorded, compute(config, planned)

    return over_encoders(names(), config.folder(), measure)


def plan(
    config: RunConfig, row: Row, tasks: list[AnyPrepared], known: Mapping[str, Record]
) -> Planned:
    """Load the encoder and tell which of its units are recorded: ``known``, by id.

    A failed unit is done again.
    """
    encoder = encoder_of(config, row.encoder)
    recorded, missing = [], []
    for task in tasks:
        for layer in select_layers(row.layers, len(encoder.layer_names)):
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
    tuned = TunedEncoder(encoder) if config.batch_words == AUTO else None
    # One pass over each split serves all tasks that read it.
    with blame(f"encoder {encoder.name}"):
        encoded = {
            text_hash(read): store.activations(tuned or encoder, read)
            for read in documents_of(
                task for _, task in planned.missing if not _reads_words(encoder, task)
            )
        }
    batches = tuned.choice if tuned and tuned.choice.speeds else None
    if batches:
        progress.say(f"{encoder.name}: {batches}")
    for task in {task.arrays.data_hash: task for _, task in planned.missing}.values():
        if isinstance(task, Prepared):
            targets_of(task.data, task.arrays).write(config.folder(), task.arrays.data_hash)
    units = []
    for key, task in planned.missing:
        read = _read(encoder, task, encoded)
        units.append(Reading(_unit(config, encoder, key, task, read, batches), read))
    jobs = _jobs(units, encoder.dim, engine.count(config.workers))
    done = engine.run(measure_layer, jobs, engine=config.engine, workers=config.workers)
    with progress.bar(f"probing {encoder.name}", sum(job.cost for job in jobs)) as advance:
        for cost, records in done:
            yield from records
            advance(cost, "")


def _reads_words(encoder: Encoder, task: AnyPrepared) -> bool:
    """Whether the task is probed on which word it is, which is never encoded."""
    return isinstance(task, Prepared) and bool(getattr(encoder, "word_identity", False))


def _read(encoder: Encoder, task: AnyPrepared, encoded: Mapping[str, Layers]) -> dict[str, Layers]:
    """What stands for each split of the task: its activations, or its words themselves."""
    if isinstance(task, Prepared) and _reads_words(encoder, task):
        return dict(word_identities(task.data.splits))
    splits = task.data.splits.items()
    return {name: encoded[text_hash(split.documents)] for name, split in splits}


def _key(config: RunConfig, encoder: Encoder, task: AnyPrepared, layer: int) -> Key:
    probe, settings = _probe_settings(config, task)
    return Key(
        encoder=encoder.name,
        fingerprint=encoder.fingerprint,
        task=task.data.task,
        data=task.data.facts["corpus"],
        data_hash=task.arrays.data_hash,
        layer=layer,
        probe=probe,
        seed=0,
        settings={
            **config.split_settings,
            **settings,
            **(encoder.settings if isinstance(encoder, Configured) else {}),
        },
    )


def _probe_settings(config: RunConfig, task: AnyPrepared) -> tuple[str, dict[str, Any]]:
    """The probe's versioned name, and all settings that change its numbers."""
    if isinstance(task, PreparedChoices):
        return CHOICE, {}
    if isinstance(task, PreparedTrees):
        return STRUCTURAL, task.settings
    probe = probe_of(config)
    return f"{probe.name}.{probe.version}", {
        "span_pooling": config.span_pooling,
        "controls": config.controls,
        **({"train_targets": config.train_targets} if config.train_targets else {}),
        **({"codelength": config.codelength} if config.codelength else {}),
        **({"refits": config.refits} if config.refits else {}),
        **probe.settings(),
    }


def _unit(
    config: RunConfig,
    encoder: Encoder,
    key: Key,
    task: AnyPrepared,
    activations: dict[str, Layers],
    batches: BatchChoice | None,
) -> Unit | ChoiceUnit | TreeUnit:
    facts: dict[str, Any] = {
        **task.data.facts,
        "encoder": encoder_facts(encoder, activations) | (batches.facts() if batches else {}),
    }
    layer_name, layers = encoder.layer_names[key.layer], len(encoder.layer_names)
    if isinstance(task, PreparedChoices):
        return ChoiceUnit(
            key, layer_name, layers, task.arrays, task.baselines, facts, config.folder()
        )
    if isinstance(task, PreparedTrees):
        return TreeUnit(
            key,
            layer_name,
            layers,
            task.arrays,
            task.controls,
            task.probe,
            task.baselines,
            facts,
            config.folder(),
        )
    return Unit(
        key=key,
        layer_name=layer_name,
        layers=layers,
        arrays=task.arrays,
        controls=task.controls,
        probe=probe_of(config),
        span_pooling=config.span_pooling,
        device=config.device,
        orders=config.codelength,
        refits=config.refits,
        baselines=task.baselines,
        facts=facts,
        folder=config.folder(),
        bias=task.bias,
    )


def _jobs(units: list[Reading], dim: int, workers: int) -> list[LayerJob]:
    """One job a layer of a text; where that leaves workers idle, one a unit. The longest first."""
    layers: dict[tuple[int, ...], list[Reading]] = {}
    for each in units:
        text = (id(activations) for activations in each.activations.values())
        layers.setdefault((each.unit.key.layer, *text), []).append(each)
    groups = list(layers.values())
    if len(groups) < workers:
        groups = [[each] for each in units]
    jobs = [
        LayerJob(
            group[0].activations,
            [each.unit for each in group],
            sum(each.unit.cost(dim) for each in group),
        )
        for group in groups
    ]
    return sorted(jobs, key=lambda job: -job.cost)
