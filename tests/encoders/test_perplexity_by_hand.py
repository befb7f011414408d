"""Perplexity word by word from what stands before it alone, and that no word sees itself."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from torch import Tensor, nn

from layerwise.core import registry
from layerwise.encoders.bilm import BiLM, BiLMSettings, build_settings, initialise
from layerwise.encoders.character_cnn import BEGIN, END, CharacterSettings
from layerwise.encoders.language_model import LanguageModel, perplexity
from layerwise.encoders.training_text import UNKNOWN, read_text

torch.set_num_threads(1)
ARCHITECTURES = registry.names("architecture")
TIME = 9
WINDOW = 5


def tiny(architecture: str) -> BiLMSettings:
    """The smallest named size; dropout, where there is some, must not reach a measurement."""
    kind: Any = registry.load("architecture", architecture)
    return build_settings(
        architecture,
        "tiny",
        {"dropout": 0.4} if "dropout" in kind.model_fields else {},
        characters=CharacterSettings(embedding=4, filters=((1, 8), (3, 8))),
        window=WINDOW,
    )


def sharpen(model: nn.Module, by: float = 0.1) -> None:
    """Move all weights, those that begin as 0 or 1 too, so that every one of them matters."""
    with torch.no_grad():
        for weight in model.parameters():
            weight += by * torch.randn_like(weight)


class ByHand:
    """Surprisals in nats, one word at a time, from the words of its window on one side alone."""

    def __init__(self, model: LanguageModel, vocabulary: list[str]) -> None:
        self.model, self.vocabulary = model, vocabulary
        self.dim = model.bilm.dim

    def vector(self, word: str) -> Tensor:
        characters = self.model.bilm.characters
        return characters(torch.from_numpy(characters.codes([word])).long())[0]  # (dim,)

    def log_probabilities(self, state: Tensor) -> Any:
        """Over the vocabulary, (vocabulary,), in float64."""
        layer: Any = self.model.softmax
        x = state.double().numpy()
        if not hasattr(layer, "adaptive"):
            return log_softmax(layer.weight.double().numpy() @ x + layer.bias.double().numpy())
        # The head has the frequent words, then one entry for each cluster of rarer ones.
        first = layer.adaptive.cutoffs[0]
        head = log_softmax(layer.adaptive.head.weight.double().numpy() @ x)
        parts = [head[:first]]
        for cluster, (down, up) in zip(head[first:], layer.adaptive.tail, strict=True):
            inner = up.weight.double().numpy() @ (down.weight.double().numpy() @ x)
            parts.append(cluster + log_softmax(inner))
        return np.concatenate(parts)

    def surprisal(self, stack: nn.Module, read: list[str], word: str) -> float:
        state = stack(torch.stack([self.vector(w) for w in read])[None])[-1][0, -1]  # (dim,)
        number = self.vocabulary.index(word if word in self.vocabulary else UNKNOWN)
        distribution = self.log_probabilities(state)
        assert len(distribution) == len(self.vocabulary)
        assert np.exp(distribution).sum() == pytest.approx(1)
        return -float(distribution[number])

    def perplexities(self, words: list[str]) -> tuple[float, float]:
        bilm = self.model.bilm
        forward = backward = 0.0
        for start in range(0, len(words), WINDOW):
            window = words[start : start + WINDOW]
            for i, word in enumerate(window):
                before, behind = window[:i], window[i + 1 :]
                forward += self.surprisal(bilm.forward_stack, [BEGIN, *before], word)
                backward += self.surprisal(bilm.backward_stack, [END, *reversed(behind)], word)
        return math.exp(forward / len(words)), math.exp(backward / len(words))


class TestPerplexity:
    @pytest.fixture
    def words(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """More windows than are measured at once, and a rest that fills none."""
        monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "cache"))
        names = [one + other for one in "aeiou" for other in "lmnr"]
        share = 1 / np.arange(1, 21)
        drawn = np.random.default_rng(0).choice(names, 33 * WINDOW + 3, p=share / share.sum())
        (tmp_path / "text").write_text(" ".join(drawn))
        return [str(word) for word in drawn]

    @pytest.mark.parametrize("architecture", ARCHITECTURES)
    def test_it_is_that_of_each_word_from_its_side_of_the_window(
        self, architecture: str, words: list[str], tmp_path: Path
    ) -> None:
        self.check(architecture, words, tmp_path / "text")

    @pytest.mark.parametrize("softmax", ["sampled", "adaptive"])
    def test_it_is_by_the_whole_distribution_however_training_was(
        self, softmax: str, words: list[str], tmp_path: Path
    ) -> None:
        self.check("transformer", words, tmp_path / "text", softmax, 6)

    def check(self, architecture: str, words: list[str], file: Path, *softmax: Any) -> None:
        torch.manual_seed(5)
        # Three of the twenty words are not in the vocabulary.
        vocabulary = [UNKNOWN, *sorted(set(words), key=lambda w: (-words.count(w), w))[:17]]
        model = LanguageModel(tiny(architecture), len(vocabulary), *softmax)
        sharpen(model)
        sharpen(model.softmax, 0.5)  # far from uniform, or there is little to get wrong
        reached = perplexity(model, read_text([file]), vocabulary, "cpu")
        assert reached["words"] == len(words)
        unknown = [word not in vocabulary for word in words]
        assert 0 < reached["unknown_share"] == pytest.approx(np.mean(unknown), abs=1e-5)
        model.eval().requires_grad_(False)
        forward, backward = ByHand(model, vocabulary).perplexities(words)
        assert abs(forward - backward) > 0.1  # or to mistake one for the other would go unseen
        assert abs(forward - len(vocabulary)) > 0.1
        for direction, by_hand in {
            "forward": forward,
            "backward": backward,
            "mean": math.sqrt(forward * backward),
        }.items():
            assert reached[direction] == pytest.approx(by_hand, rel=1e-5, abs=1e-3)


def moves(stack: nn.Module, words: Tensor) -> Tensor:
    """How far each output moves with each word: (layers, time of output, time of word)."""
    with torch.no_grad():
        before = torch.stack(stack(words))  # (layers, 1, time, dim)
        columns = []
        for place in range(words.shape[1]):
            changed = words.clone()
            changed[:, place] += torch.randn(words.shape[2])
            columns.append((torch.stack(stack(changed)) - before).abs().amax(dim=(1, 3)))
    return torch.stack(columns, dim=2)


def leaks(moved: Tensor) -> bool:
    """Whether an output moves with a word that comes later."""
    return bool((moved.triu(1) > 1e-6).any())


def stack_of(architecture: str) -> tuple[nn.Module, int]:
    built = registry.load("architecture", architecture)
    settings = built(**built.sizes["tiny"])
    torch.manual_seed(2)
    stack: nn.Module = settings.stack()
    initialise(stack)
    sharpen(stack)
    return stack, settings.dim


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
class TestNoLeak:
    def test_a_stack_reads_no_word_that_comes_later(
        self, architecture: str, training: bool
    ) -> None:
        stack, dim = stack_of(architecture)
        moved = moves(stack.train(training), torch.randn(1, TIME, dim))
        assert not leaks(moved)
        # What is read moves the output: the word itself and, in the end, the one before it.
        assert (moved.diagonal(dim1=1, dim2=2) > 1e-4).all()
        assert (moved[-1].diagonal(offset=-1) > 1e-4).all()

    def test_no_gradient_comes_from_later(self, architecture: str, training: bool) -> None:
        stack, dim = stack_of(architecture)
        stack.train(training)
        words = torch.randn(1, TIME, dim, requires_grad=True)
        for layer in stack(words):  # (1, time, dim)
            for place in range(TIME):
                (found,) = torch.autograd.grad(
                    (layer[0, place] * torch.randn(dim)).sum(), words, retain_graph=True
                )
                of_words = found[0].abs().amax(dim=1)  # (time,)
                assert of_words[place] > 0
                assert (of_words[place + 1 :] == 0).all()

    def test_states_of_a_text_see_one_side_each(self, architecture: str, training: bool) -> None:
        settings = build_settings(architecture, "tiny")
        torch.manual_seed(3)
        model = BiLM(settings)
        sharpen(model)
        model.train(training)
        dim, lengths = model.dim, torch.tensor([TIME, TIME - 3])
        words, begin, end = torch.randn(2, TIME, dim), torch.randn(dim), torch.randn(dim)
        with torch.no_grad():
            before = model.states(words, lengths, begin, end)  # (1 + layers, 2, time, 2 * dim)
            for place in range(TIME - 3):
                changed = words.clone()
                changed[:, place] += torch.randn(2, dim)
                after = model.states(changed, lengths, begin, end)
                moved = (after - before).abs()[1:].amax(dim=0)  # (2, time, 2 * dim)
                moved[1, TIME - 3 :] = 0  # behind the second row's end nothing is defined
                left, right = (half.amax(dim=2) for half in moved.split(dim, dim=2))
                assert (left[:, :place] <= 1e-6).all()
                assert (right[:, place + 1 :] <= 1e-6).all()
                assert (left[:, place] > 1e-4).all() and (right[:, place] > 1e-4).all()


class _SeesAhead(nn.Module):
    """A convolution of three words that is centred, as one that lost its shift would be."""

    def __init__(self, ahead: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(4, 4, 3)
        self.padding = 2 - ahead, ahead

    def forward(self, words: Tensor) -> list[Tensor]:
        padded = nn.functional.pad(words.transpose(1, 2), self.padding)  # (batch, dim, 2 + time)
        return [self.convolution(padded).transpose(1, 2)]


@pytest.mark.parametrize("ahead", [0, 1, 2])
def test_a_leak_would_be_seen(ahead: int) -> None:
    torch.manual_seed(0)
    assert leaks(moves(_SeesAhead(ahead), torch.randn(1, TIME, 4))) == (ahead > 0)
