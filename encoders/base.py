"""The encoder contract: documents in, for each an array of shape (layers, words, dim) out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..core.errors import UsageError, did_you_mean
from ..core.types import Document

SUBWORD_POOLINGS = ("first", "last", "mean")
CONTEXTS = ("document", "sentence")


@dataclass(frozen=True)
class EncoderOptions:
    """What a user may ask of an encoder.

    ``device`` is a torch device; ``batch_words`` bounds the words (or subwords) that go through
    the model at once; neither changes a number. ``subword_pooling`` makes one vector of a word's
    pieces; ``context`` says whether a word sees its document (through overlapping windows where
    the document is longer than the model's window) or its sentence alone.
    """

    device: str = "cpu"
    batch_words: int = 1024
    subword_pooling: str = "mean"
    context: str = "document"

    def __post_init__(self) -> None:
        if self.batch_words < 1:
            raise UsageError(f"must be at least 1, not {self.batch_words}", where="--batch-words")
        for flag, value, known in (
            ("--subword-pooling", self.subword_pooling, SUBWORD_POOLINGS),
            ("--context", self.context, CONTEXTS),
        ):
            if value not in known:
                raise UsageError(
                    f"no such choice: {value!r}", where=flag, cure=did_you_mean(value, known)
                )


@runtime_checkable
class Encoder(Protocol):
    """A frozen encoder of words.

    It is in eval mode, without gradients, keeps no state between calls, and gives the same array
    for a document whatever else is in the batch, to 1e-4 of a layer's standard deviation (see
    ``conformance.TOLERANCE`` for what float32 costs).
    """

    name: str
    """The name on the command line; settable."""

    @property
    def layer_names(self) -> Sequence[str]:
        """What each layer is. Layer 0 is what goes into the first block, before any context.

        (A model with learned positions has added them there already.)
        """
        ...

    @property
    def dim(self) -> int:
        """The width of each layer's vectors."""
        ...

    @property
    def parameters(self) -> int:
        """The number of weights that take part in encoding; 0 where there are none."""
        ...

    @property
    def fingerprint(self) -> str:
        """sha256 of all that decides the numbers: see ``fingerprint_of``."""
        ...

    @property
    def final_norm(self) -> bool:
        """Whether the last layer went through a final normalisation that the others did not."""
        ...

    def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
        """For each document in order, an array of shape (layers, words, dim)."""
        ...


@runtime_checkable
class Randomisable(Protocol):
    """An encoder that can be had with the same architecture and random weights (``+random``)."""

    def randomised(self, seed: int) -> Encoder:
        """The same encoder with freshly drawn weights; its fingerprint is another."""
        ...


@runtime_checkable
class InputReporter(Protocol):
    """An encoder that can tell what becomes of its input: windows, words without pieces."""

    def input_report(self, documents: Sequence[Document]) -> Mapping[str, int]:
        """Counts over the documents, by what is counted (``words_without_pieces``: 3)."""
        ...


@runtime_checkable
class Configured(Protocol):
    """An encoder whose numbers depend on some of the options, and that tells on which."""

    @property
    def settings(self) -> Mapping[str, str]:
        """Those options and their values (``context``: ``document``), for the record."""
        ...


class EncoderFactory(Protocol):
    """What an entry point of the group ``layerwise.encoders`` points to.

    ``argument`` is what follows the colon in ``NAME:ARGUMENT``, or empty.
    """

    def __call__(self, argument: str, options: EncoderOptions) -> Encoder: ...


def fingerprint_of(weights: Mapping[str, Any], *facts: str) -> str:
    """sha256 over weights (names, types, shapes, bytes) and every other fact that decides numbers.

    ``weights`` maps names to numpy arrays or torch tensors; ``facts`` are the tokenizer's content,
    the pooling, the window, the version of the code and the like.
    """
    digest = hashlib.sha256()
    for name in sorted(weights):
        value = weights[name]
        array = value if isinstance(value, np.ndarray) else value.detach().cpu().numpy()
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    for fact in facts:
        digest.update(f"\n{len(fact)} {fact}".encode())
    return digest.hexdigest()
