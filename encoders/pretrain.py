"""Pretraining of a biLM: the next word forwards, the previous word backwards.

Both directions share the softmax (Peters et al. 2018, arXiv 1808.08949, section 3). Text is cut
into windows of fixed length; every epoch sees all windows in an order drawn from the seed, so the
whole state of a training is its step, its weights and its optimiser, and of a budget in time the
seconds spent: a killed training resumes to the weights of an undisturbed one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ..core import files, progress, provenance
from ..core.errors import DataError, UsageError
from . import interruption
from .bilm import BiLMSettings, count_parameters
from .checkpoint import CARD, save_encoder
from .language_model import LanguageModel, perplexity
from .processes import Processes, join
from .running_text import TOKENISATION
from .training_log import LOG, TrainingLog
from .training_procedure import Procedure
from .training_settings import TrainingSettings
from .training_state import load_state, save_state
from .training_step import Trainer
from .training_text import Text, Windows, read_text, targets_by_type

TRAINING, VOCABULARY = "training.safetensors", "vocabulary.txt"
_SAVE_EVERY = 120.0  # seconds
_LOG_EVERY = 50  # steps


def pretrain(
    settings: BiLMSettings,
    training: TrainingSettings,
    text: Sequence[Path],
    held_out: Sequence[Path],
    output: Path,
    command: str,
    device: str = "cpu",
    compiler: str | None = None,
    procedure: Procedure | None = None,
) -> dict[str, Any]:
    """Train, or go on with, the biLM of a folder, and return its card.

    Without ``held_out`` the last fiftieth of the text is kept for the held-out perplexity.
    ``compiler`` names a backend of ``torch.compile`` for the two stacks; ``procedure`` is that of a
    training that is no plain one. Interrupted, it saves its state between two steps and raises
    KeyboardInterrupt.
    Raises UsageError when the folder holds another training or the device cannot be used, and
    DataError for too little text.
    """
    processes, device = join(device)
    if training.batch % processes.count:
        raise UsageError(
            f"{training.batch} windows cannot be shared by {processes.count} processes",
            where="--batch",
            cure=f"take a multiple of {processes.count}",
        )
    read, kept = read_both(text, held_out)
    if len(read.words) <= settings.window:
        raise DataError(f"fewer words than one window of {settings.window}", where="--text")
    procedure = procedure or Procedure()
    vocabulary = procedure.vocabulary(read, training.vocabulary)
    trainer = make_trainer(settings, training, read, vocabulary, device, processes, compiler)
    model = trainer.model
    identity = files.canonical_json(
        {
            "settings": settings.model_dump(),
            "training": training.describe(),
            "text": read.sources,
            "held_out": kept.sources,
        }
        | procedure.describe()
    )
    budget = training.budget
    words_a_step = training.windows * settings.window
    total = budget.total(words_a_step)
    step, seconds = load_state(output / TRAINING, identity, model, trainer.optimiser)
    if budget.spent(step, seconds) >= total and (output / CARD).exists():
        card: dict[str, Any] = files.read_json(output / CARD)
        return card
    if not step:
        procedure.start(trainer)
    processes.wait()  # the first one writes from here on what the others have just read
    if processes.is_first:
        files.write_text(output / VOCABULARY, "\n".join(vocabulary) + "\n")
    log = TrainingLog(output / LOG if processes.is_first else None, step, seconds, words_a_step)
    windows = Windows(read, window=settings.window, batch=training.windows, seed=training.seed)
    loss_name = "sampled_loss" if training.output_layer == "sampled" else "loss"
    reached: dict[str, float] = {}
    saved = time.perf_counter()
    with progress.bar("pretraining", total) as advance, interruption.deferred() as pressed:
        advance(budget.spent(step, seconds), "")
        while (spent := budget.spent(step, seconds)) < total:
            started = time.perf_counter()
            share = procedure.before_step(trainer, spent, total)
            stepped = trainer.step(step, windows(step), share)
            step += 1
            took = time.perf_counter() - started
            # The clock and the keyboard of the first process count for all.
            seconds, stop = processes.of_first([seconds + took, float(pressed())])
            advance(budget.spent(step, seconds) - spent, f"loss {stepped.loss:.3f}")
            finished = budget.spent(step, seconds) >= total
            log.note(stepped.loss)
            measured = finished or step % training.evaluate_every == 0
            if measured or step % _LOG_EVERY == 0:
                if measured:
                    reached = perplexity(model, kept, vocabulary, device, processes)
                log.write(
                    step,
                    seconds,
                    loss_name,
                    learning_rate=float(f"{training.learning_rate * share:.6g}"),
                    gradient_norm=round(stepped.gradient_norm, 5),
                    **({"held_out": reached} if measured else {}),
                )
            due = stop or finished or time.perf_counter() - saved > _SAVE_EVERY
            if due and processes.is_first:
                save_state(output / TRAINING, identity, model, trainer.optimiser, step, seconds)
                saved = time.perf_counter()
            if stop and not finished:
                processes.wait()  # for the first one's state
                raise KeyboardInterrupt

    card = {
        "architecture": settings.architecture,
        "command": command,
        "text": read.sources,
        "held_out": kept.sources,
        "tokenisation": TOKENISATION,
        "training": training.describe(),
        "steps": step,
        "words_seen": step * words_a_step,
        "seconds": round(seconds, 1),
        "processes": processes.count,
        "parameters": parameters(model),
        # Killed between the last state and the card, a training has nothing left but this.
        "held_out_perplexity": reached or perplexity(model, kept, vocabulary, device, processes),
        "provenance": provenance.describe(),
    } | procedure.card(trainer, kept, vocabulary, processes)
    if processes.is_first:
        save_encoder(output, model.bilm, card)
    processes.wait()
    return card


def read_both(text: Sequence[Path], held_out: Sequence[Path]) -> tuple[Text, Text]:
    """The text to train on, and the text to measure: files, or the last fiftieth of the text.

    Raises DataError for held-out files without a word.
    """
    read = read_text(text)
    if held_out:
        kept = read_text(held_out)
        if not len(kept.words):
            raise DataError("holds no words", where="--held-out")
        return read, kept
    return read.split(min(max(len(read.words) // 50, 1), len(read.words)))


def make_trainer(
    settings: BiLMSettings,
    training: TrainingSettings,
    text: Text,
    vocabulary: Sequence[str],
    device: str,
    processes: Processes,
    compiler: str | None,
) -> Trainer:
    """A model drawn from the seed, with its optimiser.

    Raises UsageError for an augmentation that takes two windows where there is one.
    """
    if training.augment in ("moex", "mixup") and training.batch // processes.count < 2:
        raise UsageError(
            "a window that is read alone has no partner",
            where=f"--augment {training.augment}",
            cure=f"take a --batch of at least {2 * processes.count}",
        )
    torch.manual_seed(training.seed)
    kind = training.output_layer
    model = LanguageModel(settings, len(vocabulary), kind, training.samples).to(device)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=1.0, betas=(0.9, 0.98), weight_decay=training.weight_decay
    )
    if compiler:
        # The stacks alone: words differ in number and length from batch to batch.
        for stack in (model.bilm.forward_stack, model.bilm.backward_stack):
            stack.compile(backend=compiler)
    targets = targets_by_type(text.types, vocabulary)
    return Trainer(model, optimiser, text, targets, training, device, processes)


def parameters(model: LanguageModel) -> dict[str, int]:
    """The numbers of weights of a model's parts."""
    stacks = [model.bilm.forward_stack, model.bilm.backward_stack]
    return {
        "contextual": count_parameters(stacks),
        "characters": count_parameters([model.bilm.characters]),
        "softmax": count_parameters([model.softmax]),
    }
