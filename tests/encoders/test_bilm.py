"""The trunk: what each direction may see, rows that do not meet, and turning round."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from layerwise.core.errors import ModelError, UsageError
from layerwise.encoders.bilm import BiLM, BiLMSettings, architecture_of, build_settings, reverse

torch.set_num_threads(1)
DIM, LAYERS = 8, 2
SETTINGS = BiLMSettings(
    architecture="transformer",
    stack={"dim": DIM, "layers": LAYERS, "heads": 2, "feed_forward": 12},
)


@pytest.fixture(scope="module")
def model() -> BiLM:
    torch.manual_seed(1)
    made = BiLM(SETTINGS).eval().requires_grad_(False)
    for weight in made.parameters():
        weight.copy_(torch.randn_like(weight) * 0.4)
    return made


BEGIN, END = torch.linspace(-1, 1, DIM), torch.linspace(2, 0, DIM)


def states(model: BiLM, words: Tensor, *lengths: int) -> Tensor:
    return model.states(words, torch.tensor(lengths), BEGIN, END)


def halves(layers: Tensor) -> tuple[Tensor, Tensor]:
    """Forwards and backwards, each of shape (layers, batch, time, dim)."""
    return layers[..., :DIM], layers[..., DIM:]


class TestReverse:
    @given(
        st.lists(st.integers(0, 7), min_size=1, max_size=5).flatmap(
            lambda lengths: st.tuples(st.just(lengths), st.integers(max(lengths), 9))
        )
    )
    def test_rows_turn_up_to_their_length_and_twice_is_back(
        self, case: tuple[list[int], int]
    ) -> None:
        lengths, time = case
        x = torch.arange(len(lengths) * time * 2).reshape(len(lengths), time, 2)
        turned = reverse(x, torch.tensor(lengths))
        for row, new, length in zip(x.tolist(), turned.tolist(), lengths, strict=True):
            assert new == row[:length][::-1] + row[length:]
        assert torch.equal(reverse(turned, torch.tensor(lengths)), x)


def test_each_direction_sees_its_own_side_alone(model: BiLM) -> None:
    torch.manual_seed(0)
    words = torch.randn(1, 7, DIM)
    before = states(model, words, 7)
    for place in range(7):
        changed = words.clone()
        changed[:, place] += torch.randn(DIM)
        moved = (states(model, changed, 7) - before).abs()[1:]  # layer 0 has a test of its own
        left, right = (half.amax(dim=(1, 3)) for half in halves(moved))  # (layers, time)
        assert (left[:, :place] <= 1e-6).all() and (right[:, place + 1 :] <= 1e-6).all()
        assert (left[:, place:] > 1e-3).all() and (right[:, : place + 1] > 1e-3).all()


def test_each_direction_starts_from_its_own_mark(model: BiLM) -> None:
    words = torch.randn(1, 4, DIM)
    before = states(model, words, 4)
    for mark in (0, 1):
        marks = [BEGIN, END]
        marks[mark] = marks[mark] + torch.randn(DIM)
        moved = (model.states(words, torch.tensor([4]), *marks) - before).abs()[1:]
        assert halves(moved)[mark].amax(dim=3).min() > 1e-3
        assert halves(moved)[1 - mark].max() == 0


def test_layer_0_is_the_word_twice_without_context(model: BiLM) -> None:
    words = torch.randn(2, 5, DIM)
    layer = states(model, words, 5, 3)[0]
    assert torch.equal(layer, torch.cat([words, words], dim=2))


def test_the_shape_is_layers_batch_time_and_both_directions(model: BiLM) -> None:
    assert states(model, torch.randn(3, 5, DIM), 5, 1, 3).shape == (1 + LAYERS, 3, 5, 2 * DIM)


def test_no_other_row_and_no_padding_reaches_a_row(model: BiLM) -> None:
    torch.manual_seed(2)
    lengths = [3, 7, 1, 5]
    words = torch.randn(4, 7, DIM) * 3
    together = states(model, words, *lengths)
    other_pads = words.clone()
    for row, length in enumerate(lengths):
        other_pads[row, length:] = 1e3
    again = states(model, other_pads, *lengths)
    for row, length in enumerate(lengths):
        alone = states(model, words[row : row + 1, :length], length)[:, 0]
        torch.testing.assert_close(together[:, row, :length], alone, rtol=0, atol=1e-5)
        torch.testing.assert_close(again[:, row, :length], alone, rtol=0, atol=1e-5)


def test_the_backward_half_is_a_forward_stack_on_the_text_turned_round(model: BiLM) -> None:
    torch.manual_seed(4)
    words = torch.randn(2, 6, DIM)
    lengths = [6, 4]
    _, backward = halves(states(model, words, *lengths))
    for row, length in enumerate(lengths):
        text = [END, *reversed(list(words[row, :length]))]
        layers = model.backward_stack(torch.stack(text)[None])
        for layer, oracle in enumerate(layers, start=1):
            for place in range(length):
                torch.testing.assert_close(
                    backward[layer, row, place], oracle[0, length - place], rtol=0, atol=1e-5
                )


def test_the_directions_share_the_characters_and_nothing_else(model: BiLM) -> None:
    names = {name.split(".")[0] for name, _ in model.named_parameters()}
    assert names == {"characters", "forward_stack", "backward_stack"}
    ahead = {id(weight) for weight in model.forward_stack.parameters()}
    assert not ahead & {id(weight) for weight in model.backward_stack.parameters()}


class TestSettings:
    def test_sizes_fill_in_and_overrides_win(self) -> None:
        settings = build_settings("transformer", "tiny", {"layers": 3}, window=20)
        assert settings.window == 20
        assert settings.stack["layers"] == 3 and settings.stack["dim"] == 32
        assert architecture_of(settings).layers == 3

    def test_an_unknown_size_is_told_with_the_known(self) -> None:
        with pytest.raises(ModelError, match="tiny, small, paper"):
            build_settings("transformer", "huge")

    def test_an_unknown_architecture_is_told(self) -> None:
        with pytest.raises(UsageError, match="transformer"):
            build_settings("transfomer", "tiny")

    def test_impossible_settings_are_told_by_name(self) -> None:
        wrong = BiLMSettings(architecture="transformer", stack={"dim": 8, "heads": 3})
        with pytest.raises(ModelError, match=r"heads: .*3 heads cannot share a width of 8"):
            architecture_of(wrong)
        odd = BiLMSettings(architecture="transformer", stack={"odd": 3})
        with pytest.raises(ModelError, match="odd"):
            BiLM(odd)
