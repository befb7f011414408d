"""The character model: its sums of probability, its marks, and what it learns."""

from __future__ import annotations

import itertools
import math
import random
import statistics

import pytest
import torch

from layerwise.core.errors import DataError
from layerwise.encoders.search.language_model.character_model import (
    CharacterModel,
    train_character_model,
)
from layerwise.encoders.search.tables.nasbench_201 import NasBench201


@pytest.fixture(scope="module")
def small() -> CharacterModel:
    torch.manual_seed(3)
    return CharacterModel(sorted("0123456789\nab"), range(9), dim=8).eval()


def probability(model: CharacterModel, mark: str, text: str) -> float:
    """Character by character, without a state that is carried on."""
    total = 0.0
    read = model.encode(mark)
    for letter in model.encode(text + "\n"):
        scores, _ = model(torch.tensor([read]))
        total += float(scores[0, -1].log_softmax(-1)[letter].detach())
        read.append(letter)
    return total


def test_a_wide_beam_is_a_search_through_all(small: CharacterModel) -> None:
    """All texts of up to two characters, by brute force; longer ones are less probable here."""
    letters = [letter for letter in small.characters if letter != "\n"]
    texts = ["".join(text) for size in (1, 2) for text in itertools.product(letters, repeat=size)]
    scored = sorted(((probability(small, "4", text), text) for text in texts), reverse=True)
    found = small.likely(60, "4")
    assert [text for text, _ in found[:12]] == [text for _, text in scored[:12]]
    assert [score for _, score in found[:12]] == pytest.approx(
        [score for score, _ in scored[:12]], abs=1e-5
    )


def test_draws_follow_the_probabilities(small: CharacterModel) -> None:
    generator = torch.Generator().manual_seed(0)
    count, hits = 300, 0
    for _ in range(count):
        hits += small.draw(1.0, generator).startswith("a")
    scores, _ = small(torch.tensor([small.encode("9")]))
    share = float(scores[0, -1].softmax(-1)[small.encode("a")[0]].detach())
    assert abs(hits / count - share) < 4 * math.sqrt(share * (1 - share) / count)


def test_marks_are_the_tenths_of_the_sample() -> None:
    names = [f"{number:03}" for number in range(100)]
    model = train_character_model(names, [float(name) for name in names], epochs=1)
    marks = [model.mark(float(name)) for name in names]
    assert marks == [str(9 - number // 10) for number in range(100)]
    assert (model.mark(-5.0), model.mark(math.inf)) == ("9", "0")
    assert model.line("000", 0.0) == "9000\n"


def test_the_same_seed_is_the_same_model_and_the_global_state_is_left() -> None:
    names, losses = [f"{n:02}" for n in range(30)], [float(n) for n in range(30)]
    before = torch.get_rng_state()
    first, second = (train_character_model(names, losses, 1, epochs=2) for _ in range(2))
    other = train_character_model(names, losses, 2, epochs=2)
    assert torch.equal(torch.get_rng_state(), before)
    assert first.likely(5) == second.likely(5) != other.likely(5)


def test_what_was_named_is_not_proposed_again(small: CharacterModel) -> None:
    named: list[str] = []
    for _ in range(20):
        named.append(small.propose(named))
    assert len(set(named)) == 20 and "" not in named
    likely = [text for text, _ in small.likely(200)]
    assert named[:10] == likely[:10]
    assert small.propose([], 1.0, seed=5) == small.propose([], 1.0, seed=5)


def test_too_few_scores_and_unknown_characters_are_refused() -> None:
    with pytest.raises(DataError, match="9 scored"):
        train_character_model([str(n) for n in range(10)], [1.0] * 9 + [math.inf])
    with pytest.raises(DataError, match="unknown character 'x'"):
        train_character_model([f"{n}" for n in range(10)], [0.0] * 10, epochs=1).encode("x")


def test_it_writes_good_candidates_that_it_never_read(space: NasBench201) -> None:
    """The loss is what 3s are missing of six, so the mean of random ones is known: 0.404."""
    generator = random.Random(0)
    names = list(dict.fromkeys(space.sample(generator) for _ in range(300)))
    model = train_character_model(names, [space.runs(name)[0] for name in names], epochs=15)
    named: list[str] = []
    while len(named) < 10:
        named.append(model.propose(named))
    fresh = [name for name in named if len(name) == 6 and name not in names]
    assert len(fresh) >= 3
    assert statistics.fmean(space.runs(name)[0] for name in fresh) < 0.404 - 0.1
