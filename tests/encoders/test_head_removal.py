"""Removed heads: the smaller model against the whole one, whose code knows nothing of removal."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from layerwise.core.errors import UsageError
from layerwise.core.provenance import source_hash
from layerwise.encoders.bilm import BiLM, BiLMSettings, count_parameters
from layerwise.encoders.character_cnn import CharacterSettings
from layerwise.encoders.head_removal import head_blocks, remove_heads
from layerwise.encoders.narrow_attention import BUILT_ON
from layerwise.encoders.neuron_removal import Shrunk, neuron_blocks, remove_neurons
from layerwise.encoders.pruning import Score
from layerwise.encoders.units import unit_scores

torch.set_num_threads(1)


def test_a_change_of_the_code_it_is_built_on_is_a_change_of_the_fingerprint() -> None:
    assert BUILT_ON == source_hash("layerwise.encoders.self_attention")


HEADS, WIDTH, DIM = 4, 3, 12


def made(architecture: str = "transformer", **stack: Any) -> BiLM:
    torch.manual_seed(5)
    settings = BiLMSettings(
        architecture=architecture,
        stack={"dim": DIM, "layers": 2} | (stack or {"heads": HEADS, "feed_forward": 10}),
        characters=CharacterSettings(embedding=4, filters=((1, 4), (3, 6))),
        window=12,
    )
    model = BiLM(settings)
    for weight in model.parameters():
        weight.data.copy_(torch.randn_like(weight) * 0.4)
    return model.eval().requires_grad_(False)


def shrink(model: BiLM, score: Score, sparsity: float, seed: int = 0) -> Shrunk:
    scores = unit_scores(head_blocks(model), model.state_dict(), score, seed)
    return remove_heads(model, scores, sparsity)


def states(model: BiLM) -> Tensor:
    words = torch.randn(3, 9, DIM, generator=torch.Generator().manual_seed(1))
    return model.states(words, torch.tensor([9, 4, 1]), words[0, 0], words[1, 0])[:, :, :1]


@pytest.mark.parametrize("score", ["magnitude", "random"])
@pytest.mark.parametrize(("sparsity", "kept"), [(0.25, 3), (0.5, 2), (0.8, 1)])
def test_it_computes_what_the_whole_does_without_their_output(
    score: Score, sparsity: float, kept: int
) -> None:
    model = made()
    shrunk = shrink(model, score, sparsity)
    assert (shrunk.units, shrunk.kept, len(shrunk.places)) == (HEADS, kept, 4)
    silent = copy.deepcopy(model)
    for name, places in shrunk.places.items():
        for head in set(range(HEADS)) - set(places.tolist()):
            output = silent.get_parameter(f"{name}.output.weight")
            output[:, WIDTH * head : WIDTH * (head + 1)] = 0
    torch.testing.assert_close(states(shrunk.model), states(silent), rtol=0, atol=1e-6)
    assert not torch.allclose(states(silent), states(model), atol=1e-2)  # the heads did something
    # A head has 3 * 3 rows of 12 + 1 weights in and 12 * 3 out, in 2 blocks of 2 directions.
    gone = (HEADS - kept) * 4 * (9 * 13 + 36)
    assert count_parameters([model]) - count_parameters([shrunk.model]) == gone


def test_heads_that_fill_the_width_are_those_of_the_wider_architecture() -> None:
    whole = made()
    narrow = made("narrow_transformer", heads=HEADS, head_width=WIDTH, feed_forward=10)
    narrow.load_state_dict(whole.state_dict())
    assert torch.equal(states(narrow), states(whole))


def test_the_weakest_heads_go() -> None:
    model = made()
    for block in head_blocks(model):
        model.get_parameter(f"{block.name}.output.weight")[:, 3:6] *= 1e-3
        into = model.get_parameter(f"{block.name}.query_key_value.weight")
        into.view(3, HEADS, WIDTH, DIM)[:, 1] *= 1e-3
    for kept in shrink(model, "magnitude", 0.25).places.values():
        assert kept.tolist() == [0, 2, 3]


def test_none_removed_is_the_same_model_and_the_source_stays() -> None:
    model = made()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    same = shrink(model, "random", 0.0).model
    assert same.settings == model.settings and torch.equal(states(same), states(model))
    state = torch.get_rng_state()
    first, again, other = (shrink(model, "random", 0.5, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], t) for name, t in model.state_dict().items())
    assert all(torch.equal(kept, again.places[name]) for name, kept in first.places.items())
    assert any(not torch.equal(kept, other.places[n]) for n, kept in first.places.items())


def test_what_is_pruned_can_be_pruned_again() -> None:
    once = shrink(made(), "magnitude", 0.5).model
    twice = shrink(once, "magnitude", 0.5).model
    assert (twice.settings.stack["heads"], twice.settings.stack["head_width"]) == (1, WIDTH)
    scores = unit_scores(neuron_blocks(once), once.state_dict(), "magnitude")
    fewer = remove_neurons(once, scores, 0.5).model
    assert fewer.settings.architecture == "narrow_transformer"
    assert fewer.settings.stack["feed_forward"] == 5


def test_what_cannot_be_done_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--sparsity 0\.9: none of 4 heads would be left"):
        shrink(made(), "magnitude", 0.9)
    for architecture in ("lstm", "gated_cnn"):
        with pytest.raises(UsageError, match=f"architecture {architecture} has no heads"):
            head_blocks(made(architecture, dim=DIM))
