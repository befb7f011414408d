"""Tasks without training: for a target, one of several candidates is to be chosen.

The counterpart of ``base``, where a label is to be predicted: such a task yields ``Choice``
instead of ``Target``, and nothing is fitted to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ..core.errors import DataError
from ..core.types import Document, Span
from .base import AnnotatedDocument, Corpus


class Candidate(NamedTuple):
    """A span that may be chosen, and whether that would be right."""

    span: Span
    right: bool


class Choice(NamedTuple):
    """A target with its candidates in the order of the text; spans count words over the document.

    ``context`` is a span around the target whose mean vector is taken from that of the target, or
    None to take nothing. There may be several right candidates, or none, or no candidate at all:
    then every choice is wrong.
    """

    document: str
    target: Span
    context: Span | None
    candidates: tuple[Candidate, ...]


class Found(NamedTuple):
    """A document's choices, and counts of what was met and what was left out for which reason."""

    choices: tuple[Choice, ...]
    counts: Mapping[str, int]


@runtime_checkable
class ChoiceTask(Protocol):
    """What an entry point of the group ``layerwise.tasks`` may give in place of a ``Task``."""

    name: str
    """The name on the command line, argument included."""
    version: str
    """Changes whenever the choices change: ``v1``."""
    candidate: str
    """What a candidate is, in the names of baselines: ``noun``."""
    splits: tuple[str, ...]
    """The splits whose choices are scored, together."""
    facts: Mapping[str, Any]
    """What a record must say: what is chosen from what, what is right, what is left out."""

    def choices(self, document: AnnotatedDocument) -> Found:
        """The document's choices. The same for every encoder, always."""
        ...


@dataclass(frozen=True)
class ChoiceSplit:
    """The documents of one split and the choices in them."""

    documents: tuple[Document, ...]
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class ChoiceData:
    """A task's choices on a corpus, by split, and what to say of them (as in ``TaskData``)."""

    task: str
    candidate: str
    splits: Mapping[str, ChoiceSplit]
    facts: Mapping[str, Any]


def prepare_choices(task: ChoiceTask, corpus: Corpus) -> ChoiceData:
    """The task's choices on the corpus. Raises DataError where its splits have none."""
    splits, counts = {}, {}
    for name in task.splits:
        documents = corpus.splits.get(name, ())
        found = [task.choices(document) for document in documents]
        met: Counter[str] = Counter()
        for of_document in found:
            met.update(of_document.counts)
        choices = tuple(choice for of_document in found for choice in of_document.choices)
        splits[name] = ChoiceSplit(tuple(document.document for document in documents), choices)
        counts[name] = {
            "documents": len(documents),
            "sentences": sum(len(document.document.sentences) for document in documents),
            "words": sum(len(document.words) for document in documents),
            "targets": len(choices),
            "candidates": sum(len(choice.candidates) for choice in choices),
            **dict(sorted(met.items())),
        }
    if not any(split.choices for split in splits.values()):
        raise DataError(
            f"nothing to choose in {', '.join(splits)}",
            where=f"--task {task.name} --data {corpus.name}",
            cure="`probe list tasks --data` tells what the data can serve",
        )
    return ChoiceData(
        task=f"{task.name}.{task.version}",
        candidate=task.candidate,
        splits=splits,
        facts={
            "corpus": corpus.name,
            "data": dict(corpus.facts),
            "task": dict(task.facts),
            "counts": counts,
            "scored_on": list(task.splits),
        },
    )
