"""Pretraining: it learns, it resumes to the same bits, and its perplexity is what it says."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from layerwise.core import files
from layerwise.core.errors import DataError, LayerwiseError, UsageError
from layerwise.encoders import pretrain as module
from layerwise.encoders.bilm import BiLMSettings
from layerwise.encoders.character_cnn import BEGIN, END, CharacterSettings
from layerwise.encoders.checkpoint import CARD, WEIGHTS, load_encoder, load_tensors
from layerwise.encoders.language_model import LanguageModel, perplexity
from layerwise.encoders.pretrain import LOG, TRAINING, VOCABULARY, TrainingSettings, pretrain
from layerwise.encoders.training_text import (
    UNKNOWN,
    Batches,
    Text,
    build_vocabulary,
    read_text,
)

torch.set_num_threads(1)


def model_settings(window: int = 6, dropout: float = 0.0) -> BiLMSettings:
    return BiLMSettings(
        architecture="transformer",
        stack={"dim": 16, "layers": 1, "heads": 2, "feed_forward": 24, "dropout": dropout},
        characters=CharacterSettings(embedding=4, filters=((1, 8), (2, 8)), highways=1),
        window=window,
    )


SHORT = TrainingSettings(steps=6, batch=3, vocabulary=12, seed=4)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """Words drawn at random: 200 of them, 20 different ones."""
    drawn = np.random.default_rng(0).choice([f"w{chr(97 + i)}" for i in range(20)], 200)
    path = tmp_path / "text.txt"
    path.write_text("\n".join(" ".join(drawn[i : i + 10]) for i in range(0, 200, 10)))
    return path


def train(text: Path, output: Path, **changes: Any) -> dict[str, Any]:
    settings = changes.pop("settings", model_settings())
    held_out = changes.pop("held_out", [])
    plan = SHORT.model_copy(update=changes)
    return pretrain(settings, plan, [text], held_out, output, "probe pretrain")


def weights(output: Path) -> bytes:
    return (output / WEIGHTS).read_bytes()


class TestLearning:
    def test_a_pattern_is_learnt_until_nothing_surprises(self, tmp_path: Path) -> None:
        cycle = "north east south west up down left right"
        (tmp_path / "text").write_text(f"{cycle} " * 60)
        card = pretrain(
            model_settings(window=11),  # windows begin at every place of the cycle
            TrainingSettings(steps=150, batch=8, vocabulary=20, learning_rate=1e-2),
            [tmp_path / "text"],
            [],
            tmp_path / "out",
            "",
        )
        reached = card["held_out_perplexity"]
        # Nothing tells the first word of a window; the other words follow from it.
        first = math.exp(math.log(8) / 9)  # nine held-out words are one window: 1.26
        assert reached["words"] == 9
        for direction in ("forward", "backward", "mean"):
            assert 1 <= reached[direction] < first + 0.2

    def test_an_untrained_model_is_as_unsure_as_its_vocabulary_is_large(self, text: Path) -> None:
        torch.manual_seed(0)
        read = read_text([text])
        vocabulary = build_vocabulary(read, 100)
        reached = perplexity(LanguageModel(model_settings(), 21), read, vocabulary, "cpu")
        assert abs(reached["mean"] - 21) < 1.5

    def test_the_loss_is_logged_with_its_steps(self, text: Path, tmp_path: Path) -> None:
        card = train(text, tmp_path / "out", steps=120, evaluate_every=50)
        lines = [json.loads(line) for line in (tmp_path / "out" / LOG).read_text().splitlines()]
        assert [line["step"] for line in lines] == [50, 100, 120]
        assert all({"forward", "backward", "mean"} <= line.keys() for line in lines)
        assert lines[-1]["mean"] == card["held_out_perplexity"]["mean"]
        assert all(0 < line["loss"] < 4 for line in lines)

    def test_half_precision_trains_too(self, text: Path, tmp_path: Path) -> None:
        train(text, tmp_path / "out", precision="bfloat16")
        full = train(text, tmp_path / "full")
        assert weights(tmp_path / "out") != weights(tmp_path / "full")
        tensors, _ = load_tensors(tmp_path / "out" / WEIGHTS)
        assert all(tensor.dtype == torch.float32 for tensor in tensors.values())
        assert full["held_out_perplexity"]["mean"] > 1

    def test_a_training_that_bursts_is_told_and_spoils_nothing(
        self, text: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(UsageError, match="no longer finite at step"):
            train(text, tmp_path / "out", learning_rate=1e30)
        assert not (tmp_path / "out" / WEIGHTS).exists()


class TestResults:
    def test_the_folder_is_an_encoder_with_its_card(self, text: Path, tmp_path: Path) -> None:
        card = train(text, tmp_path / "out")
        loaded = load_encoder(tmp_path / "out")
        assert loaded.settings == model_settings()
        trained, _ = load_tensors(tmp_path / "out" / TRAINING)
        for name, weight in loaded.state_dict().items():
            assert torch.equal(weight, trained[f"model.bilm.{name}"])
        assert card == files.read_json(tmp_path / "out" / CARD)
        assert card["text"] == [{"file": "text.txt", "sha256": files.sha256_of(text), "words": 200}]
        assert card["words_seen"] == 6 * 3 * 6
        assert card["parameters"]["softmax"] == 12 * 16 + 12
        assert str(tmp_path) not in json.dumps(card)

    def test_the_seed_decides_the_weights(self, text: Path, tmp_path: Path) -> None:
        for name, seed in (("one", 4), ("same", 4), ("other", 5)):
            torch.manual_seed(hash(name) % 1000)
            train(text, tmp_path / name, seed=seed)
        assert weights(tmp_path / "one") == weights(tmp_path / "same")
        assert weights(tmp_path / "one") != weights(tmp_path / "other")

    def test_held_out_text_is_not_trained_on(self, text: Path, tmp_path: Path) -> None:
        card = train(text, tmp_path / "out")
        assert card["held_out_perplexity"]["words"] == 4  # a fiftieth of 200
        words = text.read_text().split()
        words[-1] = "unheard"
        other = tmp_path / "text2.txt"
        other.write_text(" ".join(words))
        train(other, tmp_path / "other")
        assert weights(tmp_path / "out") == weights(tmp_path / "other")

    def test_held_out_files_are_measured(self, text: Path, tmp_path: Path) -> None:
        (tmp_path / "held").write_text("wa wb unheard wc")
        card = train(text, tmp_path / "out", held_out=[tmp_path / "held"], vocabulary=50)
        assert card["held_out_perplexity"]["words"] == 4
        assert card["held_out_perplexity"]["unknown_share"] == 0.25
        assert card["held_out"][0]["file"] == "held"


class TestResuming:
    @pytest.mark.parametrize("dropout", [0.0, 0.3])
    def test_a_stopped_training_goes_on_to_the_same_bits(
        self, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dropout: float
    ) -> None:
        settings = model_settings(dropout=dropout)
        train(text, tmp_path / "whole", settings=settings)
        step_of = module._train_step
        done: list[int] = []

        def stopped(
            model: Any, optimiser: Any, batches: Any, codes: Any, step: int, *rest: Any
        ) -> float:
            if step == 4 and 4 not in done:
                done.append(step)
                raise KeyboardInterrupt
            done.append(step)
            return step_of(model, optimiser, batches, codes, step, *rest)

        monkeypatch.setattr(module, "_train_step", stopped)
        monkeypatch.setattr(module, "_SAVE_EVERY", -1.0)
        with pytest.raises(KeyboardInterrupt):
            train(text, tmp_path / "stopped", settings=settings)
        torch.manual_seed(99)
        train(text, tmp_path / "stopped", settings=settings)
        assert done == [0, 1, 2, 3, 4, 4, 5]
        assert weights(tmp_path / "stopped") == weights(tmp_path / "whole")

    def test_dropout_is_really_drawn(self, text: Path, tmp_path: Path) -> None:
        for name, dropout in (("with", 0.3), ("without", 0.0)):
            train(text, tmp_path / name, settings=model_settings(dropout=dropout))
        one, other = (load_tensors(tmp_path / n / WEIGHTS)[0] for n in ("with", "without"))
        assert not all(torch.equal(one[name], other[name]) for name in one)

    def test_a_finished_training_is_not_done_again(
        self, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        card = train(text, tmp_path / "out")
        before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "out").iterdir()}
        monkeypatch.setattr(module, "_train_step", lambda *_: pytest.fail("trained again"))
        assert train(text, tmp_path / "out") == card
        assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "out").iterdir()} == before
        (tmp_path / "out" / CARD).unlink()  # killed just before the card was written
        again = train(text, tmp_path / "out")
        assert again["held_out_perplexity"] == card["held_out_perplexity"]

    @pytest.mark.parametrize(
        "change",
        [
            {"seed": 5},
            {"steps": 7},
            {"learning_rate": 1e-3},
            {"settings": model_settings(window=7)},
            {"settings": model_settings(dropout=0.1)},
        ],
    )
    def test_another_training_in_its_folder_is_refused(
        self, text: Path, tmp_path: Path, change: dict[str, Any]
    ) -> None:
        train(text, tmp_path / "out")
        before = weights(tmp_path / "out")
        with pytest.raises(UsageError, match="other settings or other text"):
            train(text, tmp_path / "out", **change)
        assert weights(tmp_path / "out") == before

    def test_another_text_in_its_folder_is_refused(self, text: Path, tmp_path: Path) -> None:
        train(text, tmp_path / "out")
        text.write_text(text.read_text() + " more")
        with pytest.raises(UsageError, match="other settings or other text"):
            train(text, tmp_path / "out")

    def test_a_damaged_state_is_told(self, text: Path, tmp_path: Path) -> None:
        train(text, tmp_path / "out")
        (tmp_path / "out" / TRAINING).write_bytes(b"torn")
        with pytest.raises(LayerwiseError, match=TRAINING):
            train(text, tmp_path / "out")


def by_hand(
    model: LanguageModel, words: list[str], vocabulary: list[str]
) -> tuple[float, float, int]:
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
            scores = model.softmax(stack(seen[None])[-1][0, -1]).double()
            target = vocabulary.index(word) if word in vocabulary else 0
            total -= float(scores[target] - scores.exp().sum().log())
        totals.append(total)
    return totals[0], totals[1], len(words)


class TestPerplexity:
    @pytest.mark.parametrize("count", [18, 20, 5, 1])
    def test_it_is_the_mean_surprise_over_words_the_short_window_too(self, count: int) -> None:
        torch.manual_seed(0)
        words = list(np.random.default_rng(1).choice(["wa", "wb", "wc", "odd", "rare"], count))
        vocabulary = [UNKNOWN, "wc", "wa", "wb"]
        model = LanguageModel(model_settings(), 4)
        for weight in model.parameters():
            weight.data.copy_(torch.randn_like(weight) * 0.4)
        model.eval()
        with torch.no_grad():
            parts = [by_hand(model, words[i : i + 6], vocabulary) for i in range(0, count, 6)]
        forward, backward, total = (sum(column) for column in zip(*parts, strict=True))
        assert total == count
        reached = perplexity(model, as_text(words), vocabulary, "cpu")
        assert reached["forward"] == pytest.approx(math.exp(forward / count), abs=1e-3)
        assert reached["backward"] == pytest.approx(math.exp(backward / count), abs=1e-3)
        mean = math.exp((forward + backward) / 2 / count)
        assert reached["mean"] == pytest.approx(mean, abs=1e-3)
        assert reached["words"] == count
        unknown = sum(word in ("odd", "rare") for word in words) / count
        assert reached["unknown_share"] == pytest.approx(unknown, abs=1e-5)
        assert reached["forward"] != reached["backward"]

    def test_dropout_has_no_part_in_it(self) -> None:
        torch.manual_seed(0)
        model = LanguageModel(model_settings(dropout=0.5), 3).train()
        text = as_text(["wa", "wb"] * 9)
        first = perplexity(model, text, [UNKNOWN, "wa", "wb"], "cpu")
        assert perplexity(model, text, [UNKNOWN, "wa", "wb"], "cpu") == first
        assert model.training


def as_text(words: list[str]) -> Text:
    types = [BEGIN, END, *dict.fromkeys(words)]
    return Text(types, np.array([types.index(word) for word in words], dtype=np.int32), [])


class TestVocabulary:
    def test_the_frequent_words_come_first_and_ties_in_order(self) -> None:
        text = as_text("b a c b c z b y".split())
        assert build_vocabulary(text, 100) == [UNKNOWN, "b", "c", "a", "y", "z"]
        assert build_vocabulary(text, 4) == [UNKNOWN, "b", "c", "a"]

    def test_the_marks_are_never_predicted(self) -> None:
        assert not {BEGIN, END} & set(build_vocabulary(as_text(["a"]), 100))

    def test_it_is_written_in_its_order(self, text: Path, tmp_path: Path) -> None:
        train(text, tmp_path / "out")
        lines = (tmp_path / "out" / VOCABULARY).read_text().splitlines()
        assert len(lines) == SHORT.vocabulary and lines[0] == UNKNOWN


class TestText:
    def test_files_follow_one_another(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("one two")
        (tmp_path / "b").write_text("two, three")
        read = read_text([tmp_path / "a", tmp_path / "b"])
        assert [read.types[i] for i in read.words] == ["one", "two", "two", ",", "three"]
        assert [source["words"] for source in read.sources] == [2, 3]
        assert read.types[:2] == [BEGIN, END]

    def test_too_little_text_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "text").write_text("one two three four five six")
        with pytest.raises(DataError, match="fewer words than one window"):
            train(tmp_path / "text", tmp_path / "out")

    def test_held_out_text_without_words_is_told_before_the_training(
        self, text: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "held").write_text(" \n")
        with pytest.raises(DataError, match="--held-out: holds no words"):
            train(text, tmp_path / "out", held_out=[tmp_path / "held"])

    @pytest.mark.parametrize("count", [7, 11, 12, 13, 18, 25])
    def test_every_word_is_in_some_window_and_each_window_once_an_epoch(self, count: int) -> None:
        words = [f"w{i}" for i in range(count)]
        text = as_text(words)
        vocabulary = [UNKNOWN, *words]
        settings = model_settings()
        windows = -(-count // 6)
        plan = TrainingSettings(batch=1, seed=3)
        feed = Batches(text, vocabulary, window=settings.window, batch=plan.batch, seed=plan.seed)
        epochs = []
        for epoch in range(3):
            rows = []
            for step in range(epoch * windows, (epoch + 1) * windows):
                numbers, targets = feed(step)
                assert [text.types[i] for i in numbers[0]] == [vocabulary[i] for i in targets[0]]
                rows.append(tuple(numbers[0].tolist()))
                first = int(numbers[0][0])
                assert rows[-1] == tuple(range(first, first + 6))
            assert len(set(rows)) == windows
            assert {number for row in rows for number in row} == set(range(2, count + 2))
            epochs.append(rows)
        if windows > 4:
            assert epochs[0] != epochs[1]

    def test_any_step_can_be_had_at_once(self) -> None:
        text = as_text([f"w{i}" for i in range(40)])
        settings, plan = model_settings(), TrainingSettings(batch=3, seed=3)

        def feed() -> Batches:
            return Batches(
                text, [UNKNOWN], window=settings.window, batch=plan.batch, seed=plan.seed
            )

        through = feed()
        batches = [through(step)[0] for step in range(8)]
        for step in (7, 2, 5):
            assert torch.equal(feed()(step)[0], batches[step])


class TestSchedule:
    def test_it_rises_to_the_full_rate_and_falls_to_a_twentieth(self) -> None:
        plan = TrainingSettings(steps=200, warmup=0.1)
        rates = [module._schedule(step, plan) for step in range(200)]
        assert rates[0] == pytest.approx(1 / 20) and rates[19] == rates[20] == 1.0
        assert rates[20 + 90] == pytest.approx(0.05 + 0.95 / 2)  # half way down
        assert rates[-1] == pytest.approx(0.05, abs=1e-3)
        assert rates[:20] == sorted(rates[:20])
        assert rates[20:] == sorted(rates[20:], reverse=True)

    @pytest.mark.parametrize("plan", [{"steps": 1}, {"steps": 5, "warmup": 1.0}, {"warmup": 0.0}])
    def test_its_ends_are_sound(self, plan: dict[str, Any]) -> None:
        settings = TrainingSettings(**plan)
        for step in range(settings.steps):
            assert 0 < module._schedule(step, settings) <= 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"batch": 0},
        {"vocabulary": 1},
        {"learning_rate": 0},
        {"warmup": 2},
        {"clip": 0},
        {"precision": "float8"},
        {"seed": -1},
        {"odd": 1},
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TrainingSettings(**wrong)
