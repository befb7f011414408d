"""The pipeline: text -> tasks -> encoders -> probes -> records. Read it from top to bottom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..core import files, progress, registry
from ..core.errors import LayerwiseError, ModelError, UsageError
from ..core.types import SPLITS, Document, TaskData, text_hash
from ..encoders.base import Configured, Encoder, EncoderOptions
from ..encoders.loading import load_encoder
from ..encoders.store import Activations, Store
from ..probes.base import Probe
from ..results.records import Key, Record
from ..tasks.aspects import TaskGroup
from ..tasks.base import Corpus
from ..tasks.choices import ChoiceTask, prepare_choices
from ..tasks.corpora import load_corpus
from ..tasks.preparation import prepare
from . import engine
from .arrays import TaskArrays, to_arrays
from .baselines import baselines
from .choice_arrays import choice_arrays
from .choices import PROBE as CHOICE
from .choices import ChoiceUnit, PreparedChoices
from .config import RunConfig, select_layers
from .controls import Controls, controls
from .measure import LayerJob, Unit, measure_layer
from .outcome import Outcome, over_encoders


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

    @property
    def summary(self) -> str:
        """What there is to measure, in a few words."""
        sizes = (f"{name} {len(self.data.splits[name].targets):,}" for name in SPLITS)
        return f"{len(self.arrays.classes)} labels; targets {', '.join(sizes)}"


Documents = tuple[Document, ...]

AnyPrepared = Prepared | PreparedChoices
"""A task with labels to learn, or one without training."""


@dataclass(frozen=True)
class Reading:
    """A unit, and the activations of each split that it reads."""

    unit: Unit | ChoiceUnit
    activations: dict[str, Activations]


@dataclass(frozen=True)
class Planned:
    """What is asked of one encoder: the units that are recorded already and those to do."""

    encoder: Encoder
    recorded: list[Record]
    missing: list[tuple[Key, AnyPrepared]]


def evaluate(config: RunConfig) -> Outcome:
    """Measure what is asked for and not recorded yet; return all that was asked for."""
    tasks = prepare_tasks(config)

    def measure(name: str, known: Mapping[str, Record]) -> tuple[list[Record], Iterator[Record]]:
        with blame(f"encoder {name}"):
            planned = plan(config, name, tasks, known)
        return planned.recorded, compute(config, planned)

    return over_encoders(config.encoder, config.folder(), measure)


def prepare_tasks(config: RunConfig) -> list[AnyPrepared]:
    """The tasks' targets on the run's data. A wrong name is found before anything is computed."""
    for name in config.encoder:
        registry.owner("encoder", registry.split_name(name.split("+random")[0])[0])
    with blame(f"probe {config.probe}"):
        _probe(config).settings()
    kinds = {name: task_of(name) for name in config.task}
    if all(isinstance(task, ChoiceTask) for task in kinds.values()):
        for flag, asked in (("--codelength", config.codelength), ("--refits", config.refits)):
            if asked:
                raise UsageError(f"nothing is fitted for {', '.join(kinds)}", where=flag)
    corpus = load_corpus(config.data)
    kinds = expanded(kinds, corpus)
    prepared: list[AnyPrepared] = []
    for name, task in progress.track(kinds.items(), "laying out the targets", len(kinds)):
        with blame(f"task {name}"):
            files.canonical_json(dict(task.facts))  # or no record could be written
            if isinstance(task, ChoiceTask):
                choices = prepare_choices(task, corpus)
                prepared.append(PreparedChoices(choices, choice_arrays(choices)))
            else:
                data = prepare(task, corpus)
                arrays = to_arrays(data)
                prepared.append(Prepared(data, arrays, config.controls))
                if config.codelength and arrays.several:
                    raise UsageError(
                        f"{name} has several labels a target, and no code for them",
                        where="--codelength",
                        cure="measure it in a run of its own",
                    )
    return prepared


def task_of(name: str) -> Any:
    """The task of that name. Raises UsageError where there is none."""
    head, argument = registry.split_name(name)
    with blame(f"task {name}"):
        return registry.load("task", head)(argument)


def expanded(kinds: Mapping[str, Any], corpus: Corpus) -> dict[str, Any]:
    """The tasks by name, with the members of each group in its place."""
    found: dict[str, Any] = {}
    for name, task in kinds.items():
        members = task.members(corpus) if isinstance(task, TaskGroup) else ()
        found |= {each: task_of(each) for each in members} or {name: task}
    return found


def documents_of(tasks: Iterable[AnyPrepared]) -> list[Documents]:
    """The distinct texts that the tasks read, each once: a split's documents, for most tasks."""
    splits = (task.data.splits[name] for task in tasks for name in task.data.splits)
    return list({text_hash(split.documents): split.documents for split in splits}.values())


def encoder_of(config: RunConfig, name: str) -> Encoder:
    """The encoder of that name, with the run's options."""
    return load_encoder(
        name,
        EncoderOptions(
            device=config.device,
            batch_words=config.batch_words,
            subword_pooling=config.subword_pooling,
            context=config.context,
        ),
    )


def plan(
    config: RunConfig, name: str, tasks: list[AnyPrepared], known: Mapping[str, Record]
) -> Planned:
    """Load the encoder and tell which of its units are recorded: ``known``, by id.

    A failed unit is done again.
    """
    encoder = encoder_of(config, name)
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
    # One pass over each split serves all tasks that read it.
    with blame(f"encoder {encoder.name}"):
        encoded = {
            text_hash(read): store.activations(encoder, read)
            for read in documents_of(task for _, task in planned.missing)
        }
    units = []
    for key, task in planned.missing:
        splits = task.data.splits.items()
        read = {name: encoded[text_hash(split.documents)] for name, split in splits}
        units.append(Reading(_unit(config, encoder, key, task, read), read))
    jobs = _jobs(units, encoder.dim, engine.count(config.workers))
    done = engine.run(measure_layer, jobs, engine=config.engine, workers=config.workers)
    with progress.bar(f"probing {encoder.name}", sum(job.cost for job in jobs)) as advance:
        for cost, records in done:
            yield from records
            advance(cost, "")


@contextmanager
def blame(whose: str) -> Iterator[None]:
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


def _key(config: RunConfig, encoder: Encoder, task: AnyPrepared, layer: int) -> Key:
    trains = isinstance(task, Prepared)
    probe, settings = _probe_settings(config) if trains else (CHOICE, {})
    return Key(
        encoder=encoder.name,
        fingerprint=encoder.fingerprint,
        task=task.data.task,
        data=task.data.facts["corpus"],
        data_hash=task.arrays.data_hash,
        layer=layer,
        probe=probe,
        seed=0,
        settings={**settings, **(encoder.settings if isinstance(encoder, Configured) else {})},
    )


def _probe_settings(config: RunConfig) -> tuple[str, dict[str, Any]]:
    """The probe's versioned name, and all settings that change its numbers."""
    probe = _probe(config)
    return f"{probe.name}.{probe.version}", {
        "span_pooling": config.span_pooling,
        "controls": config.controls,
        **({"codelength": config.codelength} if config.codelength else {}),
        **({"refits": config.refits} if config.refits else {}),
        **probe.settings(),
    }


def _unit(
    config: RunConfig,
    encoder: Encoder,
    key: Key,
    task: AnyPrepared,
    activations: dict[str, Activations],
) -> Unit | ChoiceUnit:
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
    layer_name, layers = encoder.layer_names[key.layer], len(encoder.layer_names)
    if isinstance(task, PreparedChoices):
        return ChoiceUnit(key, layer_name, layers, task.arrays, task.baselines, facts)
    return Unit(
        key=key,
        layer_name=layer_name,
        layers=layers,
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
