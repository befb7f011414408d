"""ELMo's characters: codes of bilm-tf, pads as in fifty characters, and the activation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from layerwise.encoders.character_cnn import BEGIN, END, CharacterSettings
from layerwise.encoders.elmo_characters import Activation, ElmoCharacters

torch.set_num_threads(1)
SMALL = CharacterSettings(embedding=3, filters=((1, 4), (2, 5), (4, 6)), highways=1, longest=12)


def drawn(activation: Activation) -> ElmoCharacters:
    torch.manual_seed(5)
    model = ElmoCharacters(SMALL, 7, activation)
    for weight in model.requires_grad_(False).parameters():
        weight.copy_(torch.randn_like(weight) * 0.4)
    return model.eval()


MODEL = drawn("relu")


def vectors(model: ElmoCharacters, *words: str) -> NDArray[np.float32]:
    with torch.inference_mode():
        array: NDArray[np.float32] = model(torch.from_numpy(model.codes(words)).long()).numpy()
    return array


def full_width(word: str) -> NDArray[np.int64]:
    """A word as bilm-tf numbers it, plus 1: 258, the bytes or 256 or 257 for marks, 259, pads."""
    table = np.full((1, SMALL.longest), 260)
    inside = {"<S>": [256], "</S>": [257]}.get(word)
    if inside is None:
        inside = list(word.encode("utf-8", "ignore"))[: SMALL.longest - 2]
    table[0, : len(inside) + 2] = [258, *inside, 259]
    return table + 1


class TestCodes:
    def test_bytes_and_marks_are_numbered_as_in_the_file_plus_one(self) -> None:
        # The codes of allennlp's ELMoCharacterMapper for the same words.
        assert MODEL.codes(["aé"])[0, :5].tolist() == [259, 98, 196, 170, 260]
        assert MODEL.codes(["aé"])[0, 5:].tolist() == [261] * 4
        assert MODEL.codes(["<S>"])[0, :4].tolist() == [259, 257, 260, 261]
        assert MODEL.codes(["</S>"])[0, :4].tolist() == [259, 258, 260, 261]

    def test_our_marks_are_those_of_the_model(self) -> None:
        assert np.array_equal(MODEL.codes([BEGIN, END]), MODEL.codes(["<S>", "</S>"]))

    def test_a_lone_surrogate_is_left_out(self) -> None:
        assert np.array_equal(MODEL.codes(["a\ud800b"]), MODEL.codes(["ab"]))

    def test_no_word_is_longer_than_the_longest(self) -> None:
        table = MODEL.codes(["x" * 30, "a"])
        assert table.shape == (2, SMALL.longest)
        assert table[0].tolist() == [259, *[121] * 10, 260]


@given(st.lists(st.text(min_size=1, max_size=14), min_size=1, max_size=6))
def test_a_word_has_the_vector_that_it_has_among_all_its_pads(words: list[str]) -> None:
    """Whatever its neighbours, and also where it leaves fewer pads than a filter is wide."""
    together = vectors(MODEL, *words, "<S>")
    for word, vector in zip([*words, "<S>"], together, strict=True):
        with torch.inference_mode():
            whole = MODEL(torch.from_numpy(full_width(word)))[0]
        np.testing.assert_allclose(vector, whole, rtol=0, atol=1e-5)


def test_pads_are_seen() -> None:
    """They have a vector of their own, which a maximum can be at."""
    before = vectors(MODEL, "a", "x" * 30)
    other = drawn("relu")
    other.embedding.weight[261] += 2.0
    after = vectors(other, "a", "x" * 30)
    assert np.abs(before[0] - after[0]).max() > 1e-2
    assert np.array_equal(before[1], after[1])  # the longest word has none


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_activation_is_the_option(activation: Activation) -> None:
    model = drawn(activation)
    codes = torch.from_numpy(full_width("word"))
    x = model.embedding(codes).transpose(1, 2)
    activate = getattr(torch, activation)
    # before the maximum, as bilm-tf writes it down the other way round
    pooled = [activate(convolution(x)).amax(dim=2) for convolution in model.convolutions]
    expected = model.projection(model.highways(torch.cat(pooled, dim=1)))
    np.testing.assert_allclose(vectors(model, "word"), expected, rtol=0, atol=1e-5)
