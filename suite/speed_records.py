"""From measured times to records: one for each encoder, layer and size of batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..core import provenance
from ..core.errors import in_one_line
from ..core.types import Document
from ..encoders.base import Configured, Encoder, InputReporter
from ..encoders.stopwatch import HostClock, Stopwatch
from ..encoders.timing import Timing
from ..results.records import Key, Record
from ..results.speed import METRIC, REACHED, TASK

PROBE = "stopwatch.v1"
WARM_UP = 4
"""Passes that are not measured: the one whose calls are recorded, and a visit's three."""


@dataclass(frozen=True)
class Batch:
    """Texts of one length that an encoder is given at once, and the hash of what they say."""

    length: int
    documents: list[Document]
    corpus: str
    data_hash: str

    def __str__(self) -> str:
        return f"{len(self.documents)} x {self.length} words"


def keys(encoder: Encoder, batch: Batch, clock: Stopwatch) -> list[Key]:
    """The key of each layer's record. Another machine or number of threads is another unit."""
    return [
        Key(
            encoder=encoder.name,
            fingerprint=encoder.fingerprint,
            task=TASK,
            data=batch.corpus,
            data_hash=batch.data_hash,
            layer=layer,
            probe=PROBE,
            seed=0,
            settings={
                "batch_size": len(batch.documents),
                "length": batch.length,
                "device": clock.hardware,
                "threads": torch.get_num_threads(),
                **(encoder.settings if isinstance(encoder, Configured) else {}),
            },
        )
        for layer in range(len(encoder.layer_names))
    ]


def records(
    encoder: Encoder, batch: Batch, clock: Stopwatch, timing: Timing, around: dict[str, Any]
) -> list[Record]:
    """Each layer's record, or the last layer's alone where only the whole is known.

    ``around`` says what went on beside the measurement.
    """
    report = encoder.input_report(batch.documents) if isinstance(encoder, InputReporter) else {}
    words = len(batch.documents) * batch.length
    counts = {
        **report,
        "words": words,
        "texts": len(batch.documents),
        "types": len({word for document in batch.documents for word in document.words}),
        "repeats": len(timing.reached),
        "model_calls": timing.calls,
    }
    facts = {**_facts(encoder, clock, timing), "corpus": batch.corpus, **around}
    seconds = {
        "encode_seconds": timing.encode,
        "prepare_seconds": timing.prepare,
        "forward_seconds": timing.forward,
        "marked_forward_seconds": timing.marked,
    }
    return [
        Record(
            key=key,
            layer_name=encoder.layer_names[key.layer],
            layers=len(encoder.layer_names),
            status="ok",
            metric=METRIC,
            scores={name: _short(value) for name, value in _scores(timing, column, words).items()},
            counts=counts,
            facts=facts,
            timing={
                name: _short(np.median(values) / 1e3)
                for name, values in seconds.items()
                if values is not None
            },
            provenance=provenance.describe(),
        )
        for column, key in enumerate(keys(encoder, batch, clock)[-timing.reached.shape[1] :])
    ]


def failures(keys: list[Key], encoder: Encoder, error: Exception) -> list[Record]:
    """Records that say why there is no time."""
    return [
        Record(
            key=key,
            layer_name=encoder.layer_names[key.layer],
            layers=len(encoder.layer_names),
            status="failed",
            error=in_one_line(error),
            metric=METRIC,
            provenance=provenance.describe(),
        )
        for key in keys
    ]


def _scores(timing: Timing, column: int, words: int) -> dict[str, float]:
    reached = timing.reached[:, column]  # (repeats,)
    low, middle, high = np.percentile(reached, (25, 50, 75))
    scores = {
        METRIC: middle,
        f"{METRIC}_min": reached.min(),
        f"{METRIC}_q25": low,
        f"{METRIC}_q75": high,
        "words_per_second": words / middle * 1e3,
    }
    if timing.layers is not None:
        scores[f"{METRIC}_without_layer_0"] = np.median(reached - timing.layers[:, 0])
    if timing.inspection is not None:
        scores["peak_megabytes"] = timing.inspection.peak_bytes / 1e6
    return scores


def _facts(encoder: Encoder, clock: Stopwatch, timing: Timing) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "cost": _meaning(timing),
        "clock": clock.name if timing.calls else HostClock.name,
        "warm_up_passes": WARM_UP,
        "precision": timing.precision,
        "kernels": [],
        "encoder": {"parameters": encoder.parameters, "dim": encoder.dim},
    }
    if timing.inspection is not None:
        facts["kernels"] = list(timing.inspection.kernels)
        facts["memory"] = timing.inspection.memory
        facts["host_waits"] = timing.inspection.waits
    if timing.forward is not None and timing.processor is not None:
        # Below 1 on a processor, other work held it; beside a GPU it is the host's work.
        facts["processor_share"] = _short(timing.processor.sum() / timing.forward.sum())
    return facts


def _meaning(timing: Timing) -> str:
    if timing.layers is not None:
        return REACHED
    if timing.forward is not None:
        return "the model's whole time: its layers' vectors stand in no module's output"
    return "all of encode: it calls no torch module"


def _short(value: float) -> float:
    return float(f"{value:.6g}")
