"""The rows that belong beside every encoder: its twin with random weights, and words alone.

What a probe scores on the same architecture with random weights, on one-hot words, or on a random
vector for each word, the trained weights did not bring.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..core.errors import LayerwiseError
from ..encoders.base import Randomisable
from ..encoders.loading import split_random
from .config import RunConfig
from .encoder_options import encoder_of

WORDS = ("onehot", "random-vectors")


class Row(NamedTuple):
    """An encoder to measure, and which of its layers, as ``--layers`` writes them."""

    encoder: str
    layers: str


def rows_of(config: RunConfig) -> Iterator[Row]:
    """The encoders asked for, each with its twin where it has one, and the words; each once.

    Without controls, only those that are asked for.
    """
    asked = list(config.encoder)
    seen = set()
    for name in asked if not _wanted(config) else _with_twins(config):
        if name not in seen:
            seen.add(name)
            yield Row(name, config.layers)
    if _wanted(config):
        yield from (Row(name, "all") for name in WORDS if name not in seen)


def _wanted(config: RunConfig) -> bool:
    return config.control_encoders and config.controls > 0


def _with_twins(config: RunConfig) -> Iterator[str]:
    for name in config.encoder:
        yield name
        try:
            has_weights = isinstance(encoder_of(config, name), Randomisable)
        except LayerwiseError:
            continue  # that it cannot be had is told where it is measured
        if has_weights and split_random(name)[1] is None:
            yield f"{name}+random"
