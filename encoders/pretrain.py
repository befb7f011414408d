"""Pretraining of a biLM: the next word forwards, the previous word backwards.

Both directions share the softmax (Peters et al. 2018, arXiv 1808.08949, section 3). Text is cut
into windows of fixed length; every epoch sees all windows in an order drawn from the seed, so the
whole state of a training is its step, its weights and its optimiser: a killed training resumes
to the weights of an undisturbed one.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from ..core import files, progress, provenance
from ..core.errors import DataError, UsageError
from .bilm import BiLMSettings, count_parameters
from .checkpoint import CARD, load_tensors, save_encoder, save_tensors
from .language_model import LanguageModel, perplexity
from .running_text import TOKENISATION
from .training_text import Batches, Text, build_vocabulary, read_text

TRAINING, VOCABULARY, LOG = "training.safetensors", "vocabulary.txt", "log.jsonl"
_SAVE_EVERY = 120.0  # seconds


class TrainingSettings(BaseModel):
    """How to train. ``batch`` counts windows; ``vocabulary`` the words that can be predicted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: PositiveInt = 4000
    batch: PositiveInt = 16
    vocabulary: int = Field(8000, ge=2)
    learning_rate: PositiveFloat = 2e-3
    warmup: float = Field(0.05, ge=0, le=1)
    weight_decay: NonNegativeFloat = 0.01
    clip: PositiveFloat = 1.0
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: int = Field(0, ge=0)
    evaluate_every: PositiveInt = 1000


def pretrain(
    settings: BiLMSettings,
    training: TrainingSettings,
    text: Sequence[Path],
    held_out: Sequence[Path],
    output: Path,
    command: str,
    device: str = "cpu",
) -> dict[str, Any]:
    """Train, or go on with, the biLM of a folder, and return its card.

    Without ``held_out`` the last fiftieth of the text is kept for the held-out perplexity.
    Raises UsageError when the folder holds another training.
    """
    torch.manual_seed(training.seed)
    read = read_text(text)
    if held_out:
        kept = read_text(held_out)
    else:
        cut = len(read.words) - max(len(read.words) // 50, 1)
        kept = Text(read.types, read.words[cut:], [{"file": "the last fiftieth of the text"}])
        read = Text(read.types, read.words[:cut], read.sources)
    if len(read.words) <= settings.window:
        raise DataError(f"fewer words than one window of {settings.window}", where="--text")
    if not len(kept.words):
        raise DataError("holds no words", where="--held-out")
    vocabulary = build_vocabulary(read, training.vocabulary)
    model = LanguageModel(settings, len(vocabulary)).to(device)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=1.0, betas=(0.9, 0.98), weight_decay=training.weight_decay
    )
    identity = files.canonical_json(
        {
            "settings": settings.model_dump(),
            "training": training.model_dump(),
            "text": read.sources,
            "held_out": kept.sources,
        }
    )
    step, spent = _resume(output / TRAINING, identity, model, optimiser)
    if step == training.steps and (output / CARD).exists():
        card: dict[str, Any] = files.read_json(output / CARD)
        return card
    files.write_text(output / VOCABULARY, "\n".join(vocabulary) + "\n")

    batches = Batches(
        read, vocabulary, window=settings.window, batch=training.batch, seed=training.seed
    )
    codes = torch.from_numpy(model.bilm.characters.codes(read.types)).to(device)
    started = saved = time.perf_counter()
    reached: dict[str, float] = {}
    with progress.bar("pretraining", training.steps) as advance:
        advance(step, "")
        while step < training.steps:
            loss = _train_step(model, optimiser, batches, codes, step, training)
            step += 1
            advance(1, f"loss {loss:.3f}")
            now = time.perf_counter()
            if step % 50 == 0 or step == training.steps:
                seconds = round(spent + now - started, 1)
                line = {"step": step, "loss": round(loss, 5), "seconds": seconds}
                if step % training.evaluate_every == 0 or step == training.steps:
                    reached = perplexity(model, kept, vocabulary, device)
                    line |= reached
                files.append_line(output / LOG, json.dumps(line))
            if now - saved > _SAVE_EVERY or step == training.steps:
                saved = now
                _save(output / TRAINING, identity, model, optimiser, step, spent + now - started)

    card = {
        "architecture": settings.architecture,
        "command": command,
        "text": read.sources,
        "held_out": kept.sources,
        "tokenisation": TOKENISATION,
        "training": training.model_dump(),
        "words_seen": training.steps * training.batch * settings.window,
        "seconds": round(spent + time.perf_counter() - started, 1),
        "parameters": {
            "contextual": count_parameters([model.bilm.forward_stack, model.bilm.backward_stack]),
            "characters": count_parameters([model.bilm.characters]),
            "softmax": count_parameters([model.softmax]),
        },
        # Killed between the last state and the card, a training has nothing left but this.
        "held_out_perplexity": reached or perplexity(model, kept, vocabulary, device),
        "provenance": provenance.describe(),
    }
    save_encoder(output, model.bilm, card)
    return card


def _train_step(
    model: LanguageModel,
    optimiser: torch.optim.Optimizer,
    batches: Batches,
    codes: Tensor,
    step: int,
    training: TrainingSettings,
) -> float:
    torch.manual_seed(training.seed * 1_000_003 + step)  # dropout depends on the step alone
    for group in optimiser.param_groups:
        group["lr"] = training.learning_rate * _schedule(step, training)
    words, targets = (part.to(codes.device) for part in batches(step))
    low = training.precision == "bfloat16"
    with torch.autocast(codes.device.type, torch.bfloat16, enabled=low):
        forward, backward = model.losses(words, targets, codes)
    loss = (forward + backward) / 2
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), training.clip)
    optimiser.step()
    value = float(loss.detach())
    if not math.isfinite(value):
        raise UsageError(
            f"the loss is no longer finite at step {step}", cure="lower --learning-rate"
        )
    return value


def _schedule(step: int, training: TrainingSettings) -> float:
    """A straight rise over the first share of the steps, then half a cosine down to a twentieth."""
    warm = max(int(training.steps * training.warmup), 1)
    if step < warm:
        return (step + 1) / warm
    done = (step - warm) / max(training.steps - warm, 1)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))


def _optimiser_tensors(
    model: nn.Module, optimiser: torch.optim.Optimizer
) -> Iterator[tuple[str, dict[str, Tensor]]]:
    for name, weight in model.named_parameters():
        yield name, optimiser.state[weight]


def _save(
    path: Path,
    identity: str,
    model: LanguageModel,
    optimiser: torch.optim.Optimizer,
    step: int,
    seconds: float,
) -> None:
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for name, state in _optimiser_tensors(model, optimiser):
        tensors |= {f"optimiser.{key}.{name}": value for key, value in state.items()}
    save_tensors(path, tensors, {"identity": identity, "step": str(step), "seconds": str(seconds)})


def _resume(
    path: Path, identity: str, model: LanguageModel, optimiser: torch.optim.Optimizer
) -> tuple[int, float]:
    """The step to go on from and the seconds spent so far; (0, 0.0) for a new training."""
    if not path.exists():
        return 0, 0.0
    tensors, note = load_tensors(path)
    if note.get("identity") != identity:
        raise UsageError(
            "holds a training with other settings or other text",
            where=str(path.parent),
            cure="name another --output, or remove that folder",
        )
    model.load_state_dict({name: tensors[f"model.{name}"] for name in model.state_dict()})
    for name, weight in model.named_parameters():
        optimiser.state[weight] = {
            key: tensors[f"optimiser.{key}.{name}"].to(weight.device if key != "step" else "cpu")
            for key in ("step", "exp_avg", "exp_avg_sq")
        }
    return int(note["step"]), float(note["seconds"])
