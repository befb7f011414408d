"""Probe ensembles over an encoder's layers, from text to records: one unit a task and arm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..core import progress
from ..core.errors import UsageError
from ..core.types import SPLITS, text_hash
from ..encoders.base import Configured, Encoder
from ..encoders.store import Store
from ..probes.ensemble import ARMS, HyperDeep
from ..results.records import Key, Record
from . import engine
from .blame import blame
from .config import RunConfig, select_layers
from .encoder_facts import encoder_facts
from .encoder_options import encoder_of
from .ensemble_arms import EnsembleJob, measure_arms
from .kept import targets_of
from .outcome import Outcome, over_encoders
from .prepared import AnyPrepared, Prepared, documents_of, prepare_tasks, probe_of


@dataclass(frozen=True)
class PlannedEnsembles:
    """What is asked of one encoder: the arms that are recorded already, and the keys of those to
    do with their tasks."""

    encoder: Encoder
    layers: tuple[int, ...]
    recorded: list[Record]
    missing: list[tuple[dict[str, Key], Prepared]]


def is_ensemble(config: RunConfig) -> bool:
    """Whether the run's probe is an ensemble over layers, and none of a layer."""
    return isinstance(probe_of(config), HyperDeep)


def prepare(config: RunConfig) -> list[Prepared]:
    """The tasks of a run of ensembles. Raises UsageError for what cannot be asked of them."""
    for flag, asked in (
        ("--codelength", config.codelength),
        ("--refits", config.refits),
        ("--span-pooling attentive", config.span_pooling == "attentive"),
    ):
        if asked:
            raise UsageError(
                f"the probe {config.probe} has no such thing",
                where=flag,
                cure="leave it away, or take --probe linear",
            )
    return [_labelled(task, config.probe) for task in prepare_tasks(config)]


def evaluate(config: RunConfig) -> Outcome:
    """Fit and score the arms that are asked for and not recorded yet; return all their records.

    Encoders are those asked for: control tasks and control encoders are not about ensembles.
    """
    tasks = prepare(config)

    def measure(name: str, known: Mapping[str, Record]) -> tuple[list[Record], Iterator[Record]]:
        planned = plan(config, name, tasks, known)
        return planned.recorded, _compute(config, planned)

    return over_encoders(config.encoder, config.folder(), measure)


def plan(
    config: RunConfig, name: str, tasks: Sequence[Prepared], known: Mapping[str, Record]
) -> PlannedEnsembles:
    """Load the encoder and tell which of its arms are recorded: ``known``, by id."""
    encoder = encoder_of(config, name)
    if getattr(encoder, "word_identity", False):
        raise UsageError(
            f"{name} has no layers of features to make an ensemble of",
            where="--encoder",
            cure="take --probe linear",
        )
    layers = tuple(select_layers(config.layers, len(encoder.layer_names)))
    recorded, missing = [], []
    for task in tasks:
        keys = {arm: _key(config, encoder, task, layers, arm) for arm in ARMS}
        recorded += [known[key.id] for key in keys.values() if key.id in known]
        keys = {arm: key for arm, key in keys.items() if key.id not in known}
        if keys:
            missing.append((keys, task))
    return PlannedEnsembles(encoder, layers, recorded, missing)


def _labelled(task: AnyPrepared, probe: str) -> Prepared:
    if (
        not isinstance(task, Prepared)
        or task.arrays.several
        or task.arrays.groups is not None
    ):  # fmt: skip
        raise UsageError(
            f"{task.data.task} is no task of one label a target, and {probe} takes no other",
            where="--task",
            cure="take --probe linear for it",
        )
    return task


def _key(
    config: RunConfig, encoder: Encoder, task: Prepared, layers: Sequence[int], arm: str
) -> Key:
    probe = probe_of(config)
    return Key(
        encoder=encoder.name,
        fingerprint=encoder.fingerprint,
        task=task.data.task,
        data=task.data.facts["corpus"],
        data_hash=task.arrays.data_hash,
        layer=layers[-1],
        probe=f"{probe.name}.{probe.version}",
        seed=0,
        settings={
            "arm": arm,
            "span_pooling": config.span_pooling,
            **config.split_settings,
            **({"train_targets": config.train_targets} if config.train_targets else {}),
            **({} if config.layers == "all" else {"layers": ",".join(map(str, layers))}),
            **probe.settings(),
            **(encoder.settings if isinstance(encoder, Configured) else {}),
        },
    )


def _compute(config: RunConfig, planned: PlannedEnsembles) -> Iterator[Record]:
    if not planned.missing:
        return
    encoder, store = planned.encoder, Store()
    tasks = [task for _, task in planned.missing]
    with blame(f"encoder {encoder.name}"):
        encoded = {
            text_hash(read): store.activations(encoder, read) for read in documents_of(tasks)
        }
    jobs = []
    for keys, task in planned.missing:
        targets_of(task.data, task.arrays).write(config.folder(), task.arrays.data_hash)
        read = {
            name: encoded[text_hash(task.data.splits[name].documents)]
            for name in SPLITS
        }  # fmt: skip
        probe = probe_of(config)
        assert isinstance(probe, HyperDeep)
        probe.device = config.device if config.device.startswith("cuda") else "cpu"
        jobs.append(
            EnsembleJob(
                activations=dict(read),
                keys=keys,
                layers=planned.layers,
                encoder_layers=len(encoder.layer_names),
                arrays=task.arrays,
                probe=probe,
                span_pooling=config.span_pooling,
                baselines=task.baselines,
                facts={
                    **task.data.facts,
                    "encoder": encoder_facts(encoder, read),
                    "clusters": task.arrays.cluster,
                    "controls": "none: an ensemble has no control tasks",
                },
                folder=config.folder(),
            )
        )
    jobs.sort(key=lambda job: -job.cost)
    done = engine.run(measure_arms, jobs, engine=config.engine, workers=config.workers)
    with progress.bar(f"ensembling {encoder.name}", sum(job.cost for job in jobs)) as advance:
        for cost, records in done:
            yield from records
            advance(cost, "")
