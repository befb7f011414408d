"""Text for pretraining: the words that can be predicted, and batches by step."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core import files
from .character_cnn import BEGIN, END
from .running_text import read_words
from .token_store import count, open_store

UNKNOWN = "<unk>"

Codes = Callable[[Sequence[str]], NDArray[np.int16]]
"""Words to their characters, of shape (words, characters): ``CharacterCNN.codes``."""


@dataclass(frozen=True)
class Text:
    """Words as numbers into ``types``, whose first two are the marks of begin and end.

    ``words`` has the shape (words,) and may lie on the disk; ``counts``, of shape (types,), says
    how often each type is among them.
    """

    types: Sequence[str]
    words: NDArray[np.int32]
    counts: NDArray[np.int64]
    sources: list[dict[str, Any]]

    def split(self, tail: int) -> tuple[Text, Text]:
        """The text without its last ``tail`` words, and these."""
        cut = len(self.words) - tail
        behind = count(self.words[cut:], len(self.types))
        name = [{"file": "the last fiftieth of the text"}]
        return (
            Text(self.types, self.words[:cut], self.counts - behind, self.sources),
            Text(self.types, self.words[cut:], behind, name),
        )


def read_text(paths: Sequence[Path]) -> Text:
    """All words of the files, on the disk, and for each file its name, sha256 and length.

    Raises DataError for a file that cannot be read as text.
    """
    digests = [files.sha256_of(path) for path in paths]
    store = open_store(paths, digests)
    sources = [
        {"file": path.name, "sha256": digest, "words": words}
        for path, digest, words in zip(paths, digests, store.file_words, strict=True)
    ]
    return Text(store.types, store.words, store.counts, sources)


def sample_text(paths: Sequence[Path], most: int) -> tuple[Text, bool]:
    """The first ``most`` words or a few more, in memory, and whether these are all there are."""
    numbers: dict[str, int] = {BEGIN: 0, END: 1}
    words = array("i")
    complete = True
    for line in read_words(paths):
        if len(words) >= most:
            complete = False
            break
        words.extend([numbers.setdefault(word, len(numbers)) for word in line])
    table = np.asarray(words, dtype=np.int32)
    return Text(list(numbers), table, count(table, len(numbers)), []), complete


def build_vocabulary(text: Text, size: int) -> list[str]:
    """The most frequent words behind ``UNKNOWN``; of equally frequent ones the first in order."""
    counts, wanted = np.array(text.counts), size - 1
    least = 1
    if 0 < wanted < len(counts):
        least = max(int(np.partition(counts, len(counts) - wanted)[len(counts) - wanted]), 1)
    # Only words that may be among the chosen are made strings, of which the rest has too many.
    ranked = sorted(
        (-int(counts[i]), text.types[i]) for i in np.flatnonzero(counts >= least).tolist()
    )
    return [UNKNOWN, *(word for _, word in ranked[:wanted])]


def targets_by_type(types: Sequence[str], vocabulary: Sequence[str]) -> NDArray[np.int32]:
    """Each type's number in the vocabulary, 0 where it is not in it, of shape (types,)."""
    numbers = {word: i for i, word in enumerate(vocabulary)}
    return np.fromiter((numbers.get(word, 0) for word in types), np.int32, len(types))


def targets_of(text: Text, vocabulary: Sequence[str]) -> NDArray[np.int64]:
    """Each word's number in the vocabulary, 0 where it is not in it, of shape (words,)."""
    return targets_by_type(text.types, vocabulary)[text.words].astype(np.int64)


@dataclass(frozen=True)
class Batch:
    """Windows of text: what is read, and what is to be predicted.

    ``codes``, of shape (types, characters), are the characters of the types in it, the two marks
    first; ``words``, of shape (batch, time), are numbers of its rows and ``targets``, of the same
    shape, of vocabulary entries.
    """

    codes: Tensor
    words: Tensor
    targets: Tensor

    def to(self, device: str) -> Batch:
        """The batch on a device."""
        return Batch(self.codes.to(device), self.words.to(device), self.targets.to(device))


def make_batch(
    words: NDArray[np.int32], text: Text, targets: NDArray[np.int32], codes: Codes
) -> Batch:
    """The batch of rows of numbers, of shape (batch, time); ``targets`` are those of each type."""
    seen, index = np.unique(words, return_inverse=True)
    spelling = codes([text.types[i] for i in (0, 1, *seen.tolist())])  # (2 + seen, characters)
    return Batch(
        torch.from_numpy(spelling),
        torch.from_numpy(index.reshape(words.shape) + 2),
        torch.from_numpy(targets[words].astype(np.int64)),
    )


class Windows:
    """Windows of text by step: any step can be had at once, so a resumed training needs no replay.

    Every epoch sees all windows, in an order drawn from the seed.
    """

    def __init__(self, text: Text, *, window: int, batch: int, seed: int) -> None:
        self.text, self.window, self.batch, self.seed = text, window, batch, seed
        self.count = -(-len(text.words) // window)
        self.order: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, dtype=np.int64))

    def __call__(self, step: int) -> NDArray[np.int32]:
        """The numbers of a step's words, of shape (batch, window)."""
        places = np.array([self._place(step * self.batch + i) for i in range(self.batch)])
        grid = places[:, None] + np.arange(self.window)[None, :]  # (batch, window)
        return self.text.words[grid]

    def _place(self, number: int) -> int:
        epoch, position = divmod(number, self.count)
        if self.order[0] != epoch:
            order = np.random.default_rng([self.seed, epoch]).permutation(self.count)
            self.order = (epoch, order)
        # The last window reaches back rather than being short, so that no word is left out.
        return min(int(self.order[1][position]) * self.window, len(self.text.words) - self.window)
