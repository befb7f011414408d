"""The log of a training: one JSON line every so many steps, in order, no step twice.

A line holds ``step``, ``words_seen``, ``seconds`` (of training alone), ``words_per_second``,
``loss`` in nats a word (the mean over the steps since the line before; ``sampled_loss`` where it
is one of the sampled softmax, which compares with nothing), ``learning_rate``, ``gradient_norm``
(before it is clipped) and, where the held-out text was measured, ``held_out``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..core import files

LOG = "log.jsonl"
"""Its name in the folder of a training."""


class TrainingLog:
    """A log that goes on behind a step.

    A killed training has gone further than its last state; what it logged beyond is dropped, for
    these steps are done again. Without a path nothing is written.
    """

    def __init__(self, path: Path | None, step: int, seconds: float, words_a_step: int) -> None:
        self._path, self._step, self._seconds = path, step, seconds
        self._words_a_step = words_a_step
        self._losses: list[float] = []
        if path is not None and path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if _step_of(line) <= step]
            if kept != lines:
                files.write_text(path, "".join(f"{line}\n" for line in kept))

    def note(self, loss: float) -> None:
        """Keep the loss of a step for the next line."""
        self._losses.append(loss)

    def write(self, step: int, seconds: float, loss_name: str, **more: Any) -> None:
        """Append the line of a step; ``more`` is written as it is."""
        words = (step - self._step) * self._words_a_step
        line = {
            "step": step,
            "words_seen": step * self._words_a_step,
            "seconds": round(seconds, 3),
            "words_per_second": round(words / (seconds - self._seconds), 1),
            loss_name: round(sum(self._losses) / len(self._losses), 5),
            **more,
        }
        self._step, self._seconds, self._losses = step, seconds, []
        if self._path is not None:
            files.append_line(self._path, json.dumps(line))


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")  # torn by a kill
