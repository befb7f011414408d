"""Conformance: each planted fault fails the clause that is about it, and only a fault does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from layerwise.core.types import Document
from layerwise.encoders.base import fingerprint_of
from layerwise.encoders.baselines import RandomVectors
from layerwise.encoders.conformance import Clause, check_encoder


class Toy:
    """Sound: layer 0 the word's vector, layer 1 a mean over its neighbours, with weights."""

    def __init__(self, seed: int = 0) -> None:
        self.name, self.dim = "toy", 6
        self.layer_names: Sequence[str] = ("word", "neighbours")
        self.parameters, self.final_norm = 6, False
        self.weights = np.random.default_rng(seed).normal(size=6).astype(np.float32)
        self.fingerprint = fingerprint_of({"weights": self.weights})
        self.words = RandomVectors(6)

    def array(self, document: Document) -> Any:
        (zero,) = self.words.encode([document])
        zero = zero[0] * self.weights
        padded = np.pad(zero, ((1, 1), (0, 0)))
        one = padded[:-2] + padded[1:-1] + padded[2:]
        return np.stack([zero, one])

    def encode(self, documents: Sequence[Document]) -> Iterator[Any]:
        for document in documents:
            yield self.array(document)

    def randomised(self, seed: int) -> Toy:
        return type(self)(seed + 1)


def failed(encoder: Any) -> set[str]:
    clauses = check_encoder(encoder)
    assert all(isinstance(c, Clause) and c.detail and "\n" not in c.detail for c in clauses)
    return {clause.name for clause in clauses if not clause.passed}


def test_a_sound_encoder_passes_every_clause() -> None:
    clauses = check_encoder(Toy())
    assert [c for c in clauses if not c.passed] == []
    assert len({c.name for c in clauses}) == len(clauses) == 17


class NoDim(Toy):
    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        del self.dim


class Raises(Toy):
    def array(self, document: Document) -> Any:
        raise RuntimeError("out of luck")


class RaisesOnLong(Toy):
    def array(self, document: Document) -> Any:
        if len(document) > 500:
            raise IndexError("position 512")
        return super().array(document)


class FillsIn(Toy):
    def array(self, document: Document) -> Any:
        array = super().array(document)
        array[:, 512:] = 0.5
        return array


class Truncates(Toy):
    def array(self, document: Document) -> Any:
        return super().array(document)[:, :512]


class Float64(Toy):
    def array(self, document: Document) -> Any:
        return super().array(document).astype(np.float64)


class Tensors(Toy):
    def array(self, document: Document) -> Any:
        return torch.from_numpy(super().array(document)).requires_grad_()


class Nan(Toy):
    def array(self, document: Document) -> Any:
        array = super().array(document)
        array[-1, -1, 0] = np.nan
        return array


class ExtraLayer(Toy):
    def array(self, document: Document) -> Any:
        array = super().array(document)
        return np.concatenate([array, array[-1:]])


class LosesAWord(Toy):
    def array(self, document: Document) -> Any:
        return super().array(document)[:, 1:]


class Narrow(Toy):
    def array(self, document: Document) -> Any:
        return super().array(document)[:, :, 1:]


class LosesADocument(Toy):
    def encode(self, documents: Sequence[Document]) -> Iterator[Any]:
        return super().encode(documents[1:])


class Remembers(Toy):
    state = 0.0

    def array(self, document: Document) -> Any:
        array = super().array(document)
        array[1] += self.state
        self.state = float(array[0].mean())
        return array


class ChangesWeights(Toy):
    def array(self, document: Document) -> Any:
        self.weights *= np.float32(1.01)
        return super().array(document)


class LeaksPadding(Toy):
    def encode(self, documents: Sequence[Document]) -> Iterator[Any]:
        longest = max((len(d) for d in documents), default=0)
        for document in documents:
            array = self.array(document)
            array[1] += 0.01 * (longest - len(document))
            yield array


class SharesAnIterator(Toy):
    queue: tuple[Any, ...] = ()

    def encode(self, documents: Sequence[Document]) -> Iterator[Any]:
        self.queue = tuple(documents)
        for i in range(len(documents)):
            yield self.array(self.queue[min(i, len(self.queue) - 1)])


class SwitchesGradients(Toy):
    def encode(self, documents: Sequence[Document]) -> Iterator[Any]:
        with torch.no_grad():
            for document in documents:
                yield self.array(document)


class Trains(Toy):
    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.model = torch.nn.Dropout()


class MovesFingerprint(Toy):
    def array(self, document: Document) -> Any:
        self.fingerprint = fingerprint_of({}, str(len(document)), self.fingerprint)
        return super().array(document)


class ChangesDocuments(Toy):
    def array(self, document: Document) -> Any:
        array = super().array(document)
        object.__setattr__(document, "sentences", document.sentences[::-1])
        return array


class RandomIsTrained(Toy):
    def randomised(self, seed: int) -> Toy:
        return Toy()


class RandomWithoutSeed(Toy):
    draws = 0

    def randomised(self, seed: int) -> Toy:
        RandomWithoutSeed.draws += 1
        return Toy(RandomWithoutSeed.draws)


FAULTS: list[tuple[type[Toy], str]] = [
    (NoDim, "attributes"),
    (Raises, "encodes"),
    (RaisesOnLong, "long documents"),
    (FillsIn, "long documents"),
    (Truncates, "long documents"),
    (Float64, "arrays"),
    (Tensors, "arrays"),
    (Nan, "finite"),
    (ExtraLayer, "layers"),
    (LosesAWord, "words"),
    (Narrow, "width"),
    (LosesADocument, "encodes"),
    (Remembers, "no state between calls"),
    (ChangesWeights, "no state between calls"),
    (LeaksPadding, "batch of one"),
    (SharesAnIterator, "lazy iterators"),
    (SwitchesGradients, "gradients"),
    (Trains, "gradients"),
    (MovesFingerprint, "fingerprint"),
    (ChangesDocuments, "documents unchanged"),
    (RandomIsTrained, "random weights"),
    (RandomWithoutSeed, "random weights"),
]


@pytest.mark.parametrize(("fault", "clause"), FAULTS, ids=lambda v: getattr(v, "__name__", v))
def test_a_planted_fault_fails_its_clause(fault: type[Toy], clause: str) -> None:
    assert clause in failed(fault())


ALONE = {"RaisesOnLong", "FillsIn", "Truncates", "Nan", "SharesAnIterator", "SwitchesGradients"}
ALONE |= {"Trains", "RandomIsTrained", "RandomWithoutSeed", "NoDim", "Raises"}


@pytest.mark.parametrize(("fault", "clause"), [f for f in FAULTS if f[0].__name__ in ALONE])
def test_a_fault_that_touches_one_clause_fails_no_other(fault: type[Toy], clause: str) -> None:
    assert failed(fault()) == {clause}


def test_an_exception_is_a_failed_clause_with_its_text() -> None:
    clause = next(c for c in check_encoder(Raises()) if not c.passed)
    assert clause.name == "encodes" and clause.detail == "raises RuntimeError: out of luck"


def test_positions_in_layer_zero_are_reported_and_no_failure() -> None:
    class Positions(Toy):
        def array(self, document: Document) -> Any:
            return super().array(document) + np.arange(len(document), dtype=np.float32)[:, None]

    clauses = check_encoder(Positions())
    zero = next(c for c in clauses if c.name == "layer 0 without context")
    assert zero.passed and zero.informative and "differs by" in zero.detail
    assert all(c.passed for c in clauses)
