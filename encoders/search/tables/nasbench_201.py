"""All 15,625 cells of NAS-Bench-201 as a space (Dong and Yang 2020, arXiv 2001.00326).

Image classifiers, no encoders: a check of strategies, whose behaviour on it is published.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from functools import cache

from ....core.errors import DataError, UsageError, did_you_mean
from ..space.sampling import choose
from .parquet import read_columns

_COLUMNS = {"cifar10": "cifar10", "cifar100": "cifar100", "imagenet16": "imagenet"}
_EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
_OPERATIONS = (
    "none (the edge is not there)",
    "skip (the value as it is)",
    "1x1 convolution",
    "3x3 convolution",
    "3x3 average pooling",
)
_WRITTEN = re.compile(f"[0-{len(_OPERATIONS) - 1}]{{{len(_EDGES)}}}")


def nasbench_201(argument: str = "cifar10") -> NasBench201:
    """The table of one of ``cifar10``, ``cifar100`` and ``imagenet16`` (ImageNet16-120).

    UsageError for another, DataError where the table is not.
    """
    chosen = argument or "cifar10"
    if chosen not in _COLUMNS:
        raise UsageError(
            f"no such data set: {chosen!r}",
            where=f"nasbench-201:{chosen}",
            cure=did_you_mean(chosen, _COLUMNS),
        )
    return _read(chosen)


@cache
def _read(data: str) -> NasBench201:
    on_validation, on_test = (f"{_COLUMNS[data]}_{split}" for split in ("val", "test"))
    table = read_columns("nasbench201_genius.parquet", ["arch", on_validation, on_test])
    return NasBench201(
        f"nasbench-201:{data}",
        dict(zip(table["arch"], table[on_validation], strict=True)),
        dict(zip(table["arch"], table[on_test], strict=True)),
    )


class NasBench201:
    """Six digits, the operations on the six edges of a graph of four nodes, and their accuracies.

    A candidate has one published result: the mean over its seeds after 200 epochs.
    """

    def __init__(
        self, name: str, validation: Mapping[str, float], test: Mapping[str, float]
    ) -> None:
        """Accuracies in per cent of all candidates."""
        self.name = name
        self.genes: Sequence[int] = (len(_OPERATIONS),) * len(_EDGES)
        self._validation, self._test = validation, test

    def sample(self, generator: random.Random) -> str:
        """Each with one chance."""
        return self.decode([choose(range(count), generator) for count in self.genes])

    def mutate(self, candidate: str, generator: random.Random) -> str:
        """Another operation on one edge."""
        edge = choose(range(len(candidate)), generator)
        other = choose(
            [digit for digit in map(str, range(self.genes[edge])) if digit != candidate[edge]],
            generator,
        )
        return candidate[:edge] + other + candidate[edge + 1 :]

    def cross(self, first: str, second: str, generator: random.Random) -> str:
        """Each edge from one of both."""
        return "".join(choose(pair, generator) for pair in zip(first, second, strict=True))

    def decode(self, genes: Sequence[int]) -> str:
        """The genes are the digits."""
        return self.read("".join(map(str, genes)))

    def read(self, text: str) -> str:
        """The six digits. DataError for anything else."""
        written = text.strip()
        if not _WRITTEN.fullmatch(written):
            raise DataError(
                f"not a candidate: {written[:40]!r}",
                where=f"space {self.name}",
                cure=f"write {len(_EDGES)} digits from 0 to {len(_OPERATIONS) - 1}, such as 333133",
            )
        return written

    def runs(self, candidate: str) -> Sequence[float]:
        """1 - the accuracy on validation data: what a search may see."""
        return (1 - self._validation[candidate] / 100,)

    def test_runs(self, candidate: str) -> Sequence[float]:
        """1 - the accuracy on test data: what a search reports and never sees."""
        return (1 - self._test[candidate] / 100,)

    def curve(self, candidate: str) -> Sequence[float]:
        """Empty: the epochs are not in the table."""
        return ()

    def describe(self, anonymous: bool = False) -> str:
        """The digits, and where they stand; ``anonymous``: the digits alone."""
        digits = f"A candidate is {len(_EDGES)} digits, each from 0 to {len(_OPERATIONS) - 1}."
        example = f"An example: {self.sample(random.Random(0))}"
        if anonymous:
            return f"{digits}\n{example}"
        edges = ", ".join(f"{source} to {reader}" for source, reader in _EDGES)
        return "\n".join(
            [
                "A candidate is a cell of an image classifier: a graph of the nodes 0 (the input) "
                "to 3 (the output), where a node is the sum of what its edges bring.",
                f"{digits} They are the operations on the edges, in this order: {edges}.",
                *(f"{digit}: {meaning}" for digit, meaning in enumerate(_OPERATIONS)),
                example,
            ]
        )
