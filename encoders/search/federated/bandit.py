"""The bandit of FEATHERS: which of some configurations to try, and which to keep to.

(Seng et al. 2022, arXiv 2206.12342, and its published code.) Each configuration has a running
reward. They are explored in phases, whose length falls as the rewards set one apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ....core.errors import UsageError


class Bandit:
    """Running rewards of ``configurations`` arms, all 0 at first.

    ``length`` is the number of draws in a phase for each nat of the draws' entropy; ``memory`` how
    fast rewards follow and are forgotten. Raises UsageError for numbers that make no bandit.
    """

    def __init__(
        self, configurations: int, length: float = 4.0, memory: float = 0.3, seed: int = 0
    ) -> None:
        if configurations < 1 or length <= 0 or not 0 < memory <= 1:
            raise UsageError(
                f"{configurations} configurations, a length of {length:g}, a memory of {memory:g}",
                where="bandit",
                cure="take 1 or more, above 0, and within 0 to 1",
            )
        self.rewards: NDArray[np.float64] = np.zeros(configurations)
        self.length, self.memory = length, memory
        self._random = np.random.default_rng(seed)

    def probabilities(self) -> NDArray[np.float64]:
        """The softmax of the rewards over the largest of their sizes, of shape (configurations,).

        So the rewards' unit does not matter: two arms differ by a factor of e squared at most.
        """
        largest = np.abs(self.rewards).max()
        scaled = self.rewards / largest if largest > 0 else self.rewards
        raised = np.exp(scaled - scaled.max())
        shares: NDArray[np.float64] = raised / raised.sum()
        return shares

    def phase(self) -> list[int]:
        """The configurations to try next: as many as the entropy asks for, drawn with replacement.

        At least one, at most ``length`` times the logarithm of their number, rounded.
        """
        chance = self.probabilities()
        entropy = -float(np.sum(chance * np.log(chance)))  # in nats; no chance is 0
        draws = max(1, round(self.length * entropy))
        return [int(arm) for arm in self._random.choice(len(chance), size=draws, p=chance)]

    def update(self, gains: Mapping[int, Sequence[float]]) -> None:
        """Learn from a phase: the gains of each configuration that was tried.

        A tried one moves to the mean of its gains by ``memory``; all others keep the share
        ``memory`` of their reward, so what is not tried again is soon forgotten.
        """
        for arm in range(len(self.rewards)):
            if gains.get(arm):
                self.rewards[arm] += self.memory * (np.mean(gains[arm]) - self.rewards[arm])
            else:
                self.rewards[arm] *= self.memory

    def best(self) -> int:
        """The configuration of the highest reward, the first of equals."""
        return int(np.argmax(self.rewards))
