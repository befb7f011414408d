"""A task's choices as arrays, and the baselines that need no encoder."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from ..core.files import canonical_json
from ..core.types import Span, text_hash
from ..probes.context_similarity import Choices, credits
from ..tasks.choices import Choice, ChoiceData, ChoiceSplit
from .arrays import places_of

Credits = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class ChoiceArrays:
    """The choices of each scored split; positions count words over all documents of the split.

    ``clusters`` number what is resampled for intervals, each split's by itself: sentences, or
    documents where a choice may reach over sentences. ``data_hash`` is the sha256 of text and
    choices.
    """

    task: str
    splits: dict[str, Choices]
    clusters: dict[str, NDArray[np.int64]]
    cluster: str
    data_hash: str
    metric: str = "accuracy"


def choice_arrays(data: ChoiceData) -> ChoiceArrays:
    """Lay out a task's choices. Raises DataError for one that does not fit its document."""
    for name, split in data.splits.items():
        _check(split, f"task {data.task}, {name} split")
    within = all(_within_sentences(split) for split in data.splits.values())
    digest = hashlib.sha256(data.task.encode())
    for name, split in data.splits.items():
        digest.update(name.encode())
        digest.update(text_hash(split.documents).encode())
        digest.update(canonical_json(split.choices).encode())
    laid = {name: _lay_out(split, by_sentence=within) for name, split in data.splits.items()}
    return ChoiceArrays(
        task=data.task,
        splits={name: choices for name, (choices, _) in laid.items()},
        clusters={name: clusters for name, (_, clusters) in laid.items()},
        cluster="sentence" if within else "document",
        data_hash=digest.hexdigest(),
    )


def choice_baselines(arrays: ChoiceArrays, candidate: str) -> dict[str, dict[str, float]]:
    """The accuracy of always taking the closest or the first candidate, and of any at random.

    The last is exact: the mean share of right ones among a target's candidates.
    """
    rules = {f"closest {candidate}": _nearness, f"first {candidate}": _earliness}
    rules[f"random {candidate}"] = lambda choices: np.zeros(len(choices.candidates))
    return {
        name: accuracies(
            {split: credits(rule(each), each) for split, each in arrays.splits.items()}
        )
        for name, rule in rules.items()
    }


def accuracies(earned: Credits) -> dict[str, float]:
    """The mean credit of all targets as ``accuracy``; where there are several splits, also that
    of each split with targets as ``accuracy_on_...``."""
    scores = {"accuracy": float(np.concatenate(list(earned.values())).mean())}
    if len(earned) > 1:
        scores |= {f"accuracy_on_{n}": float(c.mean()) for n, c in earned.items() if len(c)}
    return scores


def by_cluster(earned: Credits, arrays: ChoiceArrays) -> NDArray[np.float64]:
    """Credit and number of targets of each cluster of each split, (clusters, 2)."""
    parts = []
    for name, credit in earned.items():
        _, number = np.unique(arrays.clusters[name], return_inverse=True)
        parts.append(np.stack([np.bincount(number, credit), np.bincount(number)], axis=1))
    return np.concatenate(parts)


def _nearness(choices: Choices) -> NDArray[np.float64]:
    """Minus the number of words between each candidate and its target, (candidates,)."""
    target = np.repeat(choices.targets, np.diff(choices.starts), axis=0)
    before = target[:, 0] - choices.candidates[:, 1]
    behind = choices.candidates[:, 0] - target[:, 1]
    return np.asarray(-np.maximum(before, behind), dtype=np.float64)


def _earliness(choices: Choices) -> NDArray[np.float64]:
    return np.asarray(-choices.candidates[:, 0], dtype=np.float64)


def _check(split: ChoiceSplit, where: str) -> None:
    """A choice may reach no word of another document: not by a span, not by an id used twice."""
    lengths = {document.id: len(document) for document in split.documents}
    if len(lengths) < len(split.documents):
        raise DataError("two documents have one id", where=where)
    for choice in split.choices:
        if choice.document not in lengths:
            raise DataError(f"a choice names the document {choice.document!r}", where=where)
        for span in _spans(choice):
            if not 0 <= span[0] < span[1] <= lengths[choice.document]:
                raise DataError(
                    f"the span {tuple(span)} is empty or outside the document "
                    f"{choice.document!r} of {lengths[choice.document]} words",
                    where=where,
                )


def _spans(choice: Choice) -> Iterator[Span]:
    yield choice.target
    if choice.context is not None:
        yield choice.context
    yield from (candidate.span for candidate in choice.candidates)


def _within_sentences(split: ChoiceSplit) -> bool:
    """Whether no choice reaches over the end of a sentence."""
    starts = {document.id: document.sentence_starts for document in split.documents}
    return all(
        bisect_right(starts[choice.document], min(span.start for span in _spans(choice)))
        == bisect_right(starts[choice.document], max(span.end for span in _spans(choice)) - 1)
        for choice in split.choices
    )


def _lay_out(split: ChoiceSplit, *, by_sentence: bool) -> tuple[Choices, NDArray[np.int64]]:
    places, sentences = places_of(split.documents)
    offsets = [places[choice.document] for choice in split.choices]
    targets = _moved([choice.target for choice in split.choices], offsets)
    contexts = _moved([choice.context or Span(0, 0) for choice in split.choices], offsets)
    sizes = [len(choice.candidates) for choice in split.choices]
    candidates = [candidate for choice in split.choices for candidate in choice.candidates]
    starts = sentences if by_sentence else np.array(list(places.values()))
    choices = Choices(
        targets=targets,
        contexts=contexts,
        candidates=_moved([span for span, _ in candidates], np.repeat(offsets, sizes)),
        starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        right=np.array([right for _, right in candidates], dtype=bool),
    )
    return choices, np.searchsorted(starts, targets[:, 0], side="right")


def _moved(spans: list[Span], offsets: list[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """The spans over the words of all documents, (spans, 2)."""
    plain = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return plain + np.asarray(offsets, dtype=np.int64)[:, None]
