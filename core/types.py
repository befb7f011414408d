"""What the parts hand each other: documents, spans, targets, and the data of a task.

An encoder is given words, never raw strings. Positions of words count over the whole document,
so that a span may be looked up in an encoder's array of shape (layers, words, dim) as it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from .errors import DataError

SPLITS = ("train", "dev", "test")


class Span(NamedTuple):
    """Half-open: ``start`` is the first position, ``end`` one past the last."""

    start: int
    end: int


@dataclass(frozen=True)
class Sentence:
    """A sentence as words, and the surface text in which they stand.

    ``offsets[i]`` is the span of characters of ``words[i]`` in ``text``. The words of a
    contraction whose surface is not their concatenation (Spanish *del* = *de* + *el*) share the
    characters of the whole contraction. Offsets never run backwards.
    """

    words: tuple[str, ...]
    text: str
    offsets: tuple[Span, ...]

    def __post_init__(self) -> None:
        if not self.words:
            raise DataError("a sentence without words")
        if len(self.words) != len(self.offsets):
            raise DataError(f"{len(self.words)} words but {len(self.offsets)} offsets")
        before = Span(0, 0)
        for word, span in zip(self.words, self.offsets, strict=True):
            if not word:
                raise DataError("an empty word")
            if not before.start <= span.start < span.end <= len(self.text):
                raise DataError(
                    f"the characters {tuple(span)} of the word {word!r} are out of place"
                )
            before = span

    @classmethod
    def from_words(
        cls, words: Iterable[str], space_after: Iterable[bool] | None = None
    ) -> Sentence:
        """A sentence whose surface is its words, with a space after each unless told otherwise."""
        words = tuple(words)
        spaces = (True,) * len(words) if space_after is None else tuple(space_after)
        if len(spaces) != len(words):
            raise DataError(f"{len(words)} words but {len(spaces)} space_after values")
        text, offsets = "", []
        for word, space in zip(words, spaces, strict=True):
            offsets.append(Span(len(text), len(text) + len(word)))
            text += word + (" " if space else "")
        if spaces and spaces[-1]:
            text = text[:-1]
        return cls(words, text, tuple(offsets))


@dataclass(frozen=True)
class Document:
    """A document: sentences in order, under an id that is unique within its corpus."""

    id: str
    sentences: tuple[Sentence, ...]

    def __post_init__(self) -> None:
        if not self.sentences:
            raise DataError("a document without sentences", where=self.id)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """All words, sentence after sentence."""
        return tuple(word for sentence in self.sentences for word in sentence.words)

    @cached_property
    def sentence_starts(self) -> tuple[int, ...]:
        """The position of each sentence's first word, and the number of words at the end."""
        starts = [0]
        for sentence in self.sentences:
            starts.append(starts[-1] + len(sentence.words))
        return tuple(starts)

    def __len__(self) -> int:
        return self.sentence_starts[-1]


def text_hash(documents: Sequence[Document]) -> str:
    """sha256 of all that an encoder can see of the documents: words, surface, sentence borders.

    Ids are left out: the same text under another name has the same activations.
    """
    return _text_hash(_These(tuple(documents)))


class _These:
    """Documents that are equal only to the very same ones: cheap to look up, however long."""

    def __init__(self, documents: tuple[Document, ...]) -> None:
        self.documents = documents

    def __hash__(self) -> int:
        return hash(tuple(map(id, self.documents)))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _These)
            and len(self.documents) == len(other.documents)
            and all(a is b for a, b in zip(self.documents, other.documents, strict=True))
        )


@lru_cache(maxsize=16)  # every task of a run asks for the same texts
def _text_hash(these: _These) -> str:
    return text_hash_anew(these.documents)


def text_hash_anew(documents: Sequence[Document]) -> str:
    """``text_hash`` of documents that someone may have tampered with since it was last asked."""
    digest = hashlib.sha256()
    for document in documents:
        visible = [[s.words, s.text, s.offsets] for s in document.sentences]
        digest.update(json.dumps(visible, ensure_ascii=True, separators=(",", ":")).encode())
        digest.update(b"\n")
    return digest.hexdigest()


class Target(NamedTuple):
    """One labelled item in the edge-probing form of Tenney et al. 2019 (ICLR, section 2).

    ``document`` is the document's id; the spans count words over that document. A token label is
    a span of one word, an arc or a coreference link a pair of spans, a sentence label a span over
    the whole sentence. ``label`` is a tuple where the task allows any number of labels.
    """

    document: str
    span1: Span
    span2: Span | None
    label: str | tuple[str, ...]


@dataclass(frozen=True)
class Split:
    """The documents of one split and the targets in them."""

    documents: tuple[Document, ...]
    targets: tuple[Target, ...]


class Natural(NamedTuple):
    """Targets of the test documents at the prior of running text, and the share of positives
    among such targets of the training documents."""

    targets: tuple[Target, ...]
    rate: float


@dataclass(frozen=True)
class TaskData:
    """All that a probe needs of a task: three splits and what to say of them.

    ``task`` is the versioned name (``pos.v1``); ``metric`` names the score that tables show;
    ``positive`` is the label whose F1 is reported, for a yes/no task; ``facts`` goes into every
    record: the data's source, revision and sha256, counts, sampling ratios, what was left out.

    Of each test target: ``groups``, the number of the choice it is a candidate of (None: no
    choices); ``strata``, its kind in each dimension; ``guesses``, the label that each baseline of
    the task's own gives it. ``keys`` are what control tasks label by, of each target of each split.
    """

    task: str
    metric: str
    splits: Mapping[str, Split]
    positive: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    groups: tuple[int, ...] | None = None
    strata: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    guesses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    natural: Natural | None = None
