"""A biLM with the softmax that it is trained with, and its perplexity on held-out text."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .bilm import BiLM, BiLMSettings, initialise
from .training_text import Text, targets_of

_ROWS = 128  # words whose logits are held at once


class LanguageModel(nn.Module):
    """A biLM and the softmax that it is trained with."""

    def __init__(self, settings: BiLMSettings, vocabulary: int) -> None:
        super().__init__()
        self.bilm = BiLM(settings)
        self.softmax = nn.Linear(self.bilm.dim, vocabulary)
        initialise(self)
        nn.init.normal_(self.softmax.weight, std=0.02)
        nn.init.zeros_(self.softmax.bias)

    def losses(self, words: Tensor, targets: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """The mean cross-entropy in nats a word, forwards and backwards.

        ``words`` and ``targets`` have the shape (batch, time): numbers of types and of vocabulary
        entries; ``codes`` are the characters of every type, of shape (types, characters).
        """
        seen, index = torch.unique(words, return_inverse=True)
        seen = torch.cat([torch.tensor([0, 1], device=words.device), seen])
        used = codes[seen]
        # Trailing pads beyond what the widest filter needs are cut; they change nothing.
        longest = int((used > 0).sum(dim=1).max()) + max(
            width for width, _ in self.bilm.settings.characters.filters
        )
        vectors = self.bilm.characters(used[:, :longest].long())  # (seen, dim)
        words_in = vectors[index + 2]  # (batch, time, dim)
        first = vectors[0].expand(words.shape[0], 1, -1)
        last = vectors[1].expand(words.shape[0], 1, -1)
        forward = torch.cat([first, words_in[:, :-1]], dim=1)
        backward = torch.cat([last, words_in.flip(1)[:, :-1]], dim=1)
        return (
            self._loss(self.bilm.forward_stack(forward)[-1], targets),
            self._loss(self.bilm.backward_stack(backward)[-1], targets.flip(1)),
        )

    def _loss(self, states: Tensor, targets: Tensor) -> Tensor:
        # In pieces: the logits are by far the largest tensors, and small ones stay in the cache.
        rows = torch.split(states.flatten(0, 1), _ROWS)
        pieces = zip(rows, torch.split(targets.flatten(), _ROWS), strict=True)
        losses = [
            F.cross_entropy(self.softmax(part).float(), aim, reduction="sum")  # (rows, vocabulary)
            for part, aim in pieces
        ]
        return torch.stack(losses).sum() / targets.numel()


@torch.no_grad()
def perplexity(
    model: LanguageModel, text: Text, vocabulary: Sequence[str], device: str
) -> dict[str, float]:
    """Perplexity by the full softmax, each word counted once, forwards, backwards and the mean.

    A word outside the vocabulary counts as ``UNKNOWN``. The mean is over the cross-entropies.
    """
    model.eval()
    window, words = model.bilm.settings.window, text.words
    targets = targets_of(text, vocabulary)
    codes = torch.from_numpy(model.bilm.characters.codes(text.types)).to(device)
    total = np.zeros(2)
    whole = len(words) // window * window
    rows, aims = words[:whole].reshape(-1, window), targets[:whole].reshape(-1, window)
    pieces = [(rows[i : i + 32], aims[i : i + 32]) for i in range(0, len(rows), 32)]
    if whole < len(words):
        pieces.append((words[None, whole:], targets[None, whole:]))
    for batch, aim in pieces:
        losses = model.losses(
            torch.from_numpy(batch.astype(np.int64)).to(device),
            torch.from_numpy(aim).to(device),
            codes,
        )
        total += np.array([float(loss) for loss in losses]) * batch.size
    model.train()
    forward, backward = total / len(words)
    return {
        "forward": round(math.exp(forward), 3),
        "backward": round(math.exp(backward), 3),
        "mean": round(math.exp((forward + backward) / 2), 3),
        "unknown_share": round(float((targets == 0).mean()), 5),
        "words": len(words),
    }
