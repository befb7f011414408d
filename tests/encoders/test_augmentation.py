"""Augmented pretraining: causal, off when it is off, and the mixed losses by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from layerwise.core.errors import UsageError
from layerwise.encoders import augmentation as module
from layerwise.encoders import pretrain as pretraining
from layerwise.encoders.augmentation import Augmentation, draw
from layerwise.encoders.bilm import BiLMSettings
from layerwise.encoders.budget import Budget
from layerwise.encoders.character_cnn import BEGIN, END, CharacterSettings
from layerwise.encoders.checkpoint import WEIGHTS
from layerwise.encoders.language_model import LanguageModel, perplexity
from layerwise.encoders.pretrain import pretrain
from layerwise.encoders.training_settings import TrainingSettings
from layerwise.encoders.training_step import Trainer
from layerwise.encoders.training_text import UNKNOWN, Batch, Text, make_batch, targets_by_type

torch.set_num_threads(1)

WORDS = [f"w{chr(97 + i)}" for i in range(8)]
VOCABULARY = [UNKNOWN, *WORDS[:6]]
KINDS = ("moex", "mixup", "dropout")
PARTNER = torch.tensor([1, 2, 0, 3])
SHORT = TrainingSettings(budget=Budget.parse("6steps"), batch=4, vocabulary=7, seed=4)

STACKS: dict[str, dict[str, Any]] = {
    "transformer": {"dim": 16, "layers": 2, "heads": 2, "feed_forward": 24, "dropout": 0.0},
    "lstm": {"dim": 16, "layers": 1, "hidden": 24, "dropout": 0.0},
    "gated_cnn": {"dim": 16, "layers": 2, "dropout": 0.0},
}


def model_settings(architecture: str = "transformer", dropout: float = 0.0) -> BiLMSettings:
    return BiLMSettings(
        architecture=architecture,
        stack=STACKS[architecture] | {"dropout": dropout},
        characters=CharacterSettings(embedding=4, filters=((1, 8), (2, 8)), highways=1),
        window=6,
    )


def text_of(count: int, seed: int = 0) -> Text:
    numbers = np.random.default_rng(seed).integers(2, 10, count).astype(np.int32)
    return Text([BEGIN, END, *WORDS], numbers, np.bincount(numbers, minlength=10), [])


def build(softmax: Any = "full", architecture: str = "transformer") -> LanguageModel:
    torch.manual_seed(0)
    model = LanguageModel(model_settings(architecture), len(VOCABULARY), softmax, samples=3)
    for weight in model.parameters():
        weight.data.copy_(torch.randn_like(weight) * 0.4)
    return model


def batch_of(model: LanguageModel) -> Batch:
    text = text_of(24)
    targets = targets_by_type(text.types, VOCABULARY)
    return make_batch(text.words.reshape(4, 6), text, targets, model.bilm.characters.codes)


def by_hand(model: LanguageModel, batch: Batch, kind: str, own: float) -> tuple[float, float]:
    """Mean mixed losses of both directions, word by word, by numpy and torch's log-softmax."""
    vectors = model.bilm.characters(batch.codes.long()).detach().numpy()
    numbers, targets = batch.words.numpy(), batch.targets.numpy()
    found = []
    for stack, mark, turn in ((model.bilm.forward_stack, 0, 1), (model.bilm.backward_stack, 1, -1)):
        read, aims = numbers[:, ::turn], targets[:, ::turn]
        total = 0.0
        for row, partner in enumerate(PARTNER.tolist()):
            seen = [vectors[mark]]
            for place in range(5):
                a, b = vectors[read[row, place]], vectors[read[partner, place]]
                if kind == "mixup":
                    seen.append(own * a + (1 - own) * b)
                elif row == partner:
                    seen.append(a)
                else:
                    spread = [np.sqrt(x.var(ddof=1) + 1e-5) for x in (a, b)]
                    seen.append((a - a.mean()) / spread[0] * spread[1] + b.mean())
            states = stack(torch.from_numpy(np.stack(seen)[None]))[-1][0]
            for place in range(6):
                log_p = torch.log_softmax(model.softmax(states[place]).double(), dim=0)
                total -= own * float(log_p[aims[row, place]])
                total -= (1 - own) * float(log_p[aims[partner, place]])
        found.append(total / targets.size)
    return found[0], found[1]


class TestLosses:
    @pytest.mark.parametrize("kind", ["moex", "mixup"])
    def test_they_are_those_of_both_windows_mixed_at_each_position(self, kind: Any) -> None:
        model = build()
        batch = batch_of(model)
        with torch.no_grad():
            found = Augmentation(kind, 0.7, PARTNER).losses(model, batch)
            expected = by_hand(model, batch, kind, 0.7)
        assert [float(each) for each in found] == pytest.approx(expected, rel=1e-5)

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("softmax", ["full", "adaptive", "sampled"])
    def test_where_all_is_kept_it_is_the_plain_loss(self, kind: Any, softmax: str) -> None:
        model = build(softmax)
        batch, nobody = batch_of(model), torch.arange(4)
        torch.manual_seed(1)
        plain = model.losses(batch)
        torch.manual_seed(1)
        found = Augmentation(kind, 1.0, nobody).losses(model, batch)
        for one, other in zip(found, plain, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("softmax", ["full", "adaptive", "sampled"])
    def test_a_mixed_loss_is_the_mean_of_both_losses(self, softmax: str) -> None:
        """Beyond one part of the logits, too."""
        layer = build(softmax).softmax
        states = torch.randn(150, 16, generator=torch.Generator().manual_seed(0))
        targets, others = torch.randint(0, 7, (2, 150), generator=torch.Generator().manual_seed(1))

        def seeded(call: Any, *given: Any) -> float:
            torch.manual_seed(2)
            return float(call(*given).detach())

        expected = 0.6 * seeded(layer.loss, states, targets)
        expected += 0.4 * seeded(layer.loss, states, others)
        mixed = seeded(layer.mixed_loss, states, targets, others, 0.6)
        assert mixed == pytest.approx(expected, rel=1e-5)

    def test_dropout_leaves_the_mark_and_drops_a_share_of_the_rest(self) -> None:
        torch.manual_seed(0)
        words = torch.randn(4, 200, 16)
        changed = Augmentation("dropout", 0.8, PARTNER).words(words)
        assert torch.equal(changed[:, 0], words[:, 0])
        dropped = changed[:, 1:] == 0
        assert float(dropped.float().mean()) == pytest.approx(0.2, abs=0.02)
        torch.testing.assert_close(changed[:, 1:][~dropped], words[:, 1:][~dropped] / 0.8)


class TestCausality:
    @pytest.mark.parametrize("architecture", STACKS)
    @pytest.mark.parametrize("kind", KINDS)
    def test_no_output_has_a_gradient_to_a_later_input_of_any_window(
        self, kind: Any, architecture: str
    ) -> None:
        model = build(architecture=architecture).eval()
        words = torch.randn(4, 6, 16, generator=torch.Generator().manual_seed(0)).requires_grad_()
        torch.manual_seed(1)
        changed = Augmentation(kind, 0.7, PARTNER).words(words)
        for stack in (model.bilm.forward_stack, model.bilm.backward_stack):
            states = stack(changed)[-1]
            for place in (0, 2, 4):
                (slope,) = torch.autograd.grad(states[0, place].sum(), words, retain_graph=True)
                reached = slope.abs().sum(dim=2)  # (rows, time)
                assert bool((reached[:, place + 1 :] == 0).all())
                assert bool((reached[0, 1 : place + 1] > 0).all())
                if kind != "dropout" and place:
                    assert bool((reached[1, 1 : place + 1] > 0).all())  # of the partner
                assert bool((reached[2:] == 0).all())

    def test_moments_over_time_would_leak_and_are_refused(self) -> None:
        """The refusal has a reason: made so, an early output does depend on a later input."""
        words = torch.randn(4, 6, 16, generator=torch.Generator().manual_seed(0)).requires_grad_()
        over_time = (words - words.mean(1, keepdim=True)) / words.std(1, keepdim=True)
        (slope,) = torch.autograd.grad(over_time[0, 1, 0], words)
        assert bool((slope[0, 2:].abs().sum() > 0).all())
        with pytest.raises(UsageError, match="--augment-moments: moments over time"):
            TrainingSettings(augment="moex", augment_moments="time")


class TestDraw:
    def test_it_depends_on_its_numbers_alone_and_takes_nothing_from_torch(self) -> None:
        plan = SHORT.model_copy(update={"augment": "moex"})
        torch.manual_seed(0)
        before = torch.get_rng_state()
        found = {
            (step, part, rank): draw(plan, step, part, rank, 9, "cpu")
            for step in range(3)
            for part in range(2)
            for rank in range(2)
        }
        assert torch.equal(torch.get_rng_state(), before)
        partners = {tuple(each.partner.tolist()) for each in found.values() if each}
        assert len(partners) == 12
        assert all(sorted(each) == list(range(9)) for each in partners)
        again, before_it = draw(plan, 2, 1, 1, 9, "cpu"), found[2, 1, 1]
        assert again and before_it and torch.equal(again.partner, before_it.partner)

    def test_a_share_of_the_steps_is_augmented_whole(self) -> None:
        plan = SHORT.model_copy(update={"augment": "mixup", "augment_probability": 0.3})
        steps = [draw(plan, step, 0, 0, 4, "cpu") is not None for step in range(1000)]
        assert np.mean(steps) == pytest.approx(0.3, abs=0.045)  # three standard errors
        assert steps == [draw(plan, step, 1, 3, 4, "cpu") is not None for step in range(1000)]


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "text.txt").write_text(" ".join(WORDS[n - 2] for n in text_of(200).words))
    return tmp_path / "text.txt"


def train(text: Path, output: Path, **changes: Any) -> dict[str, Any]:
    settings = model_settings(dropout=changes.pop("dropout", 0.0))
    plan = TrainingSettings(**SHORT.model_dump() | changes)
    return pretrain(settings, plan, [text], [], output, "probe pretrain")


def weights(output: Path) -> bytes:
    return (output / WEIGHTS).read_bytes()


class TestTraining:
    @pytest.mark.parametrize("kind", KINDS)
    def test_with_probability_0_it_is_the_plain_training_to_the_bit(
        self, text: Path, tmp_path: Path, kind: str
    ) -> None:
        """Dropout and samples are drawn as ever."""
        rest = {"dropout": 0.3, "softmax": "sampled", "samples": 3}
        plain = train(text, tmp_path / "plain", **rest)
        off = train(text, tmp_path / "off", augment=kind, augment_probability=0.0, **rest)
        on = train(text, tmp_path / "on", augment=kind, **rest)
        assert weights(tmp_path / "off") == weights(tmp_path / "plain")
        assert weights(tmp_path / "on") != weights(tmp_path / "plain")
        assert "augment" not in plain["training"] and off["training"]["augment"] == kind
        assert on["training"]["augment_lambda"] == 0.9
        assert ("augment_moments" in on["training"]) == (kind == "moex")

    @pytest.mark.parametrize("kind", KINDS)
    def test_interrupted_it_goes_on_to_the_same_bits(
        self, text: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        options: dict[str, Any] = {
            **{"augment": kind, "augment_probability": 0.7, "accumulate": 2},
            **{"precision": "bfloat16", "dropout": 0.2},
        }
        train(text, tmp_path / "whole", **options)
        step = Trainer.step

        def dying(self: Trainer, number: int, *rest: Any) -> Any:
            if number == 3:
                raise RuntimeError("killed")
            return step(self, number, *rest)

        monkeypatch.setattr(pretraining, "_SAVE_EVERY", -1.0)
        monkeypatch.setattr(Trainer, "step", dying)
        with pytest.raises(RuntimeError, match="killed"):
            train(text, tmp_path / "out", **options)
        monkeypatch.setattr(Trainer, "step", step)
        torch.manual_seed(99)
        train(text, tmp_path / "out", **options)
        assert weights(tmp_path / "out") == weights(tmp_path / "whole")

    def test_nothing_is_swapped_at_evaluation(
        self, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made, exchange, measure = [], module.exchange, pretraining.perplexity

        def noted(words: Tensor, *rest: Any) -> Tensor:
            made.append("exchange")
            return exchange(words, *rest)

        def measured(model: LanguageModel, *rest: Any) -> Any:
            before = len(made)
            found = measure(model, *rest)
            assert len(made) == before
            made.append("evaluation")
            return found

        monkeypatch.setattr(module, "exchange", noted)
        monkeypatch.setattr(pretraining, "perplexity", measured)
        train(text, tmp_path / "out", augment="moex", evaluate_every=3)
        # Each of six steps in both directions, and two evaluations between.
        assert made == [*["exchange"] * 6, "evaluation"] * 2

    def test_the_perplexity_does_not_know_how_it_was_trained(self) -> None:
        model, held_out = build(), text_of(40, seed=3)
        first = perplexity(model, held_out, VOCABULARY, "cpu")
        Augmentation("moex", 0.5, PARTNER).losses(model, batch_of(model))
        assert perplexity(model, held_out, VOCABULARY, "cpu") == first

    @pytest.mark.parametrize("kind", ["moex", "mixup"])
    def test_a_window_alone_has_no_partner(self, text: Path, tmp_path: Path, kind: str) -> None:
        with pytest.raises(UsageError, match=f"--augment {kind}: a window that is read alone"):
            train(text, tmp_path / "out", augment=kind, batch=1)
        assert not (tmp_path / "out").exists()
        train(text, tmp_path / "out", augment="dropout", batch=1, budget="1steps")
