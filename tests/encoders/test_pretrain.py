"""Pretraining: it learns, it keeps to its budget, and it resumes to the same bits."""

from __future__ import annotations

import json
import math
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from layerwise.core import files
from layerwise.core.errors import DataError, LayerwiseError, UsageError
from layerwise.encoders import pretrain as module
from layerwise.encoders.bilm import BiLMSettings
from layerwise.encoders.budget import Budget
from layerwise.encoders.character_cnn import CharacterSettings
from layerwise.encoders.checkpoint import CARD, WEIGHTS, load_encoder, load_tensors
from layerwise.encoders.pretrain import TRAINING, VOCABULARY, pretrain
from layerwise.encoders.training_log import LOG
from layerwise.encoders.training_settings import TrainingSettings
from layerwise.encoders.training_step import Stepped, Trainer
from layerwise.encoders.training_text import UNKNOWN

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "cache"))


def model_settings(window: int = 6, dropout: float = 0.0) -> BiLMSettings:
    return BiLMSettings(
        architecture="transformer",
        stack={"dim": 16, "layers": 1, "heads": 2, "feed_forward": 24, "dropout": dropout},
        characters=CharacterSettings(embedding=4, filters=((1, 8), (2, 8)), highways=1),
        window=window,
    )


SHORT = TrainingSettings(budget="6steps", batch=3, vocabulary=12, samples=9, seed=4)


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
    compiler = changes.pop("compiler", None)
    plan = TrainingSettings(**SHORT.model_dump() | changes)
    return pretrain(settings, plan, [text], held_out, output, "probe pretrain", compiler=compiler)


def weights(output: Path) -> bytes:
    return (output / WEIGHTS).read_bytes()


def states(output: Path) -> dict[str, torch.Tensor]:
    return load_tensors(output / TRAINING)[0]


def log_of(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (output / LOG).read_text().splitlines()]


class TestLearning:
    @pytest.mark.parametrize("softmax", ["full", "adaptive", "sampled"])
    def test_a_pattern_is_learnt_until_nothing_surprises(
        self, tmp_path: Path, softmax: str
    ) -> None:
        cycle = "north east south west up down left right"
        (tmp_path / "text").write_text(f"{cycle} " * 60)
        card = train(
            tmp_path / "text",
            tmp_path / "out",
            settings=model_settings(window=11),  # windows begin at every place of the cycle
            budget="100steps",
            batch=8,
            vocabulary=20,
            learning_rate=1e-2,
            softmax=softmax,
        )
        reached = card["held_out_perplexity"]
        # Nothing tells the first word of a window; the other words follow from it.
        first = math.exp(math.log(8) / 9)  # nine held-out words are one window: 1.26
        assert reached["words"] == 9
        for direction in ("forward", "backward", "mean"):
            assert 1 <= reached[direction] < first + 0.2

    def test_the_loss_is_logged_with_its_steps(self, text: Path, tmp_path: Path) -> None:
        card = train(text, tmp_path / "out", budget="120steps", evaluate_every=40)
        lines = log_of(tmp_path / "out")
        assert [line["step"] for line in lines] == [40, 50, 80, 100, 120]
        assert [line["step"] for line in lines if "held_out" in line] == [40, 80, 120]
        assert lines[-1]["held_out"] == card["held_out_perplexity"]
        assert [line["words_seen"] for line in lines] == [18 * line["step"] for line in lines]
        assert all(0 < line["loss"] < 4 for line in lines)
        assert all(0 < line["gradient_norm"] < 100 for line in lines)
        rates = [line["learning_rate"] for line in lines]
        assert rates == sorted(rates, reverse=True) and 0 < rates[-1] < rates[0] < 2e-3
        took = [line["seconds"] for line in lines]
        assert took == sorted(took)
        assert card["seconds"] == pytest.approx(took[-1], abs=0.051)  # each is rounded by itself
        speed = 18 * 40 / took[0]
        assert lines[0]["words_per_second"] == pytest.approx(speed, rel=0.05)

    def test_a_sampled_loss_is_not_called_a_loss(self, text: Path, tmp_path: Path) -> None:
        train(text, tmp_path / "out", softmax="sampled")
        (line,) = log_of(tmp_path / "out")
        assert "sampled_loss" in line and "loss" not in line
        assert 5 < line["held_out"]["mean"] < 25  # of all twelve entries, not of a few

    @pytest.mark.parametrize("softmax", ["full", "adaptive", "sampled"])
    def test_half_precision_trains_too(self, text: Path, tmp_path: Path, softmax: str) -> None:
        whole = train(text, tmp_path / "whole", softmax=softmax)
        half = train(text, tmp_path / "half", softmax=softmax, precision="bfloat16")
        tensors = states(tmp_path / "half")
        assert all(tensor.dtype == torch.float32 for tensor in tensors.values())
        assert weights(tmp_path / "half") != weights(tmp_path / "whole")
        for direction in ("forward", "backward"):
            reached = half["held_out_perplexity"][direction]
            assert reached == pytest.approx(whole["held_out_perplexity"][direction], rel=0.05)

    # Torch's compiler looks at what torch warns of.
    @pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
    def test_compiled_it_learns_the_same(
        self, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compiled = []
        compile_ = torch.nn.Module.compile
        monkeypatch.setattr(
            torch.nn.Module,
            "compile",
            lambda self, **options: (compiled.append(options), compile_(self, **options)),
        )
        train(text, tmp_path / "plain", budget="2steps")
        assert not compiled
        train(text, tmp_path / "compiled", budget="2steps", compiler="eager")
        assert compiled == [{"backend": "eager"}] * 2
        one, other = states(tmp_path / "plain"), states(tmp_path / "compiled")
        assert one.keys() == other.keys()
        for name in one:
            assert torch.allclose(one[name], other[name], atol=1e-6)

    @pytest.mark.parametrize("softmax", ["full", "adaptive"])
    def test_accumulated_batches_are_one_large_batch(
        self, text: Path, tmp_path: Path, softmax: str
    ) -> None:
        """The same gradients, told by the first moments of AdamW, and the same losses.

        Weights are no witness: AdamW makes whole steps of the rounding of a gradient that is 0.
        """
        for steps in (1, 6):
            for name, batch, parts in (("large", 8, 1), ("parts", 2, 4)):
                card = train(
                    text,
                    tmp_path / f"{name}{steps}",
                    batch=batch,
                    accumulate=parts,
                    softmax=softmax,
                    budget=f"{steps}steps",
                )
                assert card["words_seen"] == steps * 8 * 6
        one, other = states(tmp_path / "large1"), states(tmp_path / "parts1")
        for name in one:
            if ".exp_avg." in name:
                assert torch.allclose(one[name], other[name], atol=1e-7), name
        losses = [log_of(tmp_path / name)[0]["loss"] for name in ("large6", "parts6")]
        assert losses[0] == pytest.approx(losses[1], abs=1e-4)

    def test_gradients_are_clipped(self, text: Path, tmp_path: Path) -> None:
        """The first moments of AdamW after one step are a tenth of the clipped gradients."""
        train(text, tmp_path / "out", budget="1steps", clip=1e-3)
        moments = [v for name, v in states(tmp_path / "out").items() if ".exp_avg." in name]
        norm = math.sqrt(sum(float((moment / 0.1).square().sum()) for moment in moments))
        assert norm == pytest.approx(1e-3, rel=1e-3)
        assert log_of(tmp_path / "out")[0]["gradient_norm"] > 0.01

    @pytest.mark.parametrize("softmax", ["full", "adaptive"])
    def test_a_training_that_bursts_is_told_and_spoils_nothing(
        self, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, softmax: str
    ) -> None:
        monkeypatch.setattr(module, "_SAVE_EVERY", -1.0)
        told = r"the (loss|gradient) is no longer finite at step \d+; lower --learning-rate"
        with pytest.raises(UsageError, match=told):
            train(text, tmp_path / "out", learning_rate=1e30, softmax=softmax)
        assert not (tmp_path / "out" / WEIGHTS).exists()


class TestResults:
    def test_the_folder_is_an_encoder_with_its_card(self, text: Path, tmp_path: Path) -> None:
        card = train(text, tmp_path / "out")
        loaded = load_encoder(tmp_path / "out")
        assert loaded.settings == model_settings()
        trained = states(tmp_path / "out")
        for name, weight in loaded.state_dict().items():
            assert torch.equal(weight, trained[f"model.bilm.{name}"])
        assert card == files.read_json(tmp_path / "out" / CARD)
        assert card["text"] == [{"file": "text.txt", "sha256": files.sha256_of(text), "words": 200}]
        assert card["steps"] == 6 and card["words_seen"] == 6 * 3 * 6
        assert card["training"]["budget"] == "6steps" and card["training"]["softmax"] == "full"
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

    def test_the_vocabulary_is_written_in_its_order(self, text: Path, tmp_path: Path) -> None:
        train(text, tmp_path / "out")
        lines = (tmp_path / "out" / VOCABULARY).read_text().splitlines()
        assert len(lines) == SHORT.vocabulary and lines[0] == UNKNOWN

    def test_too_little_text_is_told(self, tmp_path: Path) -> None:
        for words in ("", "one", "one two three four five six"):
            (tmp_path / "text").write_text(words)
            with pytest.raises(DataError, match="fewer words than one window"):
                train(tmp_path / "text", tmp_path / "out")

    def test_held_out_text_without_words_is_told_before_the_training(
        self, text: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "held").write_text(" \n")
        with pytest.raises(DataError, match="--held-out: holds no words"):
            train(text, tmp_path / "out", held_out=[tmp_path / "held"])


class TestBudget:
    def test_words_are_whole_steps(self, text: Path, tmp_path: Path) -> None:
        card = train(text, tmp_path / "words", budget="91words")  # 18 words a step
        assert (card["steps"], card["words_seen"]) == (6, 108)
        train(text, tmp_path / "steps")
        assert weights(tmp_path / "words") == weights(tmp_path / "steps")

    def test_time_ends_a_training_and_bends_its_rate(
        self, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rates = []
        clock = time.perf_counter
        passed = 0.0

        def step(self: Trainer, number: int, windows: Any, rate: float) -> Stepped:
            nonlocal passed
            passed += 3.0  # each step takes three seconds
            rates.append(rate)
            return take(self, number, windows, rate)

        take = Trainer.step
        monkeypatch.setattr(Trainer, "step", step)
        monkeypatch.setattr(module.time, "perf_counter", lambda: clock() * 1e-6 + passed)
        card = train(text, tmp_path / "out", budget="20s", warmup=0.0)
        assert card["steps"] == 7 and card["seconds"] == pytest.approx(21.0)
        assert card["training"]["budget"] == "20s"
        shares = [(3 * done - 1) / 19 for done in range(1, 7)]
        expected = [1.0, *(0.05 + 0.95 * (1 + math.cos(math.pi * share)) / 2 for share in shares)]
        assert rates == pytest.approx(expected, abs=1e-4)

    def test_a_resumed_training_has_what_is_left_of_its_time(
        self, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "_SAVE_EVERY", -1.0)
        passed = 0.0
        made = []

        def step(self: Trainer, number: int, windows: Any, rate: float) -> Stepped:
            nonlocal passed
            if number == 3 and len(made) == 3:
                made.append(-1)
                raise KeyboardInterrupt
            made.append(number)
            passed += 5.0
            return take(self, number, windows, rate)

        take, clock = Trainer.step, time.perf_counter
        monkeypatch.setattr(Trainer, "step", step)
        monkeypatch.setattr(module.time, "perf_counter", lambda: clock() * 1e-6 + passed)
        with pytest.raises(KeyboardInterrupt):
            train(text, tmp_path / "out", budget="30s")
        passed += 1000.0  # no one's time
        card = train(text, tmp_path / "out", budget="30s")
        assert made == [0, 1, 2, -1, 3, 4, 5]
        assert card["seconds"] == pytest.approx(30.0) and card["steps"] == 6
        made.clear()
        assert train(text, tmp_path / "out", budget="30s") == card and not made

    def test_measuring_and_saving_are_no_part_of_the_time(
        self, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def slow(*arguments: Any) -> Any:
            time.sleep(0.3)
            return measure(*arguments)

        measure = module.perplexity
        monkeypatch.setattr(module, "perplexity", slow)
        monkeypatch.setattr(Trainer, "step", lambda *_: Stepped(1.0, 1.0))
        monkeypatch.setattr(module, "save_state", lambda *_: None)
        card = train(text, tmp_path / "out", budget="3steps", evaluate_every=1)
        assert card["seconds"] < 0.3


VARIANTS = [
    pytest.param({}, id="plain"),
    pytest.param({"settings": model_settings(dropout=0.3)}, id="dropout"),
    pytest.param({"accumulate": 2, "settings": model_settings(dropout=0.3)}, id="accumulated"),
    pytest.param({"softmax": "adaptive", "accumulate": 2, "batch": 1}, id="adaptive"),
    pytest.param({"softmax": "sampled"}, id="sampled"),
    pytest.param({"precision": "bfloat16"}, id="bfloat16"),
]


class TestResuming:
    @pytest.mark.parametrize("variant", VARIANTS)
    def test_a_killed_training_goes_on_to_the_same_bits(
        self, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variant: dict[str, Any]
    ) -> None:
        train(text, tmp_path / "whole", **variant)
        step = Trainer.step
        done: list[int] = []

        def noted(self: Trainer, number: int, *rest: Any) -> Stepped:
            done.append(number)
            return step(self, number, *rest)

        def dying(self: Trainer, number: int, *rest: Any) -> Stepped:
            if number == 4:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(self, number, *rest)

        monkeypatch.setattr(module, "_SAVE_EVERY", -1.0)
        monkeypatch.setattr(module, "_LOG_EVERY", 1)
        child = os.fork()
        if child == 0:
            monkeypatch.setattr(Trainer, "step", dying)
            train(text, tmp_path / "killed", **variant)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        torch.manual_seed(99)
        monkeypatch.setattr(Trainer, "step", noted)
        train(text, tmp_path / "killed", **variant)
        assert done == [4, 5]
        assert weights(tmp_path / "killed") == weights(tmp_path / "whole")
        one, other = states(tmp_path / "killed"), states(tmp_path / "whole")
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
        assert [line["step"] for line in log_of(tmp_path / "killed")] == [1, 2, 3, 4, 5, 6]

    def test_ctrl_c_saves_the_state_between_two_steps(
        self, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        train(text, tmp_path / "whole")
        step = Trainer.step
        done: list[int] = []

        def pressed(self: Trainer, number: int, *rest: Any) -> Stepped:
            if number == 2 and not done.count(2):
                os.kill(os.getpid(), signal.SIGINT)
            done.append(number)
            return step(self, number, *rest)

        monkeypatch.setattr(Trainer, "step", pressed)
        with pytest.raises(KeyboardInterrupt):
            train(text, tmp_path / "out")
        assert load_tensors(tmp_path / "out" / TRAINING)[1]["step"] == "3"
        assert not (tmp_path / "out" / CARD).exists()
        train(text, tmp_path / "out")
        assert done == [0, 1, 2, 3, 4, 5]
        assert weights(tmp_path / "out") == weights(tmp_path / "whole")

    def test_dropout_is_really_drawn(self, text: Path, tmp_path: Path) -> None:
        for name, dropout in (("with", 0.3), ("without", 0.0)):
            train(text, tmp_path / name, settings=model_settings(dropout=dropout))
        one, other = (load_tensors(tmp_path / n / WEIGHTS)[0] for n in ("with", "without"))
        assert not all(torch.equal(one[name], other[name]) for name in one)

    def test_text_is_tokenised_once(
        self, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        train(text, tmp_path / "one")
        monkeypatch.setattr(
            "layerwise.encoders.token_store.read_words", lambda _: pytest.fail("read again")
        )
        train(text, tmp_path / "two", seed=9)

    def test_a_finished_training_is_not_done_again(
        self, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        card = train(text, tmp_path / "out")
        before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "out").iterdir()}
        monkeypatch.setattr(Trainer, "step", lambda *_: pytest.fail("trained again"))
        assert train(text, tmp_path / "out") == card
        assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "out").iterdir()} == before
        (tmp_path / "out" / CARD).unlink()  # killed just before the card was written
        again = train(text, tmp_path / "out")
        assert again["held_out_perplexity"] == card["held_out_perplexity"]

    @pytest.mark.parametrize(
        "change",
        [
            {"seed": 5},
            {"budget": "7steps"},
            {"budget": Budget(6, "seconds")},
            {"learning_rate": 1e-3},
            {"softmax": "adaptive"},
            {"accumulate": 2},
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
