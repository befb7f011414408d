"""What is put in front of an untrained cell: a batch of words, a random vector for each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from ....core.errors import DataError
from ...running_text import read_words

Spread = Literal["unit", "narrow"]
"""How vectors are drawn: normal with a variance of 1, or uniform within 0.1 of 0 as in the
benchmark's model (Merity et al. 2018, arXiv 1708.02182)."""

_READ_FOR_EACH = 8  # words of text read for each one of the batch, to tell which are frequent


@dataclass(frozen=True)
class ProbeBatch:
    """``words`` is (batch, time + 1): each one but the first is what is to be predicted.

    Numbers are below ``vocabulary``; 0 stands for all words that are not among the frequent ones.
    """

    words: Tensor
    vocabulary: int

    def vectors(self, dim: int, seed: int, spread: Spread = "unit") -> Tensor:
        """The words but the last, as vectors drawn for each word: (batch, time, dim)."""
        generator = torch.Generator().manual_seed(seed)
        shape = (self.vocabulary, dim)
        if spread == "unit":
            table = torch.randn(shape, generator=generator)
        else:
            table = torch.rand(shape, generator=generator) * 0.2 - 0.1
        return table[self.words[:, :-1]]


def text_batch(
    paths: Sequence[Path], batch: int = 64, time: int = 24, vocabulary: int = 1000
) -> ProbeBatch:
    """The first words of the files, cut into ``batch`` stretches. DataError where they are fewer.

    The frequent words are those of this text and some that follows.
    """
    needed = batch * (time + 1)
    words = list(islice(chain.from_iterable(read_words(paths)), _READ_FOR_EACH * needed))
    if len(words) < needed:
        raise DataError(
            f"{len(words):,} words, and {needed:,} are read",
            where=", ".join(path.name for path in paths),
            cure="give more text, a smaller batch, or no text",
        )
    counts = Counter(words)
    # Of equally frequent words the first ones are kept, as ``most_common`` orders them.
    numbers = {word: place for place, (word, _) in enumerate(counts.most_common(vocabulary - 1), 1)}
    chosen = torch.tensor([numbers.get(word, 0) for word in words[:needed]])
    return ProbeBatch(chosen.view(batch, time + 1), vocabulary)


def random_batch(
    batch: int = 64, time: int = 24, vocabulary: int = 1000, seed: int = 0
) -> ProbeBatch:
    """Words drawn on their own, the word of rank r in proportion to 1 / r (Zipf 1949)."""
    generator = torch.Generator().manual_seed(seed)
    # The inverse of the logarithmic distribution of a continuous rank.
    drawn = torch.rand(batch, time + 1, generator=generator, dtype=torch.float64)
    ranks = torch.exp(drawn * math.log(vocabulary))  # in [1, vocabulary)
    return ProbeBatch(ranks.long().clamp(max=vocabulary) - 1, vocabulary)
