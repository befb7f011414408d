"""A biLM judged by what its layers know: 1 - the best layer's probe score on dev, never on test."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from ..core.errors import UsageError
from ..core.types import Document, Split, Target, TaskData
from ..encoders.base import EncoderOptions
from ..encoders.bilm import BiLM
from ..encoders.bilm_encoder import BiLMEncoder
from ..probes.linear import LinearProbe
from ..tasks.base import Corpus
from ..tasks.choices import ChoiceTask
from ..tasks.corpora import load_corpus
from ..tasks.dependency_trees import TreeTask
from ..tasks.preparation import prepare
from .arrays import to_arrays
from .blame import blame
from .fitting import fit_problems, lay_out
from .limit import limited
from .prepared import task_of
from .scheme import scheme_of
from .scoring import scores_on_dev

MOST = 2000
"""Targets that a probe learns from, and that it is scored on: a search asks often."""

_SPLITS = ("train", "dev")


class ProbeJudge:
    """1 - the dev score of the best layer, of linear probes with L2 chosen on dev.

    At most ``most`` targets are learnt from and at most about as many are scored, of documents
    drawn once for all candidates. Where the data has a test split, it is dropped as soon as the
    data is read. UsageError for a task that has no labels to learn, DataError for data that cannot
    serve the task.
    """

    def __init__(self, task: str, data: str = "builtin", most: int = MOST) -> None:
        kind = task_of(task)
        if isinstance(kind, ChoiceTask | TreeTask):
            raise UsageError(
                f"{task} has no labels for a linear probe to learn",
                where=f"--objective probe:{task}",
                cure="take a task like pos",
            )
        corpus = without_test(load_corpus(data))
        with blame(f"task {task}"):
            drawn = _drawn(prepare(kind, corpus), most)
        self._arrays = to_arrays(drawn)
        self._scheme = scheme_of(self._arrays)
        self._documents = {name: drawn.splits[name].documents for name in _SPLITS}
        self.identity = hashlib.sha256(f"{self._arrays.data_hash} {most}".encode()).hexdigest()
        """Tells tasks and data apart."""

    def __call__(self, model: BiLM) -> float:
        """The loss of a trained biLM, which stays as it is; inf where its states are not finite."""
        states = {name: _encoded(model, self._documents[name]) for name in _SPLITS}
        if not all(np.isfinite(each).all() for each in states.values()):
            return math.inf
        scores = [
            self._score({name: each[layer] for name, each in states.items()})
            for layer in range(len(states["dev"]))
        ]
        return 1 - max(scores)

    def _score(self, vectors: dict[str, NDArray[np.float32]]) -> float:
        """The task's metric on dev, of one layer's (words, dim) vectors."""
        probe = LinearProbe()
        splits = {name: self._arrays.splits[name] for name in _SPLITS}
        features = lay_out(probe, vectors, splits, "mean", "cpu")
        fits = fit_problems(
            probe,
            features["train"],
            self._scheme.problems(splits["train"].labels),
            features["dev"],
            self._scheme.problems(splits["dev"].labels),
            self._scheme.classes,
        )
        joined = self._scheme.joined([fit.predict_proba(features["dev"]) for fit in fits])
        found = scores_on_dev(joined, self._arrays)
        # A task of choices is scored by its pairs on dev, where choices are a sample.
        instead = "accuracy" if self._arrays.positive is None else "f1"
        return found[self._arrays.metric if self._arrays.metric in found else instead]


def without_test(corpus: Corpus) -> Corpus:
    """The corpus with its dev split in the place of its test split, which is not looked at.

    A task is laid out on three splits, and nothing is read of the third here.
    """
    splits = {name: corpus.splits.get(name, ()) for name in _SPLITS}
    return replace(corpus, splits={**splits, "test": splits["dev"]})


def _drawn(data: TaskData, most: int) -> TaskData:
    """Fewer documents, so that fewer words have to be encoded for the targets that count."""
    train = _fewer(data.splits["train"], most)
    dev = _fewer(data.splits["dev"], most)
    keys = {"train": tuple(() for _ in train.targets), "dev": (), "test": ()}
    drawn = replace(
        data,
        splits={"train": train, "dev": dev, "test": dev},
        keys=keys,
        groups=None,
        strata={},
        guesses={},
        natural=None,
    )
    return limited(drawn, most)


def _fewer(split: Split, most: int) -> Split:
    """Documents in an order drawn once, until they hold enough targets; kept as they stood."""
    of_document: dict[str, list[Target]] = {document.id: [] for document in split.documents}
    for target in split.targets:
        of_document[target.document].append(target)
    order = np.random.default_rng(0).permutation(len(split.documents))
    chosen: set[str] = set()
    held = 0
    for number in order.tolist():
        if held >= most:
            break
        document = split.documents[number].id
        if of_document[document]:
            chosen.add(document)
            held += len(of_document[document])
    return Split(
        tuple(document for document in split.documents if document.id in chosen),
        tuple(target for target in split.targets if target.document in chosen),
    )


def _encoded(model: BiLM, documents: Sequence[Document]) -> NDArray[np.float32]:
    """All layers of all words, (1 + layers, words, 2 * dim), by a copy of the model."""
    # The encoder freezes its model, and the one that is judged may go on training.
    encoder = BiLMEncoder("candidate", deepcopy(model), EncoderOptions())
    with torch.random.fork_rng():
        return np.concatenate(list(encoder.encode(documents)), axis=1)
