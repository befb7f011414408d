"""Scores by gradients against differences of the loss, and a training that comes back whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from layerwise.core.errors import DataError, ModelError, UsageError
from layerwise.encoders.base import EncoderOptions
from layerwise.encoders.bilm import BiLMSettings
from layerwise.encoders.character_cnn import CharacterSettings
from layerwise.encoders.contextual_matrices import contextual_matrices
from layerwise.encoders.gradient_scores import (
    GradientScore,
    gradient_scores,
    load_language_model,
    unit_gradient_scores,
)
from layerwise.encoders.head_removal import head_blocks
from layerwise.encoders.language_model import LanguageModel, perplexity
from layerwise.encoders.loading import load_encoder
from layerwise.encoders.neuron_removal import neuron_blocks
from layerwise.encoders.pretrain import TRAINING, pretrain
from layerwise.encoders.pruned_encoder import prune
from layerwise.encoders.pruning_plan import Pruning
from layerwise.encoders.training_settings import TrainingSettings
from layerwise.encoders.training_text import Text, make_batch, read_text, targets_by_type

torch.set_num_threads(1)
STACKS: dict[str, dict[str, Any]] = {
    "transformer": {"dim": 4, "layers": 1, "heads": 2, "feed_forward": 4},
    "lstm": {"dim": 4, "hidden": 6, "layers": 1},
    "gated_cnn": {"dim": 4, "layers": 1, "width": 2},
}
WINDOW = 5
WORDS = "the cat sees a dog and the dog sees the cat on a mat . ".split()
VOCABULARY = ["<unk>", "the", "cat", "dog", "a"]


def settings(architecture: str) -> BiLMSettings:
    characters = CharacterSettings(embedding=4, filters=((1, 4), (3, 6)))
    return BiLMSettings(
        architecture=architecture,
        stack=STACKS[architecture],
        characters=characters,
        window=WINDOW,
    )


@pytest.fixture
def text(tmp_path: Path) -> Text:
    (tmp_path / "text.txt").write_text(" ".join(WORDS) + "\n")
    return read_text([tmp_path / "text.txt"])


def language_model(architecture: str) -> LanguageModel:
    torch.manual_seed(2)
    model = LanguageModel(settings(architecture), len(VOCABULARY)).double().eval()
    for weight in model.parameters():
        weight.data.add_(torch.randn_like(weight) * 0.2)
    softmax = model.softmax

    def surprisal(states: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(softmax(states), targets, reduction="sum")

    # The model's own is in float32, too coarse for differences.
    softmax.surprisal = surprisal  # type: ignore[method-assign]
    return model.requires_grad_(False)


def window_losses(model: LanguageModel, text: Text) -> Tensor:
    """The mean surprisal of a word in each window of a text of three, of shape (3,)."""
    targets = targets_by_type(text.types, VOCABULARY)
    losses = []
    for row in np.asarray(text.words).reshape(3, WINDOW):
        batch = make_batch(row[None], text, targets, model.bilm.characters.codes)
        losses.append(sum(model.surprisals(batch)) / (2 * WINDOW))  # type: ignore[arg-type]
    return torch.stack(losses)  # type: ignore[arg-type]


@pytest.mark.parametrize("architecture", ["transformer", "lstm"])
@pytest.mark.parametrize("score", ["movement", "obd"])
def test_they_are_differences_of_the_loss(
    architecture: str, score: GradientScore, text: Text
) -> None:
    assert len(text.words) == 3 * WINDOW
    model = language_model(architecture)
    found = gradient_scores(model, VOCABULARY, text, score, windows=99)
    step = 1e-5
    for matrix, scores in zip(contextual_matrices(model.bilm), found, strict=True):
        weight = matrix.module.get_parameter(matrix.attribute)
        for place in (0, weight.numel() // 2, weight.numel() - 1):
            flat = weight.view(-1)
            value = float(flat[place])
            losses = []
            for moved in (value + step, value - step):
                flat[place] = moved
                losses.append(window_losses(model, text))
            flat[place] = value
            slopes = (losses[0] - losses[1]) / (2 * step)  # (windows,)
            wanted = (
                abs(value * float(slopes.mean()))
                if score == "movement"
                else value**2 * float(slopes.square().mean()) / 2
            )
            assert float(scores.view(-1)[place]) == pytest.approx(wanted, rel=1e-4, abs=1e-10)


def test_of_a_normalised_weight_the_product_is_scored(text: Text) -> None:
    model = language_model("gated_cnn")
    before = window_losses(model, text)
    (first, *_) = gradient_scores(model, VOCABULARY, text, "movement", windows=3)
    assert torch.equal(window_losses(model, text), before)  # the model stays as it is
    matrix, step = contextual_matrices(model.bilm)[0], 1e-5
    weight: Tensor = matrix.values.clone()
    losses = []
    for sign in (1, -1):
        moved = weight.clone()
        moved[1, 2, 0] += sign * step
        setattr(matrix.module, matrix.attribute, moved)
        losses.append(window_losses(model, text).mean())
    slope = float(losses[0] - losses[1]) / (2 * step)
    assert float(first[1, 2, 0]) == pytest.approx(abs(float(weight[1, 2, 0]) * slope), rel=1e-4)


@pytest.mark.parametrize(
    ("architecture", "kind"),
    [("transformer", "neurons"), ("transformer", "heads"), ("lstm", "neurons")],
)
@pytest.mark.parametrize("score", ["movement", "obd"])
def test_units_are_scored_by_their_gates(
    architecture: str, kind: str, score: GradientScore, text: Text
) -> None:
    model = language_model(architecture)
    blocks = (neuron_blocks if kind == "neurons" else head_blocks)(model.bilm)
    found = unit_gradient_scores(model, VOCABULARY, text, score, 99, blocks)
    step = 1e-5
    for block in blocks:
        whole = model.bilm.get_parameter(block.outgoing.name)
        columns = whole.shape[1] // block.units
        for unit in (0, block.units - 1):
            before, losses = whole.clone(), []
            for gate in (1 + step, 1 - step):  # what a unit puts out, times its gate
                whole[:, unit * columns : (unit + 1) * columns] *= gate
                losses.append(window_losses(model, text))
                whole.copy_(before)
            slopes = (losses[0] - losses[1]) / (2 * step)  # (windows,)
            wanted = (
                abs(float(slopes.mean()))
                if score == "movement"
                else float(slopes.square().mean()) / 2
            )
            assert float(found[block.name][unit]) == pytest.approx(wanted, rel=1e-4, abs=1e-9)


def test_windows_are_drawn_from_the_seed(text: Text) -> None:
    model = language_model("lstm")

    def drawn(seed: int) -> Tensor:
        return gradient_scores(model, VOCABULARY, text, "obd", windows=1, seed=seed)[0]

    seeds = [drawn(seed) for seed in range(6)]
    assert torch.equal(seeds[0], drawn(0))
    assert any(not torch.equal(seeds[0], other) for other in seeds[1:])
    short = Text(text.types, text.words[:3], text.counts, text.sources)
    with pytest.raises(DataError, match="fewer words than one window of 5"):
        gradient_scores(model, VOCABULARY, short, "obd", windows=1)


def test_a_training_comes_back_and_prunes_its_encoder(text: Text, tmp_path: Path) -> None:
    folder, file = tmp_path / "trained", tmp_path / "text.txt"
    plan = TrainingSettings(budget="8steps", batch=2, vocabulary=5)  # type: ignore[arg-type]
    card = pretrain(settings("lstm"), plan, [file], [file], folder, "probe pretrain")
    model, vocabulary = load_language_model(folder)
    assert perplexity(model, text, vocabulary, "cpu") == card["held_out_perplexity"]
    encoder = load_encoder(f"local:{folder}", EncoderOptions())
    results = {}
    for score in ("magnitude", "movement", "obd"):
        done = prune(encoder, Pruning(score=score, sparsity=0.5, text=text))  # type: ignore[arg-type]
        assert done.counts["zeros"] == done.counts["counted"] // 2
        results[score] = torch.cat(
            [m.values.flatten() == 0 for m in contextual_matrices(done.model)]
        )
    assert not torch.equal(results["magnitude"], results["movement"])
    assert not torch.equal(results["movement"], results["obd"])
    assert Pruning(score="obd", text=text).describe()["text"] == text.sources
    with pytest.raises(UsageError, match=r"--score obd: asks running text; --text FILE"):
        prune(encoder, Pruning(score="obd"))
    # Neurons too go by gradients; one of six leaves the wider cell.
    shrunk = prune(encoder, Pruning(score="obd", structure="neurons", sparsity=0.2, text=text))
    assert shrunk.counts["neurons"] == {"a_block": 6, "kept": 5}
    told = prune(encoder, Pruning(held_out=text)).perplexities
    assert told["held_out_perplexity_before"] == card["held_out_perplexity"]
    assert told["held_out_perplexity"] != card["held_out_perplexity"]
    same = prune(encoder, Pruning(sparsity=0.0, held_out=text)).perplexities
    assert same["held_out_perplexity"] == card["held_out_perplexity"]
    with pytest.raises(UsageError, match="asks the softmax of a training"):
        prune(load_encoder("lstm", EncoderOptions()), Pruning(score="obd", text=text))
    (folder / TRAINING).write_bytes(b"no")
    with pytest.raises(ModelError, match="sound safetensors"):
        load_language_model(folder)
    (folder / TRAINING).unlink()
    with pytest.raises(UsageError, match=r"has no training\.safetensors"):
        load_language_model(folder)
