"""The rows that belong beside every encoder: its twin with random weights, and words alone.

What a probe scores on the same architecture with random weights, on one-hot words, or on a random
vector for each word, the trained weights did not bring.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..encoders.loading import split_random
from .config import RunConfig

WORDS = ("onehot", "random-vectors")


class Row(NamedTuple):
    """An encoder to measure, and which of its layers, as ``--layers`` writes them."""

    encoder: str
    layers: str


def rows_of(config: RunConfig, has_weights: Callable[[str], bool]) -> Iterator[Row]:
    """The encoders asked for, each with its twin where it has one, and the words; each once.

    Without controls, only those that are asked for. ``has_weights`` is asked of an encoder behind
    its row, when it has been loaded to be measured: whether they can be drawn at random.
    """
    controlled = config.control_encoders and config.controls > 0
    seen = set()
    for name in config.encoder:
        twin = f"{name}+random"
        yield Row(name, config.layers)
        seen.add(name)
        plain = split_random(name)[1] is None
        if controlled and plain and twin not in config.encoder and has_weights(name):
            yield Row(twin, config.layers)
    if controlled:
        yield from (Row(name, "all") for name in WORDS if name not in seen)
