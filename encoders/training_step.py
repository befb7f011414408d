"""One step of a training: the gradients of some windows, and what the optimiser makes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core.errors import UsageError
from .augmentation import Augmentation, draw
from .language_model import LanguageModel
from .processes import Processes
from .training_settings import TrainingSettings
from .training_text import Text, make_batch


@dataclass(frozen=True)
class Stepped:
    """The mean training loss of a step in nats a word, and the norm of its gradients, unclipped."""

    loss: float
    gradient_norm: float


@dataclass(frozen=True)
class Trainer:
    """What steps are made with. ``targets`` are the vocabulary entries of each type."""

    model: LanguageModel
    optimiser: torch.optim.Optimizer
    text: Text
    targets: NDArray[np.int32]
    settings: TrainingSettings
    device: str
    processes: Processes

    def step(self, number: int, windows: NDArray[np.int32], rate: float) -> Stepped:
        """Learn from windows of word numbers, (batch * accumulate, time), at a share of the rate.

        The windows are read ``accumulate`` times ``batch`` at once, each time shared among the
        processes. Raises UsageError before anything is spoilt when the loss is not finite.
        """
        # Dropout and samples depend on the step and the process alone.
        seed = self.settings.seed * 1_000_003 + number
        torch.manual_seed(seed * self.processes.count + self.processes.rank)
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * rate
        self.optimiser.zero_grad(set_to_none=True)
        total = 0.0
        for place, part in enumerate(np.split(windows, self.settings.accumulate)):
            rank = self.processes.rank
            mine = part[rank :: self.processes.count]
            augmentation = draw(self.settings, number, place, rank, len(mine), self.device)
            loss = self._loss(mine, augmentation) / self.settings.accumulate
            torch.autograd.backward(loss)
            total += float(loss.detach())
        weights = list(self.model.parameters())
        for weight in weights:
            if weight.grad is None:  # a cluster of rare words, none of which came
                weight.grad = torch.zeros_like(weight)
        self.processes.average_gradients(weights)
        norm = float(nn.utils.clip_grad_norm_(weights, self.settings.clip))
        loss_everywhere = float(self.processes.add_up(np.array([total]))[0]) / self.processes.count
        if not (math.isfinite(loss_everywhere) and math.isfinite(norm)):
            what = "gradient" if math.isfinite(loss_everywhere) else "loss"
            raise UsageError(
                f"the {what} is no longer finite at step {number}",
                cure="lower --learning-rate or --clip, and name another --output",
            )
        self.optimiser.step()
        return Stepped(loss_everywhere, norm)

    def _loss(self, windows: NDArray[np.int32], augmentation: Augmentation | None) -> Tensor:
        codes = self.model.bilm.characters.codes
        batch = make_batch(windows, self.text, self.targets, codes).to(self.device)
        low = self.settings.precision == "bfloat16"
        with torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=low):
            if augmentation is None:
                forward, backward = self.model.losses(batch)
            else:
                forward, backward = augmentation.losses(self.model, batch)
        return (forward + backward) / 2
