"""The task contract: annotated documents in, labelled spans and pairs of spans out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ..core.errors import DataError
from ..core.types import Document, Span, Target

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


class Edge(NamedTuple):
    """A target that the data itself states (edge probing): of which task, where, which labels."""

    task: str
    span1: Span
    span2: Span | None
    labels: tuple[str, ...]


@dataclass(frozen=True)
class AnnotatedDocument:
    """A document and its gold annotation.

    ``mentions`` and ``constituents`` are None where the corpus has none. The constituents of a
    sentence stand in preorder; a sentence whose tree does not fit its words has none. ``edges``
    are targets that the data states ready-made; ``attributes`` what it says of the document as a
    whole (``gender``: ``feminine``), under the names that its reader documents.
    """

    document: Document
    words: tuple[Word, ...]
    mentions: tuple[Mention, ...] | None = None
    constituents: tuple[Constituent, ...] | None = None
    edges: tuple[Edge, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.words) != len(self.document):
            raise DataError(
                f"{len(self.words)} annotated words for {len(self.document)} words",
                where=self.document.id,
            )


def bare(form: str) -> Word:
    """A word of which the data tells no more than its form."""
    return Word(form, "", "", "", {}, NO_HEAD, "")


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
    """The score that tables show: ``accuracy``, ``macro_f1``, ``f1`` (of ``positive``), for a
    ``Ranking`` task ``choice_accuracy``, for one of several labels a target ``micro_f1``."""
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
