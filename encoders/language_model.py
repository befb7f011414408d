"""A biLM with the output layer that it is trained with, and its perplexity on held-out text."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from . import output_layer
from .bilm import BiLM, BiLMSettings, initialise
from .processes import Processes
from .training_text import Batch, Text, make_batch, targets_by_type

_ROWS = 32  # windows that are measured at once


class LanguageModel(nn.Module):
    """A biLM and its output layer, which both directions share."""

    def __init__(
        self,
        settings: BiLMSettings,
        vocabulary: int,
        softmax: output_layer.Softmax = "full",
        samples: int = 8192,
    ) -> None:
        super().__init__()
        self.bilm = BiLM(settings)
        self.softmax = output_layer.build(softmax, self.bilm.dim, vocabulary, samples)
        initialise(self)
        self.softmax.start()

    def losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The mean training loss in nats a word, forwards and backwards."""
        forward, backward = self._both(batch, self.softmax.loss)
        return forward / batch.targets.numel(), backward / batch.targets.numel()

    def surprisals(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The summed surprisal by the full distribution in nats, forwards and backwards."""
        return self._both(batch, self.softmax.surprisal)

    def inputs(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The word vectors that each stack reads, the mark first: (batch, time, dim) twice.

        At each place the word before the one to predict, in the stack's own direction.
        """
        vectors = self.bilm.characters(batch.codes.long())  # (types, dim)
        words = vectors[batch.words]  # (batch, time, dim)
        first = vectors[0].expand(words.shape[0], 1, -1)
        last = vectors[1].expand(words.shape[0], 1, -1)
        forward = torch.cat([first, words[:, :-1]], dim=1)
        backward = torch.cat([last, words.flip(1)[:, :-1]], dim=1)
        return forward, backward

    def _both(
        self, batch: Batch, measure: Callable[[Tensor, Tensor], Tensor]
    ) -> tuple[Tensor, Tensor]:
        forward, backward = self.inputs(batch)
        ahead = self.bilm.forward_stack(forward)[-1].flatten(0, 1)  # (batch * time, dim)
        back = self.bilm.backward_stack(backward)[-1].flatten(0, 1)
        return (
            measure(ahead, batch.targets.flatten()),
            measure(back, batch.targets.flip(1).flatten()),
        )


@torch.no_grad()
def perplexity(
    model: LanguageModel,
    text: Text,
    vocabulary: Sequence[str],
    device: str,
    processes: Processes | None = None,
) -> dict[str, float]:
    """Perplexity by the full distribution, each word counted once, forwards, backwards, the mean.

    A word outside the vocabulary counts as ``UNKNOWN``. The mean is over the cross-entropies.
    Several processes share the text, and all of them get the result.
    """
    processes = processes or Processes()
    model.eval()
    window, words = model.bilm.settings.window, text.words
    targets = targets_by_type(text.types, vocabulary)
    whole = len(words) // window * window
    rows = words[:whole].reshape(-1, window)
    pieces = [rows[i : i + _ROWS] for i in range(0, len(rows), _ROWS)]
    if whole < len(words):
        pieces.append(words[None, whole:])
    total = np.zeros(2)
    for piece in pieces[processes.rank :: processes.count]:
        batch = make_batch(piece, text, targets, model.bilm.characters.codes).to(device)
        total += np.array([float(surprisal) for surprisal in model.surprisals(batch)])
    model.train()
    forward, backward = processes.add_up(total) / len(words)
    return {
        "forward": round(math.exp(forward), 3),
        "backward": round(math.exp(backward), 3),
        "mean": round(math.exp((forward + backward) / 2), 3),
        "unknown_share": round(float(text.counts[targets == 0].sum() / len(words)), 5),
        "words": len(words),
    }
