"""The shipped biLMs: one budget, one size, small enough for the wheel, and worth their name."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layerwise.core.errors import ModelError
from layerwise.core.types import Document, Sentence
from layerwise.encoders import shipped
from layerwise.encoders.base import EncoderOptions
from layerwise.encoders.bilm import BiLMSettings, build_settings
from layerwise.encoders.checkpoint import load_encoder
from layerwise.encoders.loading import load_encoder as load

NAMES = ("transformer", "lstm", "gated_cnn", "searched")
PRETRAINED = Path(str(files("layerwise.encoders").joinpath("pretrained")))

KNESER_NEY = 109.2
"""Perplexity of a 5-gram model on the same words; benchmarks/kneser_ney.py measures it."""


def card(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((PRETRAINED / name / "card.json").read_text())
    return read


def expected_settings(name: str) -> BiLMSettings:
    if name != "searched":
        return build_settings(name, "small")
    shape = {"cell": card(name)["search"]["cell"], "dim": 124, "layers": 4}
    return build_settings("cell", "small", shape)


def test_these_are_all_there_are() -> None:
    assert {path.name for path in PRETRAINED.iterdir() if path.is_dir()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_by_its_name_and_takes_no_argument(name: str) -> None:
    encoder = load(name, EncoderOptions())
    (found,) = encoder.encode([Document("d", (Sentence.from_words(["A", "cat", "sleeps"]),))])
    assert found.shape == (len(encoder.layer_names), 3, encoder.dim)
    assert np.isfinite(found).all()
    with pytest.raises(ModelError, match=f"--encoder {name}:x: takes no argument"):
        getattr(shipped, name)("x", EncoderOptions())


@pytest.mark.parametrize("name", NAMES)
def test_it_is_small_enough_to_ship(name: str) -> None:
    size = sum(path.stat().st_size for path in (PRETRAINED / name).iterdir())
    assert size <= 4 * 2**20


def test_they_are_of_one_size() -> None:
    sizes = [card(name)["parameters"]["contextual"] for name in NAMES]
    assert max(sizes) <= 1.05 * min(sizes)
    for name, size in zip(NAMES, sizes, strict=True):
        model = load_encoder(PRETRAINED / name)
        stacks = (model.forward_stack, model.backward_stack)
        assert sum(w.numel() for stack in stacks for w in stack.parameters()) == size
        assert model.settings == expected_settings(name)


def test_they_had_one_budget() -> None:
    first = card(NAMES[0])
    for other in map(card, NAMES[1:]):
        for what in ("words_seen", "text", "held_out", "tokenisation"):
            assert other[what] == first[what]
        for what in ("batch", "vocabulary", "learning_rate", "seed"):
            assert other["training"][what] == first["training"][what]


@pytest.mark.parametrize("name", NAMES)
def test_it_predicts_a_book_better_than_five_grams_do(name: str) -> None:
    reached = card(name)["held_out_perplexity"]
    assert reached["forward"] < 0.8 * KNESER_NEY and reached["backward"] < 0.8 * KNESER_NEY
