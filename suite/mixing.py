"""Scalar mixes of an encoder's layers, from text to records: one unit a task and last layer.

A mix's score has a name of its own (``mix_accuracy``), so that no column of a table holds scores
of single layers and of mixes: a mix over the layers 0 to k knows all of them, layer k does not.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core import progress, provenance
from ..core.errors import DataError, UsageError, in_one_line
from ..core.types import SPLITS
from ..encoders.base import Configured, Encoder
from ..encoders.store import Activations, Store
from ..probes import metrics
from ..probes.layer_profile import centre_of_gravity
from ..probes.layer_stack import LayerStack
from ..probes.scalar_mix import ScalarMix
from ..probes.spans import distinct_spans, pool_spans
from ..results.records import Key, Record
from ..results.statistics import bootstrap_interval
from . import engine
from .arrays import SplitArrays, TaskArrays
from .blame import blame
from .config import RunConfig
from .encoder_facts import encoder_facts
from .encoder_options import encoder_of
from .outcome import Outcome, over_encoders
from .prepared import AnyPrepared, Prepared, prepare_tasks
from .scoring import scores_of

_POOLINGS = ("mean", "first", "last", "endpoints")  # those that commute with mixing


@dataclass(frozen=True)
class MixJob:
    """One mix to fit: small enough to be sent to a worker, which reads the layers itself."""

    activations: dict[str, Activations]
    key: Key
    layers: int
    arrays: TaskArrays
    probe: ScalarMix
    span_pooling: str
    baselines: dict[str, dict[str, float]]
    facts: dict[str, Any]

    @property
    def cost(self) -> float:
        """How much there is to do, in multiplications, for an estimate of the time left."""
        train = self.arrays.splits["train"]
        width = float(self.activations["train"].manifest["shape"][2])
        columns = len(self.arrays.classes) * (1 if train.spans2 is None else 4)
        return len(train.labels) * width * (columns + self.key.layer)


def evaluate(config: RunConfig, *, cumulative: bool = False, starts: int = 3) -> Outcome:
    """Fit the mixes over all layers, or over the layers 0 to k for every k; return their records.

    What is recorded already is not fitted again.
    """
    if config.span_pooling not in _POOLINGS:
        raise UsageError(
            f"{config.span_pooling} of words is not that of mixed words",
            where="--span-pooling",
            cure="take " + ", ".join(_POOLINGS),
        )
    tasks = [_labelled(task) for task in prepare_tasks(config)]

    def measure(name: str, known: Mapping[str, Record]) -> tuple[list[Record], Iterator[Record]]:
        encoder = encoder_of(config, name)
        recorded, missing = [], []
        for key, task in _planned(config, encoder, tasks, cumulative, starts):
            if key.id in known:
                recorded.append(known[key.id])
            else:
                missing.append((key, task))
        return recorded, _compute(config, encoder, missing, starts)

    return over_encoders(config.encoder, config.folder(), measure)


def stack_of(layers: Sequence[Any], split: SplitArrays, span_pooling: str) -> LayerStack:
    """A split's targets at several layers, each of shape (words, dim)."""
    if split.spans2 is None:
        spans, rows = split.spans1, np.arange(len(split.spans1))
    else:
        spans, rows = distinct_spans(split.spans1, split.spans2)
    if span_pooling != "endpoints" and (spans[:, 1] - spans[:, 0] == 1).all():
        # In the layers' own precision: float16 takes half the memory.
        return LayerStack([layer[spans[:, 0]] for layer in layers], rows)
    return LayerStack([pool_spans(layer, spans, span_pooling) for layer in layers], rows)


def measure_mix(job: MixJob) -> tuple[float, Record]:
    """The job's cost, and its record; what goes wrong becomes a failed one."""
    try:
        return job.cost, _measure(job)
    except Exception as error:
        return job.cost, _record(job, status="failed", error=in_one_line(error))


def _labelled(task: AnyPrepared) -> Prepared:
    if not isinstance(task, Prepared):
        raise UsageError(
            f"{task.data.task} has no labels to learn a mix for",
            where="--task",
            cure="`probe run` measures it",
        )
    if task.arrays.several or task.arrays.groups is not None:
        raise UsageError(
            f"{task.data.task} is no task of one label a target",
            where="--task",
            cure="`probe run` measures it",
        )
    return task


def _planned(
    config: RunConfig, encoder: Encoder, tasks: Sequence[Prepared], cumulative: bool, starts: int
) -> Iterator[tuple[Key, Prepared]]:
    probe = ScalarMix(starts=starts)
    last = len(encoder.layer_names) - 1
    for task in tasks:
        for layer in range(last + 1) if cumulative else [last]:
            key = Key(
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
                    **(encoder.settings if isinstance(encoder, Configured) else {}),
                    **probe.settings(),
                },
            )
            yield key, task


def _compute(
    config: RunConfig, encoder: Encoder, missing: Sequence[tuple[Key, Prepared]], starts: int
) -> Iterator[Record]:
    if not missing:
        return
    store = Store()
    splits = missing[0][1].data.splits
    with blame(f"encoder {encoder.name}"):
        activations = {name: store.activations(encoder, splits[name].documents) for name in SPLITS}
    device = config.device if config.device.startswith("cuda") else "cpu"  # others lack float64
    jobs = [
        MixJob(
            activations=activations,
            key=key,
            layers=len(encoder.layer_names),
            arrays=task.arrays,
            probe=ScalarMix(starts=starts, device=device),
            span_pooling=config.span_pooling,
            baselines=_renamed(task.baselines, task.arrays.metric),
            facts={
                **task.data.facts,
                "encoder": encoder_facts(encoder, activations),
                "clusters": task.arrays.cluster,
            },
        )
        for key, task in missing
    ]
    jobs.sort(key=lambda job: -job.cost)
    done = engine.run(measure_mix, jobs, engine=config.engine, workers=config.workers)
    with progress.bar(f"mixing {encoder.name}", sum(job.cost for job in jobs)) as advance:
        for cost, record in done:
            yield record
            advance(cost, "")


def _measure(job: MixJob) -> Record:
    arrays, probe = job.arrays, job.probe
    classes = len(arrays.classes)
    if classes < 2:
        raise DataError(f"only one label in train: {arrays.classes[0]!r}", where=arrays.task)
    started = time.perf_counter()
    stacks = {
        name: stack_of(
            [job.activations[name].layer(i) for i in range(job.key.layer + 1)],
            arrays.splits[name],
            job.span_pooling,
        )
        for name in SPLITS
    }
    pooled = time.perf_counter()
    train, dev, test = (arrays.splits[name] for name in SPLITS)
    probe.fit(stacks["train"], train.labels, stacks["dev"], dev.labels, classes=classes)
    trained = time.perf_counter()
    probabilities = probe.predict_proba(stacks["test"])
    own = scores_of(probabilities, test.labels, arrays)
    by_start = [
        own
        if start is probe.best_
        else scores_of(probe.predict_proba(stacks["test"], start), test.labels, arrays)
        for start in probe.starts_
    ]
    interval = bootstrap_interval(
        metrics.statistic(arrays.metric, arrays.positive),
        metrics.tallies_by_cluster(
            test.labels, probabilities.argmax(axis=1), test.clusters, classes
        ),
    )
    dev_scores = scores_of(probe.predict_proba(stacks["dev"]), dev.labels, arrays)
    return _record(
        job,
        status="ok",
        scores={
            f"mix_{arrays.metric}": own[arrays.metric],
            **{name: value for name, value in own.items() if name != arrays.metric},
            "centre_of_gravity": centre_of_gravity(probe.shares_),
        },
        dev_scores={f"mix_{arrays.metric}": dev_scores[arrays.metric]},
        interval=interval,
        counts={
            **{f"{name}_targets": len(arrays.splits[name].labels) for name in SPLITS},
            **metrics.counts(test.labels, test.clusters),
            "classes": classes,
        },
        chosen={
            **probe.fit_report(),
            "starts": [
                {
                    "weights": start.shares.tolist(),
                    "objective": start.value,
                    "centre_of_gravity": centre_of_gravity(start.shares),
                    f"mix_{arrays.metric}": scores[arrays.metric],
                    "converged": start.converged,
                }
                for start, scores in zip(probe.starts_, by_start, strict=True)
            ],
        },
        baselines=job.baselines,
        timing={
            "encode_seconds": round(sum(a.seconds for a in job.activations.values()), 3),
            "pool_seconds": round(pooled - started, 3),
            "fit_seconds": round(trained - pooled, 3),
            "score_seconds": round(time.perf_counter() - trained, 3),
        },
    )


def _record(job: MixJob, **found: Any) -> Record:
    return Record(
        key=job.key,
        layer_name=f"mix of 0..{job.key.layer}",
        layers=job.layers,
        metric=f"mix_{job.arrays.metric}",
        facts=job.facts,
        provenance=provenance.describe(),
        **found,
    )


def _renamed(
    baselines: Mapping[str, Mapping[str, float]], metric: str
) -> dict[str, dict[str, float]]:
    """The baselines' score stands below that of the mixes."""
    return {
        name: {f"mix_{metric}" if key == metric else key: value for key, value in scores.items()}
        for name, scores in baselines.items()
    }
