"""A small federation for tests: three clients of a dozen words, models of eight channels."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from layerwise.encoders.search.federated.client import LocalTraining
from layerwise.encoders.search.federated.private_training import Privacy
from layerwise.encoders.search.federated.simulation import Federation

CELL = "c1/L:0/t:1=2"
VOCABULARY = ["<unk>", *(f"w{number}" for number in range(9))]
PRIVACY = Privacy(noise_multiplier=0.7, noise_seed=5)

WANTED = Federation(
    dim=4,
    window=4,
    rounds=2,
    period=2,
    configurations=3,
    length=1.0,
    training=LocalTraining(steps=1, rate=0.5),
    privacy=PRIVACY,
)


def texts(words: int = 80) -> dict[str, list[str]]:
    generator = random.Random(0)
    return {
        name: [f"w{generator.randrange(9)}" for _ in range(words)]
        for name in ("news", "bio", "voyage")
    }


def wanted(**changes: Any) -> Federation:
    return replace(WANTED, **changes)
