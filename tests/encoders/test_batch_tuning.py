"""The size of batches that is found while encoding: it is the fastest, and changes no number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from layerwise.core.types import Document, Sentence
from layerwise.encoders.base import Encoder, EncoderOptions
from layerwise.encoders.batch_tuning import (
    DEFAULT,
    SIZES,
    BatchChoice,
    TunedEncoder,
    _dealt,
)
from layerwise.encoders.bilm import BiLM, BiLMSettings, initialise
from layerwise.encoders.bilm_encoder import BiLMEncoder
from layerwise.encoders.store import Store


class Clocked:
    """An encoder that tells each word's place, at a speed that its batches decide."""

    name, layer_names, dim, parameters = "clocked", ("only",), 1, 0
    fingerprint, final_norm = "f" * 64, False

    def __init__(self, cost: dict[int, float], no_room_from: int = 1 << 30) -> None:
        self._options = EncoderOptions()
        self.cost, self.no_room_from = cost, no_room_from
        self.spent = [0.0]
        self.words: dict[int, int] = {}

    def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
        size = self._options.batch_words
        if size >= self.no_room_from:
            raise torch.OutOfMemoryError("no room")
        for document in documents:
            self.spent[0] += len(document) * self.cost[size]
            self.words[size] = self.words.get(size, 0) + len(document)
            number = float(document.id)
            yield np.full((1, len(document), 1), number, dtype=np.float32)


def texts(count: int, words: int = 200) -> list[Document]:
    lengths = [words + 7 * (place % 11) for place in range(count)]
    return [
        Document(str(place), (Sentence.from_words(["a"] * length),))
        for place, length in enumerate(lengths)
    ]


def tuned(encoder: Clocked) -> TunedEncoder:
    return TunedEncoder(encoder, clock=lambda: encoder.spent[0])


@pytest.mark.parametrize("fastest", SIZES)
def test_the_fastest_size_encodes_the_rest(fastest: int) -> None:
    encoder = Clocked({size: 1.0 + 0.5 * abs(np.log2(size / fastest)) for size in SIZES})
    documents = texts(1200)
    wrapped = tuned(encoder)
    found = list(wrapped.encode(documents))
    assert wrapped.choice.words == fastest
    assert [float(array[0, 0, 0]) for array in found] == list(range(1200))  # in their order
    assert [array.shape[1] for array in found] == list(map(len, documents))
    total = sum(map(len, documents))
    assert encoder.words[fastest] > 0.8 * total
    # Of the warm-up alone are words encoded twice.
    assert sum(encoder.words.values()) == total + min(map(len, documents))
    assert wrapped.choice.speeds == pytest.approx(
        {s: 1 / encoder.cost[s] for s in wrapped.choice.speeds}
    )
    # No further than the first that is slower.
    assert list(wrapped.choice.speeds) == list(SIZES[: SIZES.index(fastest) + 2])


def test_what_is_hardly_faster_is_not_taken() -> None:
    encoder = Clocked({size: 1.0 - 0.03 * (size == 2048) for size in SIZES})
    wrapped = tuned(encoder)
    list(wrapped.encode(texts(1200)))
    assert wrapped.choice.words == DEFAULT and set(wrapped.choice.speeds) == set(SIZES)


def test_it_costs_no_more_than_a_slower_size_loses_on_its_share() -> None:
    """With the default the fastest, and all others of half its speed."""
    encoder = Clocked({size: 1.0 + (size != DEFAULT) for size in SIZES})
    documents = texts(1200)
    list(tuned(encoder).encode(documents))
    assert encoder.spent[0] < 1.08 * sum(map(len, documents))


def test_short_texts_get_the_default_and_long_ones_later_are_timed() -> None:
    encoder = Clocked({size: 1.0 + (size != 2048) for size in SIZES})
    wrapped = tuned(encoder)
    assert len(list(wrapped.encode(texts(20)))) == 20
    assert wrapped.choice == BatchChoice() and set(encoder.words) == {DEFAULT}
    assert "too little to time" in str(wrapped.choice)
    assert not list(wrapped.encode([]))
    list(wrapped.encode(texts(150)))  # larger sizes would not fill two batches
    assert set(wrapped.choice.speeds) == {1024, 2048} and wrapped.choice.words == 2048
    before = dict(encoder.words)
    list(wrapped.encode(texts(150)))
    more = {size: encoder.words[size] - before[size] for size in before}
    assert more == {1024: 0, 2048: sum(map(len, texts(150)))}


def test_a_size_without_room_is_passed() -> None:
    encoder = Clocked({size: 4096 / size for size in SIZES}, no_room_from=4096)
    wrapped = tuned(encoder)
    found = list(wrapped.encode(texts(1200)))
    assert [float(array[0, 0, 0]) for array in found] == list(range(1200))
    assert wrapped.choice.words == 2048 and wrapped.choice.speeds[4096] == 0


def test_texts_are_dealt_out_alike() -> None:
    lengths = np.random.default_rng(0).lognormal(5, 1, 200).astype(int).tolist()
    hands = _dealt(lengths, 4)
    assert sorted(place for hand in hands for place in hand) == list(range(200))
    sums = [sum(lengths[place] for place in hand) for hand in hands]
    assert max(sums) < 1.1 * min(sums)


def bilm() -> BiLMEncoder:
    torch.manual_seed(0)
    settings = BiLMSettings(architecture="gated_cnn", stack={"dim": 8, "layers": 1}, window=32)
    model = BiLM(settings)
    initialise(model)
    return BiLMEncoder("small", model, EncoderOptions())


def words_of(seed: int, count: int) -> list[Document]:
    rng = np.random.default_rng(seed)
    return [
        Document(
            f"{seed}.{place}",
            tuple(
                Sentence.from_words([f"w{rng.integers(90)}" for _ in range(rng.integers(3, 30))])
                for _ in range(rng.integers(5, 25))
            ),
        )
        for place in range(count)
    ]


def test_a_real_encoder_gives_the_same_and_stays_as_it_was() -> None:
    encoder = bilm()
    documents = words_of(1, 150)
    wrapped = TunedEncoder(encoder)
    found, expected = list(wrapped.encode(documents)), list(encoder.encode(documents))
    assert set(wrapped.choice.speeds) >= {1024, 2048} and wrapped.choice.words in SIZES
    assert encoder._options.batch_words == DEFAULT
    deviation = np.concatenate([array.reshape(2, -1) for array in expected], axis=1).std(axis=1)
    for ours, theirs in zip(found, expected, strict=True):
        off = np.abs(ours - theirs).max(axis=(1, 2)) / deviation  # (layers,)
        assert (off < 1e-4).all()


def test_the_store_takes_it_for_the_encoder(tmp_path: Path) -> None:
    store, encoder, documents = Store(tmp_path), bilm(), words_of(2, 5)
    wrapped = TunedEncoder(encoder)
    assert isinstance(wrapped, Encoder)
    entry = store.activations(wrapped, documents)
    assert store.find(encoder, documents) is not None
    assert entry.manifest["input"] == encoder.input_report(documents)
