"""Augmentation of the word vectors that a biLM is trained on: moment exchange, mixup, dropout.

All three work at one place, between the character CNN and the stacks, on each direction apart.
Moment exchange (Li et al. 2021, arXiv 2002.11102) gives each word of a window the moments of the
word at the same position of another window, mixup (Verma et al. 2019, arXiv 1806.05236) takes the
mean of the two words; both have the next-word losses of both windows mixed, position by position.
What a state has read of either window lies before the two words that it has to predict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..core.moment_exchange import exchange
from .language_model import LanguageModel
from .training_settings import AugmentationKind, TrainingSettings
from .training_text import Batch

_STEPS, _PARTNERS = 1, 2  # which of the two is drawn


@dataclass(frozen=True)
class Augmentation:
    """What is done to the windows of one pass. ``own`` is the share kept of a window's own.

    It weighs the own words of mixup and the own targets of mixup and moment exchange, and is the
    chance that dropout keeps a feature. ``partner``, (batch,), are the windows' partners.
    """

    kind: AugmentationKind
    own: float
    partner: Tensor

    def losses(self, model: LanguageModel, batch: Batch) -> tuple[Tensor, Tensor]:
        """The mean training loss in nats a word, forwards and backwards."""
        forward, backward = model.inputs(batch)  # (batch, time, dim)
        ahead = self._loss(model, model.bilm.forward_stack, forward, batch.targets)
        back = self._loss(model, model.bilm.backward_stack, backward, batch.targets.flip(1))
        return ahead / batch.targets.numel(), back / batch.targets.numel()

    def words(self, words: Tensor) -> Tensor:
        """The word vectors of one direction, (batch, time, dim), augmented.

        The mark at the first place is no word and stays as it is.
        """
        real = torch.ones(words.shape[:2], dtype=torch.bool, device=words.device)
        real[:, 0] = False  # (batch, time)
        if self.kind == "moex":
            return exchange(words, self.partner, real)
        if self.kind == "mixup":
            changed = self.own * words + (1 - self.own) * words[self.partner]
        else:
            changed = F.dropout(words, 1 - self.own)
        return torch.where(real[..., None], changed, words)

    def _loss(
        self,
        model: LanguageModel,
        stack: Callable[[Tensor], list[Tensor]] | nn.Module,
        words: Tensor,
        targets: Tensor,
    ) -> Tensor:
        # In full precision: the variance of rounded features is mostly that of the rounding.
        with torch.autocast(words.device.type, enabled=False):
            words = self.words(words.float())
        states = stack(words)[-1].flatten(0, 1)  # (batch * time, dim)
        own = targets.flatten()
        if self.kind == "dropout":
            return model.softmax.loss(states, own)
        return model.softmax.mixed_loss(states, own, targets[self.partner].flatten(), self.own)


def draw(
    settings: TrainingSettings, step: int, part: int, rank: int, windows: int, device: str
) -> Augmentation | None:
    """How a process augments a part of a step, or None where it does not.

    It depends on the seed and on these numbers alone, and takes nothing from torch's own random
    numbers: a training that draws no augmentation is one without. Whether a step is augmented is
    the same for all of its parts and processes.
    """
    if settings.augment is None:
        return None
    if (
        np.random.default_rng([_STEPS, settings.seed, step]).random()
        >= settings.augment_probability
    ):
        return None
    drawn = np.random.default_rng([_PARTNERS, settings.seed, step, part, rank])
    partner = drawn.permutation(windows)
    return Augmentation(
        settings.augment, settings.augment_lambda, torch.from_numpy(partner).to(device)
    )
