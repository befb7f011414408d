"""The causal stack: its size, no look ahead, and torch's own layers as the oracle."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from layerwise.encoders.bilm import BiLM, build_settings, count_parameters, initialise
from layerwise.encoders.self_attention import SelfAttention

torch.set_num_threads(1)
TINY = SelfAttention(dim=12, layers=3, heads=3, feed_forward=20)


@pytest.fixture
def stack() -> nn.Module:
    torch.manual_seed(3)
    module = TINY.stack().eval().requires_grad_(False)
    for weight in module.parameters():  # norms and biases that are not the identity
        weight.copy_(torch.randn_like(weight) * 0.4)
    return module


def test_the_published_stacks_have_their_published_size() -> None:
    with torch.device("meta"):
        model = BiLM(build_settings("transformer", "paper"))
    size = count_parameters([model.forward_stack, model.backward_stack])
    assert round(size / 1e6, 2) == 37.83  # Peters et al. 2018, table 1: 38 M


def test_no_state_sees_a_later_word(stack: nn.Module) -> None:
    torch.manual_seed(0)
    words = torch.randn(2, 9, 12)
    before = stack(words)
    for place in range(9):
        changed = words.clone()
        changed[:, place] += torch.randn(12)
        for old, new in zip(before, stack(changed), strict=True):
            moved = (old - new).abs().amax(dim=(0, 2))  # by place
            assert (moved[:place] <= 1e-6).all()
            assert (moved[place:] > 1e-3).all()  # a leak test that could not fail would be idle


def test_a_shorter_text_has_the_same_states(stack: nn.Module) -> None:
    words = torch.randn(1, 9, 12)
    for whole, part in zip(stack(words), stack(words[:, :4]), strict=True):
        torch.testing.assert_close(whole[:, :4], part, rtol=0, atol=1e-5)


def positions(time: int, dim: int) -> Tensor:
    """Vaswani et al. 2017, section 3.5, one number at a time."""
    table = torch.zeros(time, dim)
    for place in range(time):
        for i in range(dim):
            angle = place / 10000 ** (2 * (i // 2) / dim)
            table[place, i] = math.sin(angle) if i % 2 == 0 else math.cos(angle)
    return table


@pytest.mark.parametrize("dim", [12, 15])
def test_each_block_is_that_of_torch(dim: int) -> None:
    settings = SelfAttention(dim=dim, layers=3, heads=3, feed_forward=20)
    torch.manual_seed(3)
    stack = settings.stack().eval().requires_grad_(False)
    for weight in stack.parameters():
        weight.copy_(torch.randn_like(weight) * 0.4)
    words = torch.randn(2, 7, dim)
    x = words * dim**0.5 + positions(7, dim)
    mask = nn.Transformer.generate_square_subsequent_mask(7)
    outputs = stack(words)
    assert len(outputs) == 3
    for layer, block in enumerate(stack.blocks):  # type: ignore[arg-type]
        oracle = nn.TransformerEncoderLayer(
            dim, 3, 20, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        weights = {
            "self_attn.in_proj_weight": block.query_key_value.weight,
            "self_attn.in_proj_bias": block.query_key_value.bias,
            "self_attn.out_proj.weight": block.output.weight,
            "self_attn.out_proj.bias": block.output.bias,
            "linear1.weight": block.expand.weight,
            "linear1.bias": block.expand.bias,
            "linear2.weight": block.contract.weight,
            "linear2.bias": block.contract.bias,
            **{f"norm1.{name}": value for name, value in block.norm1.named_parameters()},
            **{f"norm2.{name}": value for name, value in block.norm2.named_parameters()},
        }
        oracle.load_state_dict(weights)
        oracle.eval().requires_grad_(False)
        x = oracle(x, src_mask=mask, is_causal=True)
        expected = x
        if layer == 2:  # the final norm, on the last layer alone
            scale, shift = stack.norm.weight, stack.norm.bias  # type: ignore[union-attr]
            mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, correction=0)
            expected = (x - mean) / (variance + 1e-5).sqrt() * scale + shift
            assert not torch.allclose(x, expected, atol=1e-2)
        torch.testing.assert_close(outputs[layer], expected, rtol=1e-5, atol=1e-5)


def test_layers_are_named_and_the_norm_is_told() -> None:
    assert TINY.layer_names() == ["block 1", "block 2", "block 3"]
    assert TINY.final_norm is True


def test_dropout_works_in_training_alone() -> None:
    torch.manual_seed(0)
    module = SelfAttention(dim=8, layers=1, heads=2, feed_forward=8, dropout=0.5).stack()
    words = torch.randn(1, 5, 8)
    assert not torch.equal(module(words)[0], module(words)[0])
    module.eval()
    assert torch.equal(module(words)[0], module(words)[0])


def test_initialisation_touches_linear_maps_alone() -> None:
    torch.manual_seed(0)
    module = TINY.stack()
    before = {name: weight.clone() for name, weight in module.named_parameters()}
    initialise(module)
    changed = {n for n, weight in module.named_parameters() if not torch.equal(weight, before[n])}
    assert len(changed) == 3 * 4 and all(name.endswith("weight") for name in changed)
    assert not any("norm" in name for name in changed)


@pytest.mark.parametrize(
    "wrong",
    [
        {"dim": 0},
        {"dim": -4},
        {"layers": 0},
        {"heads": 0},
        {"dim": 10, "heads": 3},
        {"dim": 10},
        {"dropout": 1.0},
        {"feed_forward": 0},
        {"odd": 1},
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SelfAttention.model_validate(wrong)


def test_every_size_can_be_built() -> None:
    with torch.device("meta"):
        for size in SelfAttention.sizes:
            assert BiLM(build_settings("transformer", size)).layers >= 2
