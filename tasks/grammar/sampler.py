"""A random source whose draws are the same on every machine and Python version.

Only ``random.Random.random`` is used: its sequence is documented to stay the same for the
same seed, whereas ``choice``, ``shuffle`` and ``randrange`` have changed between versions.
Text seeds go through SHA-256, so that nothing depends on Python's own hashing.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Sampler:
    """Draws from one independent stream, named by the parts of its key."""

    def __init__(self, *key: str | int) -> None:
        digest = hashlib.sha256("/".join(str(part) for part in key).encode("utf-8")).digest()
        self._random = random.Random(int.from_bytes(digest[:16], "big"))

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self._random.random() < probability

    def below(self, limit: int) -> int:
        """A whole number from 0 to ``limit - 1``, each as likely."""
        return min(int(self._random.random() * limit), limit - 1)

    def pick(self, options: Sequence[T]) -> T:
        """One of ``options``, each as likely."""
        return options[self.below(len(options))]

    def pick_early(self, options: Sequence[T]) -> T:
        """One of ``options``, the earlier ones more often, as with words in real text."""
        draw = self._random.random()
        return options[min(int(draw * draw * len(options)), len(options) - 1)]

    def weighted(self, options: Sequence[tuple[T, float]]) -> T:
        """One of the values, as likely as its share of the weights."""
        rest = self._random.random() * sum(weight for _, weight in options)
        for value, weight in options:
            rest -= weight
            if rest < 0:
                return value
        return options[-1][0]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """The options in random order (Fisher-Yates)."""
        result = list(options)
        for last in range(len(result) - 1, 0, -1):
            other = self.below(last + 1)
            result[last], result[other] = result[other], result[last]
        return result
