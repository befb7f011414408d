"""Text for pretraining: words as numbers, the words that can be predicted, and batches by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core import files, progress
from .character_cnn import BEGIN, END
from .running_text import read_words

UNKNOWN = "<unk>"


@dataclass(frozen=True)
class Text:
    """Words as numbers into ``types``, whose first two are the marks of begin and end."""

    types: list[str]
    words: NDArray[np.int32]
    sources: list[dict[str, Any]]


def read_text(paths: Sequence[Path]) -> Text:
    """All words of the files, as numbers, and for each file its name, sha256 and length."""
    numbers: dict[str, int] = {BEGIN: 0, END: 1}
    words: list[int] = []
    sources = []
    for path in paths:
        before = len(words)
        for line in progress.track(read_words([path]), f"reading {path.name}", None):
            words.extend(numbers.setdefault(word, len(numbers)) for word in line)
        sources.append(
            {"file": path.name, "sha256": files.sha256_of(path), "words": len(words) - before}
        )
    return Text(list(numbers), np.array(words, dtype=np.int32), sources)


def build_vocabulary(text: Text, size: int) -> list[str]:
    """The most frequent words behind ``UNKNOWN``; of equally frequent ones the first in order."""
    counts = Counter({text.types[i]: int(n) for i, n in enumerate(np.bincount(text.words)) if n})
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return [UNKNOWN, *ranked[: size - 1]]


def targets_of(text: Text, vocabulary: Sequence[str]) -> NDArray[np.int64]:
    """Each word's number in the vocabulary, 0 where it is not in it."""
    numbers = {word: i for i, word in enumerate(vocabulary)}
    by_type = np.array([numbers.get(word, 0) for word in text.types], dtype=np.int64)
    return by_type[text.words]


class Batches:
    """Batches by step: any one can be had at once, so a resumed training needs no replay."""

    def __init__(
        self,
        text: Text,
        vocabulary: Sequence[str],
        *,
        window: int,
        batch: int,
        seed: int,
    ) -> None:
        self.window, self.batch, self.seed = window, batch, seed
        self.words = text.words
        self.targets = targets_of(text, vocabulary)
        # The last window reaches back rather than being short, so that no word is left out.
        self.starts = np.arange(0, len(text.words), self.window)
        self.starts[-1] = len(text.words) - self.window
        self.order: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, dtype=np.int64))

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """Words and targets of a step, each of shape (batch, window)."""
        places = np.array([self._place(step * self.batch + i) for i in range(self.batch)])
        grid = places[:, None] + np.arange(self.window)[None, :]  # (batch, time)
        return (
            torch.from_numpy(self.words[grid].astype(np.int64)),
            torch.from_numpy(self.targets[grid]),
        )

    def _place(self, number: int) -> int:
        epoch, position = divmod(number, len(self.starts))
        if self.order[0] != epoch:
            order = np.random.default_rng([self.seed, epoch]).permutation(len(self.starts))
            self.order = (epoch, order)
        return int(self.starts[self.order[1][position]])
