"""Removed neurons: the smaller model against the whole one with those neurons at 0."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from layerwise.core.errors import UsageError
from layerwise.encoders.bilm import BiLM, BiLMSettings, count_parameters
from layerwise.encoders.character_cnn import CharacterSettings
from layerwise.encoders.neuron_removal import Shrunk, neuron_blocks, remove_neurons
from layerwise.encoders.pruning import Score
from layerwise.encoders.units import unit_scores

torch.set_num_threads(1)
STACKS: dict[str, dict[str, Any]] = {
    "transformer": {"dim": 8, "layers": 2, "heads": 2, "feed_forward": 20},
    "lstm": {"dim": 8, "hidden": 20, "layers": 2, "cell_clip": 3.0},
}


def made(architecture: str) -> BiLM:
    torch.manual_seed(5)
    characters = CharacterSettings(embedding=4, filters=((1, 4), (3, 6)))
    settings = BiLMSettings(
        architecture=architecture, stack=STACKS[architecture], characters=characters, window=12
    )
    model = BiLM(settings)
    for weight in model.parameters():
        weight.data.copy_(torch.randn_like(weight) * 0.4)
    return model.eval().requires_grad_(False)


def shrink(model: BiLM, score: Score, sparsity: float, seed: int = 0) -> Shrunk:
    scores = unit_scores(neuron_blocks(model), model.state_dict(), score, seed)
    return remove_neurons(model, scores, sparsity)


def states(model: BiLM) -> Tensor:
    words = torch.randn(3, 9, 8, generator=torch.Generator().manual_seed(1))
    return model.states(words, torch.tensor([9, 4, 1]), words[0, 0], words[1, 0])[:, :, :1]


def zeroed(model: BiLM, places: dict[str, Tensor]) -> BiLM:
    """The whole model with every weight of the other neurons at 0."""
    whole = copy.deepcopy(model)
    for name, kept in places.items():
        block = whole.get_submodule(name)
        gone = [i for i in range(20) if i not in kept.tolist()]
        if model.settings.architecture == "transformer":
            block.expand.weight[gone] = 0  # type: ignore[index, union-attr, operator]
            block.expand.bias[gone] = 0  # type: ignore[index, union-attr, operator]
            block.contract.weight[:, gone] = 0  # type: ignore[index, union-attr, operator]
            continue
        for gate in range(4):
            for part in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0"):
                block.get_parameter(f"lstm.{part}")[[20 * gate + i for i in gone]] = 0
        block.get_parameter("lstm.weight_hr_l0")[:, gone] = 0
    return whole


@pytest.mark.parametrize("architecture", STACKS)
@pytest.mark.parametrize("score", ["magnitude", "random"])
def test_it_computes_what_the_masked_model_does(architecture: str, score: Score) -> None:
    model = made(architecture)
    shrunk = shrink(model, score, 0.4)
    assert (shrunk.units, shrunk.kept, len(shrunk.places)) == (20, 12, 4)
    assert all(len(kept) == 12 for kept in shrunk.places.values())
    masked = states(zeroed(model, shrunk.places))
    torch.testing.assert_close(states(shrunk.model), masked, rtol=0, atol=1e-6)
    assert not torch.allclose(masked, states(model), atol=1e-2)  # the neurons did something


@pytest.mark.parametrize("architecture", STACKS)
def test_its_matrices_are_smaller(architecture: str) -> None:
    model, shrunk = made(architecture), shrink(made(architecture), "magnitude", 0.5)
    # A neuron of self-attention has dim + 1 weights in and dim out; a cell 4 * (2 * dim + 1) in.
    weights = 8 + 1 + 8 if architecture == "transformer" else 4 * (8 + 8 + 1) + 8
    gone = 10 * 4 * weights
    assert count_parameters([model]) - count_parameters([shrunk.model]) == gone


@pytest.mark.parametrize("architecture", STACKS)
def test_the_weakest_neurons_go(architecture: str) -> None:
    model = made(architecture)
    weak = [3, 11]
    for side in ("forward_stack", "backward_stack"):
        for layer in range(2):
            block = model.get_submodule(f"{side}.blocks.{layer}")
            for name, weight in block.named_parameters():
                if "expand" in name:
                    weight[weak] *= 1e-3
                elif name.endswith(("_ih_l0", "_hh_l0")):
                    weight[[20 * gate + i for gate in range(4) for i in weak]] *= 1e-3
                elif name.endswith(("contract.weight", "_hr_l0")):
                    weight[:, weak] *= 1e-3
    for kept in shrink(model, "magnitude", 0.1).places.values():
        assert kept.tolist() == [i for i in range(20) if i not in weak]


@pytest.mark.parametrize("architecture", STACKS)
def test_none_removed_is_the_same_model_and_the_source_stays(architecture: str) -> None:
    model = made(architecture)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    same = shrink(model, "random", 0.0).model
    assert same.settings == model.settings and torch.equal(states(same), states(model))
    shrink(model, "random", 0.5)
    assert all(torch.equal(before[name], t) for name, t in model.state_dict().items())


def test_a_draw_has_its_seed_and_leaves_the_dice_alone() -> None:
    model = made("lstm")
    state = torch.get_rng_state()
    first, again, other = (shrink(model, "random", 0.5, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    for name, kept in first.places.items():
        assert torch.equal(kept, again.places[name])
    assert any(not torch.equal(kept, other.places[name]) for name, kept in first.places.items())


def test_what_cannot_be_done_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--sparsity 0.6: 8 neurons would be left, which hidden"):
        shrink(made("lstm"), "magnitude", 0.6)  # not wider than the projection
    with pytest.raises(UsageError, match="none of 20 neurons would be left in a block"):
        shrink(made("transformer"), "magnitude", 0.99)
    settings = BiLMSettings(architecture="gated_cnn", stack={"dim": 8, "layers": 1})
    with pytest.raises(UsageError, match="the architecture gated_cnn has no neurons"):
        neuron_blocks(BiLM(settings))
