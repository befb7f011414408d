"""Encoders that know nothing but which word it is: what a probe can learn from identity alone.

Without them a probe's score says nothing: on part of speech in English UD a linear probe reaches
.65 on random type vectors, and a deep one as much as on one-hot words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..core.errors import UsageError
from ..core.types import Document
from .base import EncoderOptions, fingerprint_of

ONE_HOT_WIDTH = 2048
RANDOM_WIDTH = 256
_WIDEST = 65_536


class _TypeEncoder:
    """One layer, without weights and without context: a word's vector depends on its form alone."""

    name: str
    layer_names: Sequence[str]
    parameters = 0
    final_norm = False

    def __init__(self, dim: int, version: str) -> None:
        self.dim = dim
        self.fingerprint = fingerprint_of({}, version, str(dim))

    def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
        """For each document in order, an array of shape (1, words, dim)."""
        rows: dict[str, NDArray[np.float32]] = {}
        for document in documents:
            array = np.empty((1, len(document), self.dim), dtype=np.float32)
            for i, word in enumerate(document.words):
                row = rows.get(word)
                if row is None:
                    row = rows[word] = self._row(word)
                array[0, i] = row
            yield array

    def _row(self, word: str) -> NDArray[np.float32]:
        raise NotImplementedError


class OneHot(_TypeEncoder):
    """``onehot``: the exact one-hot of the word's form (case kept); ``onehot:WIDTH``: a hashed one.

    A true one-hot is as wide as the vocabulary of the training text, some 20,000 forms for a
    treebank, and knows no form that train does not have. That is what ``probe run`` measures where
    no width is given (``word_identity``): sparse rows that are never written out, however wide.

    What ``encode`` gives, to everything else that asks for vectors, does not depend on any other
    text: each form has one of ``dim`` places (2,048 unless told otherwise), by sha256: the same
    place on every machine and in every text. The price is collisions: forms that share a place are
    one word to the probe. With t types a form shares its place with probability about
    1 - exp(-t / dim); ``input_report`` counts them, and a greater WIDTH makes them rare.
    """

    def __init__(self, dim: int | None = None) -> None:
        """Without ``dim``, what is probed is the form itself."""
        self.name = "onehot"
        self.layer_names = ("word identity",)
        self.word_identity = dim is None
        hashed = "sha256 mod dim"
        version = f"1: {hashed}" if dim is not None else f"2: forms of train, else {hashed}"
        super().__init__(ONE_HOT_WIDTH if dim is None else dim, f"onehot {version}")

    def input_report(self, documents: Sequence[Document]) -> Mapping[str, int]:
        """``words``, ``types``, and ``colliding_types``: those that share a place with another."""
        types = {word for document in documents for word in document.words}
        places = [self._place(word) for word in types]
        sharers = np.bincount(places, minlength=self.dim)[places]
        return {
            "words": sum(len(document) for document in documents),
            "types": len(types),
            "colliding_types": int((sharers > 1).sum()),
        }

    def _place(self, word: str) -> int:
        return int.from_bytes(_digest(word)) % self.dim

    def _row(self, word: str) -> NDArray[np.float32]:
        row = np.zeros(self.dim, dtype=np.float32)
        row[self._place(word)] = 1.0
        return row


class RandomVectors(_TypeEncoder):
    """``random-vectors`` or ``random-vectors:DIM``: one fixed Gaussian vector per word form.

    Each vector is drawn from N(0, 1) by a generator seeded with the form's sha256, so that it is
    the same in every text and on every machine.
    """

    def __init__(self, dim: int = RANDOM_WIDTH) -> None:
        self.name = "random-vectors"
        self.layer_names = ("random type vector",)
        super().__init__(dim, "random-vectors 1: PCG64 of sha256, Box-Muller")

    def _row(self, word: str) -> NDArray[np.float32]:
        # numpy keeps a bit generator's stream for good, but not what its distributions make of it
        # (NEP 19), so the Gaussian is made here (Box and Muller 1958).
        bits = np.random.PCG64(int.from_bytes(_digest(word))).random_raw(2 * self.dim)
        u, v = (bits.reshape(2, -1) >> np.uint64(11)).astype(np.float64) * 2.0**-53  # (dim,) each
        row: NDArray[np.float64] = np.sqrt(-2.0 * np.log1p(-u)) * np.cos(2.0 * np.pi * v)
        return row.astype(np.float32)


def onehot(argument: str, options: EncoderOptions) -> OneHot:
    """The factory of ``onehot[:WIDTH]``; the options change nothing."""
    return OneHot(_width("onehot", argument, ONE_HOT_WIDTH) if argument else None)


def random_vectors(argument: str, options: EncoderOptions) -> RandomVectors:
    """The factory of ``random-vectors[:DIM]``; the options change nothing."""
    return RandomVectors(_width("random-vectors", argument, RANDOM_WIDTH))


def _width(name: str, argument: str, default: int) -> int:
    if not argument:
        return default
    if not (argument.isascii() and argument.isdigit()) or not 1 <= int(argument) <= _WIDEST:
        raise UsageError(
            f"the width must be a number from 1 to {_WIDEST}, not {argument!r}",
            where=f"--encoder {name}",
            cure=f"write {name} or {name}:{default * 2}",
        )
    return int(argument)


def _digest(word: str) -> bytes:
    # Lone surrogates can come out of broken files; they are words like others.
    return hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()
