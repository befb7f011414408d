"""The records of a client: windows of words, each of them one sample of differential privacy.

A window is what the guarantee speaks of: not a document, and not a person, who may have written
many windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ....core.errors import DataError
from ...character_cnn import BEGIN, END
from ...training_text import Batch, Codes, targets_by_type

_VALIDATION = 5  # every so-manieth window


@dataclass(frozen=True)
class Samples:
    """``spelling``, of shape (types, characters), has the two marks of begin and end first.

    ``words``, of shape (windows, time), are rows of it, ``targets``, of the same shape, entries of
    the vocabulary.
    """

    spelling: Tensor
    words: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return self.words.shape[0]

    def take(self, rows: Tensor | slice) -> Samples:
        """Some of the windows."""
        return Samples(self.spelling, self.words[rows], self.targets[rows])

    def spelt(self) -> Tensor:
        """The characters of each window's marks and words, (windows, 2 + time, characters)."""
        marks = torch.arange(2).expand(len(self), 2)
        return self.spelling[torch.cat([marks, self.words], dim=1)]

    def batch(self) -> Batch:
        """The windows as the house's trainer reads them: each type is spelt once."""
        seen, index = torch.unique(self.words, return_inverse=True)
        codes = torch.cat([self.spelling[:2], self.spelling[seen]])
        return Batch(codes, index.reshape(self.words.shape) + 2, self.targets)


def cut(text: Sequence[str], vocabulary: Sequence[str], window: int, codes: Codes) -> Samples:
    """The windows of a text, one after the other; a shorter last one is left out.

    The vocabulary must not come from a client's text, which it would give away. ``codes`` is
    ``CharacterCNN.codes``. Raises DataError for a text without a window.
    """
    count = len(text) // window
    if not count:
        raise DataError(
            f"{len(text)} words make no window of {window}",
            where="the text of a client",
            cure="take more text, or a smaller window",
        )
    types = [BEGIN, END, *sorted(set(text))]
    number = {word: row for row, word in enumerate(types)}
    words = np.array([number[word] for word in text[: count * window]]).reshape(count, window)
    targets = targets_by_type(types, vocabulary)[words].astype(np.int64)
    return Samples(
        torch.from_numpy(codes(types)), torch.from_numpy(words), torch.from_numpy(targets)
    )


def split(samples: Samples) -> tuple[Samples, Samples]:
    """For training and for validation: every fifth window is for the latter, by place alone.

    Raises DataError for too few windows.
    """
    if len(samples) < _VALIDATION:
        raise DataError(
            f"{len(samples)} windows", where="the text of a client", cure=f"{_VALIDATION} or more"
        )
    held = torch.arange(len(samples)) % _VALIDATION == _VALIDATION - 1
    return samples.take(~held), samples.take(held)
