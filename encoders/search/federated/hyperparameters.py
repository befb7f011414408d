"""What a client's two optimisers are set to, and the ranges that a server draws it from."""

from __future__ import annotations

import random
from dataclasses import dataclass

Range = tuple[float, float]
"""The decimal exponents of the smallest and the largest value."""


@dataclass(frozen=True)
class Hyperparameters:
    """Weights learn by SGD with momentum, architecture logits by Adam."""

    learning_rate: float = 0.1
    weight_decay: float = 1e-4
    momentum: float = 0.9
    architecture_rate: float = 3e-3
    architecture_decay: float = 1e-3


@dataclass(frozen=True)
class Ranges:
    """What is drawn log-uniformly; the momentum is uniform in [0, 1).

    The defaults are those of the published code of FEATHERS (arXiv 2206.12342).
    """

    learning_rate: Range = (-4, -1)
    weight_decay: Range = (-5, -1)
    architecture_rate: Range = (-5, -2)
    architecture_decay: Range = (-5, -1)

    def draw(self, generator: random.Random) -> Hyperparameters:
        """One setting of all of them, each drawn on its own."""

        def power(exponents: Range) -> float:
            low, high = exponents
            return float(10 ** (low + (high - low) * generator.random()))

        return Hyperparameters(
            learning_rate=power(self.learning_rate),
            weight_decay=power(self.weight_decay),
            momentum=generator.random(),
            architecture_rate=power(self.architecture_rate),
            architecture_decay=power(self.architecture_decay),
        )
