"""The language model's perplexity is what it says, whatever it was trained with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from layerwise.encoders.bilm import BiLMSettings
from layerwise.encoders.character_cnn import BEGIN, END, CharacterSettings
from layerwise.encoders.language_model import LanguageModel, perplexity
from layerwise.encoders.output_layer import FullSoftmax
from layerwise.encoders.processes import Processes
from layerwise.encoders.training_text import UNKNOWN, Text, make_batch, targets_by_type

torch.set_num_threads(1)

VOCABULARY = [UNKNOWN, "wc", "wa", "wb"]


def model_settings(dropout: float = 0.0) -> BiLMSettings:
    return BiLMSettings(
        architecture="transformer",
        stack={"dim": 16, "layers": 1, "heads": 2, "feed_forward": 24, "dropout": dropout},
        characters=CharacterSettings(embedding=4, filters=((1, 8), (2, 8)), highways=1),
        window=6,
    )


def build(softmax: Any = "full", dropout: float = 0.0) -> LanguageModel:
    torch.manual_seed(0)
    model = LanguageModel(model_settings(dropout), len(VOCABULARY), softmax, samples=2)
    for weight in model.parameters():
        weight.data.copy_(torch.randn_like(weight) * 0.4)
    return model


def as_text(words: list[str]) -> Text:
    types = [BEGIN, END, *dict.fromkeys(words)]
    numbers = np.array([types.index(word) for word in words], dtype=np.int32)
    return Text(types, numbers, np.bincount(numbers, minlength=len(types)), [])


def log_probabilities(model: LanguageModel, state: Tensor) -> Tensor:
    """Of all entries, by torch's own functions."""
    if isinstance(model.softmax, FullSoftmax):
        return torch.log_softmax(model.softmax(state).double(), dim=0)
    return model.softmax.adaptive.log_prob(state[None])[0]


def by_hand(model: LanguageModel, words: list[str]) -> tuple[float, float]:
    """The summed surprisals in nats of one window, forwards and backwards, word by word."""
    bilm = model.bilm
    vector = {
        word: bilm.characters(torch.from_numpy(bilm.characters.codes([word])).long())[0]
        for word in {*words, BEGIN, END}
    }
    totals = []
    for stack, mark, order in (
        (bilm.forward_stack, BEGIN, words),
        (bilm.backward_stack, END, words[::-1]),
    ):
        total = 0.0
        for place, word in enumerate(order):
            seen = torch.stack([vector[mark], *(vector[w] for w in order[:place])])
            scores = log_probabilities(model, stack(seen[None])[-1][0, -1])
            total -= float(scores[VOCABULARY.index(word) if word in VOCABULARY else 0])
        totals.append(total)
    return totals[0], totals[1]


@pytest.mark.parametrize("softmax", ["full", "sampled", "adaptive"])
@pytest.mark.parametrize("count", [18, 20, 1])
def test_it_is_the_mean_surprise_over_words_the_short_window_too(count: int, softmax: str) -> None:
    words = list(np.random.default_rng(1).choice(["wa", "wb", "wc", "odd", "rare"], count))
    model = build(softmax).eval()
    with torch.no_grad():
        parts = [by_hand(model, words[i : i + 6]) for i in range(0, count, 6)]
    forward, backward = (sum(column) for column in zip(*parts, strict=True))
    reached = perplexity(model, as_text(words), VOCABULARY, "cpu")
    assert reached["forward"] == pytest.approx(math.exp(forward / count), abs=1e-3)
    assert reached["backward"] == pytest.approx(math.exp(backward / count), abs=1e-3)
    mean = math.exp((forward + backward) / 2 / count)
    assert reached["mean"] == pytest.approx(mean, abs=1e-3)
    assert reached["words"] == count
    unknown = sum(word in ("odd", "rare") for word in words) / count
    assert reached["unknown_share"] == pytest.approx(unknown, abs=1e-5)
    assert reached["forward"] != reached["backward"]


@pytest.mark.parametrize("softmax", ["full", "adaptive"])
def test_the_training_loss_is_the_mean_surprisal(softmax: str) -> None:
    model, text = build(softmax), as_text(["wa", "odd", "wb", "wc", "wa", "wa"] * 2)
    targets = targets_by_type(text.types, VOCABULARY)
    batch = make_batch(text.words.reshape(2, 6), text, targets, model.bilm.characters.codes)
    reached = perplexity(model, text, VOCABULARY, "cpu")
    forward, backward = (math.exp(float(loss.detach())) for loss in model.losses(batch))
    assert forward == pytest.approx(reached["forward"], abs=1e-3)
    assert backward == pytest.approx(reached["backward"], abs=1e-3)


def test_a_sampled_loss_is_another_thing() -> None:
    model, text = build("sampled"), as_text(["wa", "odd", "wb"] * 4)
    targets = targets_by_type(text.types, VOCABULARY)
    batch = make_batch(text.words.reshape(2, 6), text, targets, model.bilm.characters.codes)
    with torch.no_grad():
        loss = sum(model.losses(batch)) / 2
        surprisal = sum(model.surprisals(batch)) / 2 / 12
    assert abs(float(loss) - float(surprisal)) > 0.05


def test_dropout_has_no_part_in_it() -> None:
    model, text = build(dropout=0.5).train(), as_text(["wa", "wb"] * 9)
    first = perplexity(model, text, VOCABULARY, "cpu")
    assert perplexity(model, text, VOCABULARY, "cpu") == first
    assert model.training


def test_processes_share_the_text() -> None:
    """Each measures its pieces; what they add up to is the whole."""
    model, text = build(), as_text(["wa", "wb", "odd", "wc", "wc"] * 80)
    parts: list[Any] = []

    class Part(Processes):
        count = 3

        def __init__(self, rank: int) -> None:
            self.rank = rank

        def add_up(self, values: Any) -> Any:
            parts.append(values)
            return values

    whole = perplexity(model, text, VOCABULARY, "cpu")
    for rank in range(3):
        perplexity(model, text, VOCABULARY, "cpu", Part(rank))
    forward, backward = sum(parts) / len(text.words)
    assert min(part.min() for part in parts) > 0
    assert whole["forward"] == pytest.approx(math.exp(forward), abs=1e-3)
    assert whole["backward"] == pytest.approx(math.exp(backward), abs=1e-3)


def test_an_untrained_model_is_as_unsure_as_its_vocabulary_is_large() -> None:
    torch.manual_seed(0)
    words = [f"w{chr(97 + i % 20)}" for i in range(100)]
    vocabulary = [UNKNOWN, *dict.fromkeys(words)]
    reached = perplexity(LanguageModel(model_settings(), 21), as_text(words), vocabulary, "cpu")
    assert abs(reached["mean"] - 21) < 1.5
