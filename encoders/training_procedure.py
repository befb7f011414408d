"""What a training does beside its steps: where it starts, how fast it goes, what it changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .processes import Processes
from .training_settings import rate
from .training_step import Trainer
from .training_text import Text, build_vocabulary


class Procedure:
    """A plain training, from the weights that were drawn, along the rate of ``training_settings``.

    A subclass may do otherwise. It keeps no state that decides a number but in the trainer's
    weights and optimiser, so that a killed training resumes to the weights of an undisturbed one.
    """

    def describe(self) -> dict[str, Any]:
        """All that makes the training another one."""
        return {}

    def vocabulary(self, text: Text, size: int) -> list[str]:
        """The words that can be predicted."""
        return build_vocabulary(text, size)

    def start(self, trainer: Trainer) -> None:
        """Set the weights of a training that begins; one that goes on has them."""

    def before_step(self, trainer: Trainer, spent: float, total: int) -> float:
        """Change what is to be changed, and give the share of the learning rate for the step.

        ``spent`` of ``total`` steps or seconds are over.
        """
        return rate(spent, total, trainer.settings.warmup)

    def card(
        self, trainer: Trainer, held_out: Text, vocabulary: Sequence[str], processes: Processes
    ) -> dict[str, Any]:
        """What the card tells beside the facts of every training."""
        return {}
