"""Which matrices are counted, and what becomes of a normalised weight at 0."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from torch import nn
from torch.nn.utils.parametrizations import orthogonal, weight_norm

from layerwise.core.errors import ModelError
from layerwise.encoders.bilm import BiLM, BiLMSettings
from layerwise.encoders.contextual_matrices import Matrix, contextual_matrices

torch.set_num_threads(1)
STACKS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "transformer": (
        {"dim": 8, "layers": 1, "heads": 2, "feed_forward": 12},
        ["query_key_value.weight", "output.weight", "expand.weight", "contract.weight"],
    ),
    "lstm": (
        {"dim": 8, "hidden": 12, "layers": 1},
        ["lstm.weight_ih_l0", "lstm.weight_hh_l0", "lstm.weight_hr_l0"],
    ),
    "gated_cnn": ({"dim": 8, "layers": 1}, ["convolution.weight"]),
}


@pytest.mark.parametrize("architecture", STACKS)
def test_those_of_a_bilms_stacks(architecture: str) -> None:
    stack, names = STACKS[architecture]
    model = BiLM(BiLMSettings(architecture=architecture, stack=stack))
    found = contextual_matrices(model)
    sides = ("forward_stack", "backward_stack")
    assert [m.name for m in found] == [f"{side}.blocks.0.{n}" for side in sides for n in names]
    assert {m.inputs for m in found} == {1}


SIZES: dict[str, Any] = {
    "vocab_size": 20,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 12,
}


def test_those_of_a_berts_blocks() -> None:
    model = transformers.BertModel(transformers.BertConfig(**SIZES))
    found = contextual_matrices(model)
    # Four of 8 x 8 for attention and two of 8 x 12, in two blocks; no embeddings, no pooler.
    assert sum(m.values.numel() for m in found) == 2 * (4 * 64 + 2 * 96)
    assert {m.name.split(".")[0] for m in found} == {"encoder"} and {m.inputs for m in found} == {1}


def test_gpt2s_maps_are_written_the_other_way_round() -> None:
    made = transformers.GPT2Config(vocab_size=20, n_embd=8, n_layer=1, n_head=2, n_positions=8)
    found = contextual_matrices(transformers.GPT2Model(made))
    assert sorted(tuple(m.values.shape) for m in found) == [(8, 8), (8, 24), (8, 32), (32, 8)]
    assert {m.inputs for m in found} == {0}


def test_a_shared_block_is_counted_once_and_xlnets_biases_are_not() -> None:
    albert: Any = transformers.AlbertModel(transformers.AlbertConfig(**SIZES, embedding_size=4))
    assert sum(m.values.numel() for m in contextual_matrices(albert)) == 4 * 64 + 2 * 96
    made = transformers.XLNetConfig(vocab_size=20, d_model=8, n_layer=1, n_head=2, d_inner=12)
    found = contextual_matrices(transformers.XLNetModel(made))
    assert sum(m.values.numel() for m in found) == 5 * 64 + 2 * 96
    assert [m.name.rpartition(".")[2] for m in found[:5]] == ["q", "k", "v", "o", "r"]


def test_a_normalised_weight_loses_what_is_pruned_and_keeps_the_rest() -> None:
    torch.manual_seed(0)
    plain = nn.Conv1d(4, 6, 3)
    module = weight_norm(plain, dim=0)
    module.parametrizations.weight.original0.data.mul_(1.7)  # type: ignore[union-attr, operator]
    before = module.weight.detach().clone()
    kept = torch.rand(before.shape) < 0.5
    kept[2] = False  # a whole row
    kept[4] = True
    matrix = Matrix("m", module, "weight", 1)
    matrix.zero(kept)
    torch.testing.assert_close(matrix.values, before * kept, rtol=1e-6, atol=0)
    assert torch.equal(matrix.values == 0, ~kept)
    assert torch.equal(matrix.values[4], before[4])  # untouched, to the bit


def test_what_it_does_not_know_is_refused() -> None:
    with pytest.raises(ModelError, match="no matrices in blocks"):
        contextual_matrices(nn.Sequential(nn.Linear(2, 2)))
    with pytest.raises(ModelError, match=r"0\.weight: is made in an unknown way"):
        contextual_matrices(nn.ModuleDict({"a": nn.ModuleList([orthogonal(nn.Linear(2, 2))])}))
