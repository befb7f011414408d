"""The gated convolutions: size, receptive field, no look ahead, allennlp-light's as the oracle."""

from __future__ import annotations

import copy
import math
import warnings

import pytest
import torch
from allennlp_light.modules.seq2seq_encoders.gated_cnn_encoder import GatedCnnEncoder
from torch import nn

from layerwise.encoders.bilm import BiLM, build_settings, count_parameters
from layerwise.encoders.gated_cnn import GatedCNN

torch.set_num_threads(1)
DIM = 6


def drawn(layers: int = 3, width: int = 4) -> nn.Module:
    torch.manual_seed(2)
    stack = GatedCNN(dim=DIM, layers=layers, width=width).stack().eval().requires_grad_(False)
    for weight in stack.parameters():
        weight.copy_(torch.randn_like(weight) * 0.6)
    return stack


def test_the_published_stacks_have_their_published_size() -> None:
    with torch.device("meta"):
        model = BiLM(build_settings("gated_cnn", "paper"))
    size = count_parameters([model.forward_stack, model.backward_stack])
    assert round(size / 1e6, 2) == 67.17  # Peters et al. 2018, table 1: 67 M


def test_the_published_stack_sees_49_words() -> None:
    assert GatedCNN(**GatedCNN.sizes["paper"]).receptive_field == 49  # type: ignore[arg-type]


def test_each_block_sees_what_its_receptive_field_says_and_no_later_word() -> None:
    stack, time = drawn(), 14
    words = torch.randn(2, time, DIM)
    before = stack(words)
    for place in range(time):
        changed = words.clone()
        changed[:, place] += 2 * torch.randn(DIM)
        for layer, (old, new) in enumerate(zip(before, stack(changed), strict=True), start=1):
            end = place + GatedCNN(layers=layer).receptive_field
            moved = (old - new).abs().amax(dim=(0, 2))  # by place
            assert (moved[:place] == 0).all() and (moved[end:] == 0).all()
            assert (moved[place:end] > 1e-6).all()


def test_it_computes_what_allennlp_lights_does() -> None:
    stack, words = drawn(), torch.randn(2, 9, DIM)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # its form of weight_norm
        theirs = GatedCnnEncoder(DIM, [[[4, DIM]]] * 3, return_all_layers=True).eval()
    with torch.no_grad():
        for ours, block in zip(stack.blocks, theirs._forward_residual_blocks, strict=True):  # type: ignore[arg-type]
            convolution = block._convolutions[0]
            weights = ours.convolution.parametrizations.weight  # type: ignore[union-attr]
            convolution.weight_g.copy_(weights.original0)
            convolution.weight_v.copy_(weights.original1)
            convolution.bias.copy_(ours.convolution.bias)  # type: ignore[union-attr]
        expected = theirs(words, torch.ones(2, 9, dtype=torch.bool))
    for ours, their in zip(stack(words), expected, strict=True):
        torch.testing.assert_close(ours, their[..., :DIM], rtol=0, atol=1e-6)


def test_a_block_by_hand() -> None:
    stack, words = drawn(layers=1, width=2), torch.randn(1, 5, DIM)
    block = stack.blocks[0]  # type: ignore[index]
    weights = block.convolution.parametrizations.weight
    direction = weights.original1 / weights.original1.flatten(1).norm(dim=1)[:, None, None]
    kernel, bias = weights.original0 * direction, block.convolution.bias
    before = torch.zeros(DIM)
    for place, word in enumerate(words[0]):
        both = kernel[:, :, 0] @ before + kernel[:, :, 1] @ word + bias  # (2 * dim,)
        expected = (word + both[:DIM] * torch.sigmoid(both[DIM:])) * math.sqrt(0.5)
        torch.testing.assert_close(stack(words)[0][0, place], expected, rtol=0, atol=1e-6)
        before = word


def test_a_shorter_text_has_the_same_states() -> None:
    stack, words = drawn(), torch.randn(1, 12, DIM)
    for whole, part in zip(stack(words), stack(words[:, :5]), strict=True):
        torch.testing.assert_close(whole[:, :5], part, rtol=0, atol=1e-6)


def test_a_stack_can_be_copied_after_use() -> None:
    stack, words = drawn(), torch.randn(1, 6, DIM)
    before = stack(words)[-1]
    assert torch.equal(copy.deepcopy(stack)(words)[-1], before)


def test_a_convolution_over_one_word_is_refused() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 2"):
        GatedCNN(width=1)
