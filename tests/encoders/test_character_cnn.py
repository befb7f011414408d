"""Words from characters: the published size, and a vector that is the word's alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import nn

from layerwise.encoders.bilm import count_parameters
from layerwise.encoders.character_cnn import (
    BEGIN,
    END,
    PAPER,
    CharacterCNN,
    CharacterSettings,
)

torch.set_num_threads(1)
SMALL = CharacterSettings(embedding=5, filters=((1, 4), (2, 5), (4, 6)), highways=2, longest=12)
words = st.lists(st.text(min_size=1, max_size=14), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def cnn() -> CharacterCNN:
    torch.manual_seed(5)
    model = CharacterCNN(SMALL, dim=7).eval().requires_grad_(False)
    for weight in model.parameters():  # biases of both signs, and pads that are not nothing
        weight.copy_(torch.randn_like(weight) * 0.3)
    return model


def vectors(model: CharacterCNN, *of: str) -> NDArray[np.float32]:
    with torch.inference_mode():
        array: NDArray[np.float32] = model(torch.from_numpy(model.codes(of)).long()).numpy()
    return array


def test_the_published_model_has_its_published_size() -> None:
    with torch.device("meta"):
        model = CharacterCNN(PAPER, dim=512)
    assert count_parameters([model]) == 18_037_856  # 18.04 M, Peters et al. 2018


class TestCodes:
    def test_a_word_is_its_bytes_between_marks_and_pads_behind(self, cnn: CharacterCNN) -> None:
        # pads: as many as the widest filter is wide
        assert cnn.codes(["aé", "b"]).tolist() == [
            [257, 98, 196, 170, 258, 0, 0, 0, 0],
            [257, 99, 258, 0, 0, 0, 0, 0, 0],
        ]

    def test_a_long_word_is_cut(self, cnn: CharacterCNN) -> None:
        assert cnn.codes(["x" * 11]).tolist() == cnn.codes(["x" * 10]).tolist()
        assert cnn.codes(["x" * 10]).tolist() != cnn.codes(["x" * 9]).tolist()
        assert cnn.codes(["x" * 10]).shape == (1, 12 + 4)
        published = CharacterCNN(CharacterSettings(), dim=4)
        assert (published.codes(["x" * 48]) == published.codes(["x" * 48 + "y"])).all()
        assert not (published.codes(["x" * 48]) == published.codes(["x" * 47 + "y"])).all()

    def test_the_marks_are_words_of_their_own(self, cnn: CharacterCNN) -> None:
        assert cnn.codes([BEGIN, END])[:, :3].tolist() == [[257, 259, 258], [257, 260, 258]]

    @settings(max_examples=200, deadline=None)
    @given(words)
    def test_different_words_have_different_codes(self, some: list[str]) -> None:
        model = CharacterCNN(CharacterSettings(filters=((2, 1),), longest=80), dim=1)
        rows = {tuple(row) for row in model.codes(some).tolist()}
        assert len(rows) == len(set(some))

    def test_no_byte_is_taken_for_a_pad_or_a_mark(self, cnn: CharacterCNN) -> None:
        every = [chr(i) for i in range(256)] + ["\ud800", "\udcff", "\U0010ffff"]
        codes = cnn.codes(every)
        assert (codes[:, 0] == 257).all()
        assert ((codes == 258).sum(axis=1) == 1).all()
        assert not np.isin(codes, [259, 260, 261]).any()
        assert codes.max() <= 261


def brute_force(model: CharacterCNN, word: str) -> NDArray[np.float64]:
    """Kim et al. 2016, section 2, position by position, with pads without end (here 30)."""
    state = {name: value.double().numpy() for name, value in model.state_dict().items()}
    if word in (BEGIN, END):
        characters = [257, 259 if word == BEGIN else 260, 258]
    else:
        data = word.encode("utf-8", "surrogatepass")[: model.settings.longest - 2]
        characters = [257] + [1 + byte for byte in data] + [258]
    characters += [0] * 30
    pooled = []
    for i, (width, number) in enumerate(model.settings.filters):
        weight, bias = state[f"convolutions.{i}.weight"], state[f"convolutions.{i}.bias"]
        for channel in range(number):
            best = 0.0  # the rectified maximum
            for start in range(len(characters) - width + 1):
                value = bias[channel]
                for offset in range(width):
                    embedding = state["embedding.weight"][characters[start + offset]]
                    value += embedding @ weight[channel, :, offset]
                best = max(best, value)
            pooled.append(best)
    x = np.array(pooled)
    for i in range(model.settings.highways):
        # Srivastava et al. 2015; the first half is the transform, the second the carry gate.
        y = state[f"highways._layers.{i}.weight"] @ x + state[f"highways._layers.{i}.bias"]
        transform, gate = np.maximum(y[: len(x)], 0), 1 / (1 + np.exp(-y[len(x) :]))
        x = gate * x + (1 - gate) * transform
    result: NDArray[np.float64] = state["projection.weight"] @ x + state["projection.bias"]
    return result


@pytest.mark.parametrize("word", ["a", "cats", "x" * 40, "é日本", "\ud800", "\0", BEGIN, END])
def test_a_vector_is_what_the_definition_says(cnn: CharacterCNN, word: str) -> None:
    alone = vectors(cnn, word)[0]
    np.testing.assert_allclose(alone, brute_force(cnn, word), rtol=0, atol=1e-5)
    beside_a_long_one = vectors(cnn, "y" * 40, word)[1]
    np.testing.assert_allclose(beside_a_long_one, brute_force(cnn, word), rtol=0, atol=1e-5)


@settings(max_examples=100, deadline=None)
@given(words)
def test_a_vector_does_not_depend_on_the_neighbours(cnn: CharacterCNN, some: list[str]) -> None:
    together = vectors(cnn, *some)
    alone = np.concatenate([vectors(cnn, word) for word in some])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-6 * np.abs(alone).max())


def test_it_does_not_with_an_untouched_initialisation_either() -> None:
    torch.manual_seed(0)
    model = CharacterCNN(CharacterSettings(), dim=16)
    some = ("I", "internationalisation", "x" * 60, "a", BEGIN)
    together = vectors(model, *some)
    for row, word in zip(together, some, strict=True):
        np.testing.assert_allclose(row, vectors(model, word)[0], rtol=0, atol=1e-6)


def test_without_enough_pads_it_would() -> None:
    """The pads behind each word are there for a reason: this test must be able to fail."""
    torch.manual_seed(0)
    model = CharacterCNN(CharacterSettings(), dim=16)
    biases = [weight for name, weight in model.named_parameters() if name.endswith("bias")]
    nn.init.uniform_(biases[0], 1, 2)  # of the filters that are one character wide
    codes = torch.from_numpy(model.codes(["abcdefghijkl"])).long()
    with torch.inference_mode():
        assert not torch.allclose(model(codes[:, :14]), model(codes), atol=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [{"filters": ()}, {"filters": ((0, 4),)}, {"embedding": 0}, {"longest": 2}, {"odd": 1}],
)
def test_impossible_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CharacterSettings.model_validate(wrong)
