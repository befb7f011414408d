"""What a training will take, from a few steps of it: parameters, memory and time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from ..core.errors import DataError
from .bilm import BiLMSettings
from .inspection import inspect_pass
from .language_model import perplexity
from .pretrain import make_trainer, parameters
from .processes import Processes
from .stages import Call
from .stopwatch import stopwatch
from .training_settings import TrainingSettings
from .training_step import Trainer
from .training_text import Text, Windows, build_vocabulary, sample_text

_SAMPLE = 2_000_000  # words that are looked at
_TIMED = 5.0  # seconds of timed steps, but at least _FEWEST and at most _MOST of them
_FEWEST, _MOST = 3, 20
_PIECE = 32  # windows of held-out text that are measured


@dataclass(frozen=True)
class Memory:
    """Bytes allocated beside those of Python and torch themselves.

    A processor's allocator may hold up to half as much again, mostly where there is little.
    ``weights`` and ``optimiser`` follow from the parameters; ``step`` is what a real step had
    allocated beside them at its highest, gradients and activations; ``saving`` is what the state
    takes when it is written.
    """

    weights: int
    optimiser: int
    step: int
    saving: int

    @property
    def highest(self) -> int:
        """The most that is needed at once."""
        return self.weights + self.optimiser + max(self.step, self.saving)


@dataclass(frozen=True)
class Estimate:
    """``words`` of text were looked at, which ``complete`` tells to be all.

    ``step_seconds`` is the median of ``timed`` steps, ``evaluation_seconds`` what the held-out text
    takes each time that it is measured.
    """

    parameters: dict[str, int]
    vocabulary: int
    words: int
    complete: bool
    memory: Memory
    timed: int
    step_seconds: float
    steps: int
    words_to_read: int
    evaluation_seconds: float
    evaluations: int


def estimate(
    settings: BiLMSettings,
    training: TrainingSettings,
    text: Sequence[Path],
    held_out: Sequence[Path],
    device: str = "cpu",
    compiler: str | None = None,
) -> Estimate:
    """Make some steps of a training on the beginning of its text, and write nothing.

    Raises DataError for too little text, and UsageError for a device that cannot be used.
    """
    read, complete = sample_text(text, _SAMPLE)
    if len(read.words) <= settings.window:
        raise DataError(f"fewer words than one window of {settings.window}", where="--text")
    kept = sample_text(held_out, _SAMPLE)[0] if held_out else None
    vocabulary = build_vocabulary(read, training.vocabulary)
    clock = stopwatch(device)
    trainer = make_trainer(settings, training, read, vocabulary, device, Processes(), compiler)
    run = _Step(trainer, Windows(read, window=settings.window, batch=training.windows, seed=0))
    for _ in range(2):  # the optimiser's state and the allocator's blocks are there from now on
        run()
    trainer.optimiser.zero_grad(set_to_none=True)  # gradients are the step's own
    step = inspect_pass([Call(run, (), {})], clock).peak_bytes
    times: list[float] = []
    clock.settle()
    while len(times) < _FEWEST or (sum(times) < _TIMED and len(times) < _MOST):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    step_seconds = statistics.median(times)

    words_a_step = training.windows * settings.window
    total = training.budget.total(words_a_step)
    steps = total
    if training.budget.unit == "seconds":
        steps = max(round(total / step_seconds), 1)
    held_words = len(kept.words) if kept else len(read.words) // 50
    piece = _first(kept or read, min(_PIECE * settings.window, held_words))
    started = time.perf_counter()
    perplexity(trainer.model, piece, vocabulary, device)
    measured = time.perf_counter() - started
    counted = parameters(trainer.model)
    weights = 4 * sum(counted.values())
    return Estimate(
        parameters=counted,
        vocabulary=len(vocabulary),
        words=len(read.words),
        complete=complete,
        # Written, all tensors are copied twice: into bytes, and into the bytes of the file.
        memory=Memory(weights, 2 * weights, step, 6 * weights),
        timed=len(times),
        step_seconds=step_seconds,
        steps=steps,
        words_to_read=steps * words_a_step,
        evaluation_seconds=measured * held_words / max(len(piece.words), 1),
        evaluations=-(-steps // training.evaluate_every),
    )


class _Step(nn.Module):
    """One step after another, as a module, which is what can be inspected."""

    def __init__(self, trainer: Trainer, windows: Windows) -> None:
        super().__init__()
        self.made = 0
        self._trainer, self._windows = trainer, windows

    def forward(self) -> float:
        self.made += 1
        # A rate so small that it matters to no time, and that nothing can burst.
        return self._trainer.step(self.made, self._windows(self.made), 1e-6).loss


def _first(text: Text, words: int) -> Text:
    """The beginning of a text, at least a word of it."""
    return text.split(len(text.words) - max(words, 1))[0]
