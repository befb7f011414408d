"""Units of Hugging Face models: the smaller model against the whole with those at 0."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

from layerwise.core.errors import ModelError, UsageError
from layerwise.encoders import model_folder
from layerwise.encoders.smaller_maps import cut_to, replace, smaller_than_configured
from layerwise.encoders.subword_units import find_blocks, remove_units

torch.set_num_threads(1)
SIZES: dict[str, dict[str, Any]] = {
    "Bert": {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 4}
    | {"intermediate_size": 12},
    "DistilBert": {"dim": 8, "n_layers": 2, "n_heads": 4, "hidden_dim": 12},
    "GPT2": {"n_embd": 8, "n_layer": 2, "n_head": 4, "n_inner": 12},
    "Llama": {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 4}
    | {"intermediate_size": 12, "head_dim": 2, "num_key_value_heads": 4},
}


def made(kind: str, **sizes: Any) -> Any:
    with torch.random.fork_rng(), model_folder.quiet():
        torch.manual_seed(7)
        config = getattr(transformers, f"{kind}Config")(
            **({"vocab_size": 32, "pad_token_id": 3} | SIZES.get(kind, {}) | sizes)
        )
        model = getattr(transformers, f"{kind}Model")(config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.3)
    return model.eval().requires_grad_(False)


def states(model: Any) -> Tensor:
    ids = torch.tensor([[5, 9, 11, 4, 5, 30]])
    return torch.stack(model(input_ids=ids, output_hidden_states=True).hidden_states)


@pytest.mark.parametrize(
    ("kind", "units", "outgoing", "columns"),
    [
        ("Bert", "neurons", "encoder.layer.{}.output.dense.weight", 1),
        ("DistilBert", "neurons", "transformer.layer.{}.ffn.lin2.weight", 1),
        ("GPT2", "neurons", "h.{}.mlp.c_proj.weight", 1),
        ("Llama", "neurons", "layers.{}.mlp.down_proj.weight", 1),
        ("Bert", "heads", "encoder.layer.{}.attention.output.dense.weight", 2),
        ("DistilBert", "heads", "transformer.layer.{}.attention.out_lin.weight", 2),
        ("Llama", "heads", "layers.{}.self_attn.o_proj.weight", 2),
    ],
)
def test_it_does_as_the_whole_does_with_the_weakest_at_0(
    kind: str, units: str, outgoing: str, columns: int
) -> None:
    model = made(kind)
    silent = copy.deepcopy(model)
    weak = 1
    for layer in range(2):
        names = [outgoing.format(layer)]
        for weights in (model, silent):
            for name in names:
                weight = weights.get_parameter(name)
                side = weight if kind == "GPT2" else weight.T  # units first
                side[weak * columns : (weak + 1) * columns] = 0
    # All that leads to a unit is in one block of rows; of BERT's kind and Llama these are rows.
    blocks = find_blocks(model, units, kind)
    for weights in (model, silent):
        for block in blocks:
            for part in block.incoming:
                weight = weights.get_parameter(part.name).movedim(part.axis, 0)
                weight[weak * columns : (weak + 1) * columns] *= 1e-3
    share = 1 / blocks[0].units
    before = sum(p.numel() for p in model.parameters())
    facts = remove_units(model, [units], "magnitude", share, 0, kind)
    assert facts[units] == {"a_block": blocks[0].units, "kept": blocks[0].units - 1}
    torch.testing.assert_close(states(model), states(silent), rtol=1e-5, atol=1e-5)
    taken = [part for block in blocks for part in block.parts]
    gone = sum(silent.get_parameter(p.name).numel() // blocks[0].units for p in taken)
    assert before - sum(p.numel() for p in model.parameters()) == gone > 0


def test_neurons_are_told_in_the_configuration_and_heads_in_the_card() -> None:
    model = made("Bert")
    remove_units(model, ["neurons"], "random", 0.5, 0, "Bert")
    assert model.config.intermediate_size == 6 and smaller_than_configured(model) == []
    remove_units(model, ["heads"], "random", 0.5, 0, "Bert")
    cut = smaller_than_configured(model)
    # Of two blocks queries, keys and values with their biases, and the map behind them.
    assert len(cut) == 2 * 7 and all(".attention." in name for name in cut)
    fresh = made("Bert", intermediate_size=6)
    cut_to(fresh, {name: tensor.shape for name, tensor in model.named_parameters()})
    fresh.load_state_dict(model.state_dict())
    assert torch.equal(states(fresh), states(model))


@pytest.mark.parametrize(
    ("kind", "units"), [("T5", "neurons"), ("T5", "heads"), ("GPT2", "heads"), ("Mamba", "heads")]
)
def test_models_without_such_units_are_refused(kind: str, units: str) -> None:
    small = {
        "T5": {"d_model": 8, "d_ff": 12, "d_kv": 4, "num_layers": 2, "num_heads": 2},
        "Mamba": {"hidden_size": 8, "state_size": 2, "num_hidden_layers": 1},
    }
    model = made(kind, **small.get(kind, {}))
    with pytest.raises(UsageError, match=f"has no {units} that can be removed; --structure"):
        find_blocks(model, units, kind)


def test_heads_that_share_keys_are_refused() -> None:
    with pytest.raises(UsageError, match="LlamaModel has no heads that can be removed"):
        find_blocks(made("Llama", num_key_value_heads=2), "heads", "Llama")


def test_a_model_that_counts_on_its_width_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = made("Bert")
    attention = type(model.encoder.layer[0].attention.self)
    own = attention.forward

    def scaled(self: Any, hidden: Tensor, *rest: Any, **more: Any) -> Any:
        mixed, weights = own(self, hidden, *rest, **more)
        return mixed * self.query.weight.shape[0], weights

    monkeypatch.setattr(attention, "forward", scaled)
    with pytest.raises(ModelError, match="does not do without them what it does with them at 0"):
        remove_units(model, ["heads"], "random", 0.5, 0, "Bert")


def test_maps_are_cut_and_nothing_else() -> None:
    model = made("Bert")
    with pytest.raises(ModelError, match=r"word_embeddings.weight has the shape \(3, 8\)"):
        cut_to(model, {"embeddings.word_embeddings.weight": (3, 8)}, "m")
    name = "encoder.layer.0.output.dense.weight"
    with pytest.raises(ModelError, match=r"m: .*has the shape \(8, 13\), not \(8, 12\)"):
        cut_to(model, {name: (8, 13)}, "m")
    replace(model, name, torch.ones(8, 2))
    dense = model.encoder.layer[0].output.dense
    assert (dense.in_features, dense.out_features) == (2, 8) and not dense.weight.requires_grad
