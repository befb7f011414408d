"""The task contract: annotated documents in, labelled spans and pairs of spans out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ..core.errors import DataError, did_you_mean
from ..core.types import SPLITS, Document, Span, Split, Target, TaskData

NO_HEAD = -1
"""The ``head`` of a sentence's root."""


class Word(NamedTuple):
    """A syntactic word with its gold annotation, as in CoNLL-U.

    ``head`` counts words over the whole document; ``NO_HEAD`` marks a root.
    An empty string (or no feature) means that the corpus does not say.
    """

    form: str
    lemma: str
    upos: str
    xpos: str
    feats: Mapping[str, str]
    head: int
    deprel: str


class Mention(NamedTuple):
    """A mention of a discourse entity. ``entity`` is the chain's id within its document."""

    span: Span
    entity: str
    entity_type: str


class Constituent(NamedTuple):
    """A phrase of a constituency tree; a word alone with its tag is none."""

    span: Span
    label: str


@dataclass(frozen=True)
class AnnotatedDocument:
    """A document and its gold annotation.

    ``mentions`` and ``constituents`` are None where the corpus has none. The constituents of a
    sentence stand in preorder; a sentence whose tree does not fit its words has none.
    """

    document: Document
    words: tuple[Word, ...]
    mentions: tuple[Mention, ...] | None = None
    constituents: tuple[Constituent, ...] | None = None

    def __post_init__(self) -> None:
        if len(self.words) != len(self.document):
            raise DataError(
                f"{len(self.words)} annotated words for {len(self.document)} words",
                where=self.document.id,
            )


@dataclass(frozen=True)
class Corpus:
    """A corpus split by document. ``facts`` state source files, sha256, revision and licence."""

    name: str
    splits: Mapping[str, tuple[AnnotatedDocument, ...]]
    facts: Mapping[str, Any] = field(default_factory=dict)


class Task(Protocol):
    """What an entry point of the group ``layerwise.tasks`` gives when called with its argument.

    The argument is what follows the colon in ``NAME:ARGUMENT`` (``morph:Number``), or empty.
    """

    name: str
    """The name on the command line, argument included."""
    version: str
    """Changes whenever the targets or their labels change: ``v1``."""
    metric: str
    """The score that tables show: ``accuracy``, ``macro_f1`` or ``f1`` (of ``positive``)."""
    positive: str | None
    """For a yes/no task, the label whose F1 is reported."""
    facts: Mapping[str, Any]
    """What a record must say of the targets: sampling ratios, what is left out and why."""

    def targets(self, document: AnnotatedDocument) -> Iterable[Target]:
        """The document's targets. The same targets for every encoder, always."""
        ...


@runtime_checkable
class Surveyor(Protocol):
    """A task that can tell what of it a corpus can serve, for lists and for suggestions."""

    def available(self, corpus: Corpus) -> Sequence[str]:
        """Full task names, arguments included (``morph:Case``); empty if there is none."""
        ...


def _served(task: Task, corpus: Corpus) -> str:
    names = task.available(corpus) if isinstance(task, Surveyor) else []
    return did_you_mean(task.name, names) if names else "this data cannot serve the task"


def prepare(task: Task, corpus: Corpus) -> TaskData:
    """The task's targets on the corpus. Raises DataError where a split has none."""
    splits, counts = {}, {}
    for name in SPLITS:
        documents = corpus.splits.get(name, ())
        targets = tuple(target for document in documents for target in task.targets(document))
        if not targets:
            raise DataError(
                f"the {name} split has nothing to label",
                where=f"--task {task.name} --data {corpus.name}",
                cure=_served(task, corpus),
            )
        splits[name] = Split(tuple(document.document for document in documents), targets)
        labels = Counter(target.label for target in targets)
        counts[name] = {
            "documents": len(documents),
            "sentences": sum(len(document.document.sentences) for document in documents),
            "words": sum(len(document.words) for document in documents),
            "targets": len(targets),
            "labels": dict(sorted(labels.items())),
        }
    return TaskData(
        task=f"{task.name}.{task.version}",
        metric=task.metric,
        splits=splits,
        positive=task.positive,
        facts={
            "corpus": corpus.name,
            "data": dict(corpus.facts),
            "task": dict(task.facts),
            "counts": counts,
        },
    )
