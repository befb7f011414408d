"""A task's targets as arrays: spans as rows of the stored activations, labels as numbers."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from ..core.files import canonical_json
from ..core.types import SPLITS, Document, Split, Target, TaskData, text_hash
from ..probes.metrics import UNSEEN
from ..tasks.preparation import labels_of


@dataclass(frozen=True)
class SplitArrays:
    """One split. Spans have the shape (targets, 2) and count words over all its documents.

    ``labels`` are numbers below the number of classes, or ``UNSEEN`` for a label that training
    does not have; where a target has several, they are 0 or 1 for each class, (targets, classes),
    and ``unknown`` counts those of each target that training does not have. ``clusters`` number
    the sentences (or documents) that targets belong to.
    """

    spans1: NDArray[np.int64]
    spans2: NDArray[np.int64] | None
    labels: NDArray[np.int64]
    clusters: NDArray[np.int64]
    unknown: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class TaskArrays:
    """All splits of a task. ``classes`` are the labels of train, in alphabetical order.

    ``cluster`` says what is resampled for intervals: ``sentence``, or ``document`` where a
    target may reach over sentences. ``data_hash`` is the sha256 of text and targets.

    Of the test targets: ``groups`` number the choices they are candidates of, ``strata`` are their
    kinds. The split ``natural``, where there is one, has the documents of test, and
    ``natural_rate`` is the share of positives to be expected in it.
    """

    task: str
    metric: str
    classes: list[str]
    positive: int | None
    splits: dict[str, SplitArrays]
    cluster: str
    data_hash: str
    groups: NDArray[np.int64] | None = None
    strata: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    natural_rate: float | None = None

    @property
    def several(self) -> bool:
        """Whether a target has any number of labels."""
        return self.splits["train"].labels.ndim == 2


def to_arrays(data: TaskData) -> TaskArrays:
    """Lay out a task's targets. Raises DataError for one that does not fit its document."""
    for name in SPLITS:
        _check(data.splits[name], f"task {data.task}, {name} split")
    classes = sorted({label for t in data.splits["train"].targets for label in labels_of(t)})
    numbers = {label: number for number, label in enumerate(classes)}
    if data.positive is not None and data.positive not in numbers:
        raise DataError(
            f"no target of train has the label {data.positive!r}, whose F1 is asked for",
            where=f"task {data.task}",
        )
    within = all(_within_sentences(split) for split in data.splits.values())
    digest = hashlib.sha256(data.task.encode())
    for name in SPLITS:
        split = data.splits[name]
        digest.update(text_hash(split.documents).encode())
        digest.update(canonical_json(split.targets).encode())
    splits = dict(data.splits)
    if data.natural is not None:
        splits["natural"] = Split(splits["test"].documents, data.natural.targets)
        digest.update(canonical_json(data.natural.targets).encode())
    return TaskArrays(
        task=data.task,
        metric=data.metric,
        classes=classes,
        positive=None if data.positive is None else numbers[data.positive],
        splits={name: _lay_out(each, numbers, by_sentence=within) for name, each in splits.items()},
        cluster="sentence" if within else "document",
        data_hash=digest.hexdigest(),
        groups=None if data.groups is None else np.array(data.groups, dtype=np.int64),
        strata={dimension: np.array(kinds) for dimension, kinds in data.strata.items()},
        natural_rate=data.natural.rate if data.natural else None,
    )


def _check(split: Split, where: str) -> None:
    """A label may reach no word of another document: not by a span, not by an id used twice."""
    lengths = {document.id: len(document) for document in split.documents}
    if len(lengths) < len(split.documents):
        raise DataError("two documents have one id", where=where)
    pairs = split.targets[0].span2 is not None
    single = isinstance(split.targets[0].label, str)
    for target in split.targets:
        if target.document not in lengths:
            raise DataError(f"a target names the document {target.document!r}", where=where)
        if isinstance(target.label, str) != single:
            raise DataError("some targets have one label and some several", where=where)
        if (target.span2 is not None) != pairs:
            raise DataError("some targets are pairs and some are not", where=where)
        for span in (target.span1, target.span2):
            if span is not None and not 0 <= span[0] < span[1] <= lengths[target.document]:
                raise DataError(
                    f"the span {tuple(span)} is empty or outside the document "
                    f"{target.document!r} of {lengths[target.document]} words",
                    where=where,
                )


def _lay_out(split: Split, numbers: dict[str, int], *, by_sentence: bool) -> SplitArrays:
    places, sentences = places_of(split.documents)
    offsets = np.array([places[target.document] for target in split.targets])[:, None]
    pairs = split.targets[0].span2 is not None
    spans1 = np.array([target.span1 for target in split.targets]) + offsets
    spans2 = np.array([target.span2 for target in split.targets]) + offsets if pairs else None
    if by_sentence:
        clusters = np.searchsorted(sentences, spans1[:, 0], side="right")
    else:
        starts = np.array(list(places.values()))
        clusters = np.searchsorted(starts, spans1[:, 0], side="right")
    labels, unknown = numbered(split.targets, numbers)
    return SplitArrays(spans1, spans2, labels, clusters, unknown)


def numbered(
    targets: Sequence[Target], numbers: Mapping[str, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """The labels of targets as ``SplitArrays`` has them, and how many of each are unknown."""
    if isinstance(targets[0].label, str):
        return np.array([numbers.get(str(target.label), UNSEEN) for target in targets]), None
    flags = np.zeros((len(targets), len(numbers)), dtype=np.int64)
    unknown = np.zeros(len(targets), dtype=np.int64)
    for row, target in enumerate(targets):
        known = [numbers[label] for label in labels_of(target) if label in numbers]
        flags[row, known] = 1
        unknown[row] = len(labels_of(target)) - len(known)
    return flags, unknown


def places_of(documents: tuple[Document, ...]) -> tuple[dict[str, int], NDArray[np.int64]]:
    """Where each document starts among all words, and where each sentence does."""
    places, sentences, start = {}, [], 0
    for document in documents:
        places[document.id] = start
        sentences += [start + first for first in document.sentence_starts[:-1]]
        start += len(document)
    return places, np.array(sentences)


def _within_sentences(split: Split) -> bool:
    """Whether no target reaches over the end of a sentence."""
    starts = {document.id: document.sentence_starts for document in split.documents}
    for document, span1, span2, _ in split.targets:
        first, last = span1.start, span1.end - 1
        if span2 is not None:
            first, last = min(first, span2.start), max(last, span2.end - 1)
        if bisect_right(starts[document], first) != bisect_right(starts[document], last):
            return False
    return True
