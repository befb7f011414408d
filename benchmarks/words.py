"""The words that the benchmarks measure on: a real layer, parts of speech, control labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layerwise.core import registry
from layerwise.encoders.base import EncoderOptions
from layerwise.encoders.loading import load_encoder
from layerwise.encoders.store import Store
from layerwise.probes.controls import control_labels
from layerwise.suite.arrays import to_arrays
from layerwise.suite.baselines import types_of
from layerwise.tasks.corpora import load_corpus
from layerwise.tasks.preparation import prepare

Array = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Words:
    """Layers of shape (words, dim) as they are stored, labels (words,), and the words' types."""

    layers: list[Array]
    labels: Ints
    dev_layers: list[Array]
    dev_labels: Ints
    types: list[str]
    classes: int

    def problems(self, count: int, rows: int) -> Ints:
        """The task and ``count - 1`` control tasks on the first rows: (count, rows)."""
        own, types = self.labels[:rows], self.types[:rows]
        controls = [
            control_labels(types, own, self.classes, seed=seed, name="pos")
            for seed in range(count - 1)
        ]
        return np.stack([own, *controls])


def load(corpus: str, layers: list[int]) -> Words:
    """Parts of speech of a corpus, and these layers of MiniLM; encoded once, then cached."""
    documents = load_corpus(corpus)
    task = prepare(registry.load("task", "pos")(""), documents)
    arrays = to_arrays(task)
    encoder = load_encoder("minilm", EncoderOptions(context="sentence"))
    found = {}
    for name in ("train", "dev"):
        stored = Store().activations(encoder, task.splits[name].documents)
        places = arrays.splits[name].spans1[:, 0]
        found[name] = [np.asarray(stored.layer(index))[places] for index in layers]
    return Words(
        layers=found["train"],
        labels=arrays.splits["train"].labels,
        dev_layers=found["dev"],
        dev_labels=arrays.splits["dev"].labels,
        types=types_of(task.splits["train"]),
        classes=len(arrays.classes),
    )
