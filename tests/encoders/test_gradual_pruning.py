"""Pruning in a training: the schedule by its formula, zeros that stay, rewinding, resuming."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from layerwise.core.errors import UsageError
from layerwise.encoders.base import EncoderOptions
from layerwise.encoders.bilm import BiLM, BiLMSettings
from layerwise.encoders.character_cnn import CharacterSettings
from layerwise.encoders.checkpoint import load_tensors, save_encoder
from layerwise.encoders.contextual_matrices import contextual_matrices
from layerwise.encoders.gradual_pruning import GradualPruning, cubic
from layerwise.encoders.language_model import LanguageModel, perplexity
from layerwise.encoders.loading import load_encoder
from layerwise.encoders.output_layer import FullSoftmax
from layerwise.encoders.pretrain import TRAINING, make_trainer, pretrain, read_both
from layerwise.encoders.processes import Processes
from layerwise.encoders.prune_gradually import Gradual, Schedule
from layerwise.encoders.pruning_plan import Pruning
from layerwise.encoders.rewinding import find_rewind
from layerwise.encoders.training_settings import TrainingSettings, rate
from layerwise.encoders.training_text import read_text

torch.set_num_threads(1)
STACKS: dict[str, dict[str, Any]] = {
    "transformer": {"dim": 8, "layers": 1, "heads": 2, "feed_forward": 12},
    "gated_cnn": {"dim": 8, "layers": 2, "width": 2},
}


def settings(architecture: str) -> BiLMSettings:
    characters = CharacterSettings(embedding=4, filters=((1, 4), (3, 4)))
    return BiLMSettings(
        architecture=architecture, stack=STACKS[architecture], characters=characters, window=6
    )


def plan(budget: str, **more: Any) -> TrainingSettings:
    return TrainingSettings(**({"budget": budget, "batch": 2, "vocabulary": 9} | more))


@pytest.fixture
def text(tmp_path: Path) -> Path:
    drawn = np.random.default_rng(0).choice([f"w{chr(97 + i)}" for i in range(12)], 400)
    (tmp_path / "text.txt").write_text("\n".join(map(" ".join, drawn.reshape(40, 10))))
    return tmp_path / "text.txt"


@pytest.fixture
def trained(text: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "trained"
    pretrain(settings("transformer"), plan("6steps"), [text], [text], folder, "probe pretrain")
    return folder


def gradual(folder: Path | str, text: Path, sparsity: float = 0.8, **how: Any) -> Gradual:
    name = f"local:{folder}" if isinstance(folder, Path) else folder
    schedule = Schedule((text,), (text,), **how)
    read = read_both(schedule.text, schedule.held_out)
    return Gradual(load_encoder(name, EncoderOptions()), Pruning(sparsity=sparsity), schedule, read)


def zeros(model: BiLM) -> list[Tensor]:
    return [matrix.values == 0 for matrix in contextual_matrices(model)]


def weights_in(folder: Path) -> dict[str, Tensor]:
    tensors, _ = load_tensors(folder / TRAINING)
    return tensors


def test_the_schedule_is_that_of_the_paper(trained: Path, text: Path) -> None:
    # Equation 1 of Zhu and Gupta with s_i = 0, s_f = 0.8, n = 4: 0.8 * (1 - (1 - t / 4)^3).
    wanted = [0.8 * (1 - (3 / 4) ** 3), 0.8 * (1 - 1 / 8), 0.8 * (1 - 1 / 64), 0.8]
    assert gradual(trained, text, rounds=4).sparsities() == pytest.approx(wanted)
    assert cubic(0.5, 0.9, 0.0) == pytest.approx(0.5) and cubic(0.5, 0.9, 1.0) == 0.9
    procedure = gradual(trained, text, rounds=3)._procedure
    ends = [0.0, 0.24, 0.25, 0.49, 0.5, 0.74, 0.75, 1.0]
    rounds = [0, 0, 1, 1, 2, 2, 3, 3]
    due = [procedure.target(end) for end in ends]
    assert due == pytest.approx([cubic(0, 0.8, n / 3) for n in rounds])


@pytest.mark.parametrize("architecture", STACKS)
@pytest.mark.parametrize("scope", ["global", "layer"])
def test_what_is_0_stays_0_and_the_rest_learns(architecture: str, scope: Any, text: Path) -> None:
    read = read_text([text])
    words = ["<unk>", *(f"w{chr(97 + i)}" for i in range(8))]
    how = plan("20steps", weight_decay=0.3, learning_rate=0.05, accumulate=2)
    trainer = make_trainer(settings(architecture), how, read, words, "cpu", Processes(), None)
    pruning = Pruning(sparsity=0.9, scope=scope)
    procedure = GradualPruning(trainer.model.bilm, words, pruning, 5, None, {}, {})
    procedure.start(trainer)
    gone = zeros(trainer.model.bilm)
    total = sum(mask.numel() for mask in gone)
    windows = np.random.default_rng(1).integers(2, 14, (20, 4, 6)).astype(np.int32)
    seen = []
    for step in range(20):
        share = procedure.before_step(trainer, step, 20)
        assert share == rate(step, 20, how.warmup)
        before = [matrix.values.clone() for matrix in contextual_matrices(trainer.model.bilm)]
        trainer.step(step, windows[step], share)
        now = zeros(trainer.model.bilm)
        # Nothing that was 0 came back, nothing else is 0, and every other weight moved.
        assert all(bool(new[old].all()) for old, new in zip(gone, now, strict=True))
        count = sum(int(mask.sum()) for mask in now)
        # By layer a tensor's rounded share may fall by one from round to round; zeros do not.
        assert 0 <= count - round(procedure.target(step / 20) * total) <= (scope == "layer")
        for old, matrix, mask in zip(
            before, contextual_matrices(trainer.model.bilm), now, strict=True
        ):
            assert bool((matrix.values != old)[~mask].float().mean() > 0.9) or bool(mask.all())
        gone = now
        seen.append(count)
    assert seen[0] == 0 and seen[-1] - round(0.9 * total) in (0, 1) and len(set(seen)) == 6
    for matrix, mask in zip(contextual_matrices(trainer.model.bilm), gone, strict=True):
        for parameter, kept in matrix.parameters(~mask):
            moments = trainer.optimiser.state[parameter]
            assert not bool(moments["exp_avg"][~kept].any())


def test_a_folder_is_written_and_told(trained: Path, text: Path, tmp_path: Path) -> None:
    work = gradual(trained, text, budget="12steps", rounds=3)
    output = tmp_path / "out"
    assert not work.is_written(output)
    card = work.run(output, "probe prune")
    assert gradual(trained, text, budget="12steps", rounds=3).is_written(output)
    with pytest.raises(UsageError, match="holds another encoder"):
        gradual(trained, text, budget="12steps", rounds=4).is_written(output)
    found: Any = load_encoder(f"local:{output}", EncoderOptions())
    masks = zeros(found._model)
    total = sum(mask.numel() for mask in masks)
    told = card["pruning"]
    assert (told["zeros"], told["counted"]) == (round(0.8 * total), total)
    assert sum(int(mask.sum()) for mask in masks) == told["zeros"]
    assert (told["schedule"], told["rounds"], card["source"]) == ("gradual", 3, "local:trained")
    source: Any = load_encoder(f"local:{trained}", EncoderOptions())
    assert card["held_out_perplexity_before"] != card["held_out_perplexity"]
    assert card["softmax"] == "the encoder's own" and card["steps"] == 12
    assert isinstance(work.source, LanguageModel)
    before = perplexity(work.source, read_text([text]), work._procedure._words, "cpu")
    assert card["held_out_perplexity_before"] == before
    assert found.fingerprint != source.fingerprint
    # The result is a training itself, whose gradients can be asked and which can be pruned on.
    assert gradual(output, text, 0.9, rounds=2).sparsities()[0] > 0.8
    with pytest.raises(UsageError, match="are 0 already; ask for more"):
        gradual(output, text, 0.5)


@pytest.mark.parametrize("rewind", ["", "first"])
@pytest.mark.parametrize("stop", [3, 7])
def test_a_killed_training_goes_on_to_the_same_weights(
    rewind: str,
    stop: int,
    trained: Path,
    text: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    how = {"budget": "10steps", "rounds": 3, "rewind": rewind}
    gradual(trained, text, **how).run(tmp_path / "whole", "probe prune")
    steps = []

    class Pressed:
        def __enter__(self) -> Any:
            return lambda: len(steps) == stop

        def __exit__(self, *error: object) -> None:
            pass

    own = GradualPruning.before_step

    def counted(self: Any, *given: Any) -> float:
        steps.append(given)
        return own(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(GradualPruning, "before_step", counted)
        patch.setattr("layerwise.encoders.interruption.deferred", Pressed)
        with pytest.raises(KeyboardInterrupt):
            gradual(trained, text, **how).run(tmp_path / "killed", "probe prune")
    assert len(steps) == stop and not (tmp_path / "killed/card.json").exists()
    gradual(trained, text, **how).run(tmp_path / "killed", "probe prune")
    whole, again = weights_in(tmp_path / "whole"), weights_in(tmp_path / "killed")
    assert whole.keys() == again.keys()
    assert all(torch.equal(tensor, again[name]) for name, tensor in whole.items())


def test_rewinding_sets_back_weights_and_rate(trained: Path, text: Path) -> None:
    work = gradual(trained, text, budget="12steps", rounds=3, rewind="first")
    procedure, source = work._procedure, work.source
    assert isinstance(source, LanguageModel)
    words, read = procedure._words, read_text([text])
    torch.manual_seed(0)  # as a training of the seed 0 begins
    first = LanguageModel(settings("transformer"), len(words)).state_dict()
    how = plan("12steps", warmup=0.3)
    trainer = make_trainer(settings("transformer"), how, read, words, "cpu", Processes(), None)
    procedure.start(trainer)
    begun, reached = trainer.model.softmax, source.softmax
    assert isinstance(begun, FullSoftmax) and isinstance(reached, FullSoftmax)
    assert torch.equal(begun.weight, reached.weight)
    magnitudes = torch.cat([m.values.abs().flatten() for m in contextual_matrices(source.bilm)])
    shares = [procedure.before_step(trainer, 0, 12)]
    # A third of the rounds: 0.8 * (1 - (2/3)^3), of the weights that the training had reached.
    count = round(0.8 * (1 - 8 / 27) * len(magnitudes))
    gone = torch.cat([mask.flatten() for mask in zeros(trainer.model.bilm)])
    assert torch.equal(gone, magnitudes <= magnitudes.sort().values[count - 1])
    for name, tensor in trainer.model.state_dict().items():
        kept = (
            tensor != 0 if "_stack." in name and tensor.dim() > 1 else torch.ones_like(tensor) > 0
        )
        assert torch.equal(tensor[kept], first[name][kept])
    shares += [procedure.before_step(trainer, step, 12) for step in range(1, 12)]
    assert shares == pytest.approx([rate(step, 4, 0.3) for step in range(4)] * 3)


def test_an_interrupted_training_is_rewound_to(trained: Path, text: Path, tmp_path: Path) -> None:
    early = tmp_path / "early"
    pretrain(settings("transformer"), plan("6steps"), [text], [text], early, "probe pretrain")
    # As it stood after two of six steps.
    from layerwise.encoders.checkpoint import save_tensors

    tensors, note = load_tensors(early / TRAINING)
    save_tensors(early / TRAINING, tensors, note | {"step": "2"})
    work = gradual(trained, text, rewind=str(early))
    assert work.identity["rewind"]["to"] == "early" and work.identity["rewind"]["step"] == 2
    assert isinstance(work.source, LanguageModel)
    found = find_rewind(str(early), work.source, 9, plan("6steps"))
    assert found.begun == pytest.approx(1 / 3)
    with pytest.raises(UsageError, match="holds the training of another model"):
        find_rewind(str(early), work.source, 8, plan("6steps"))
    with pytest.raises(UsageError, match=r"--rewind .*nowhere: has no training\.safetensors"):
        gradual(trained, text, rewind=str(tmp_path / "nowhere"))


def test_an_encoder_without_its_softmax_gets_a_new_one(text: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    save_encoder(tmp_path / "bare", BiLM(settings("transformer")), {})
    work = gradual(tmp_path / "bare", text, budget="4steps", rounds=1)
    assert not work.keeps_softmax
    card = work.run(tmp_path / "out", "probe prune")
    assert card["softmax"] == "drawn anew" and card["held_out_perplexity_before"] is None
    with pytest.raises(UsageError, match="did not begin with weights that can be drawn again"):
        gradual(tmp_path / "bare", text, rewind="first")


def test_what_cannot_be_done_is_refused(trained: Path, text: Path, tmp_path: Path) -> None:
    encoder = load_encoder(f"local:{trained}", EncoderOptions())
    read = read_both((text,), ())
    with pytest.raises(UsageError, match="--structure heads: is pruned at once"):
        Gradual(encoder, Pruning(structure="heads"), Schedule((text,)), read)
    with pytest.raises(UsageError, match="encoder onehot: is no biLM"):
        Gradual(load_encoder("onehot", EncoderOptions()), Pruning(), Schedule((text,)), read)
    with pytest.raises(UsageError, match="--budget: ended before the last weights went"):
        gradual(trained, text, budget="1steps").run(tmp_path / "out", "probe prune")
