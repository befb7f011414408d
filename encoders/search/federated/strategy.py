"""FEATHERS' bandit as a strategy of the search: a few candidates, tried again and again."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ....core.errors import DataError, UsageError
from ..protocols import Estimate, SearchSpace, Trial
from .bandit import Bandit
from .gains import Gain, pooled, release_gain
from .ledger import Ledger, Release

MOST = 120
"""Configurations, as in the published code of FEATHERS."""

_TRIES = 100  # draws for each configuration that is to differ from the others


class Federated:
    """Explores a fixed draw of candidates in phases, and follows the gain that clients report.

    (Seng et al. 2022, arXiv 2206.12342; see ``bandit``.) ``configurations`` candidates are drawn
    once. A phase tries some at the fidelity ``effort``; with an effort below 1, the candidate of
    the highest reward is then asked for in full, once. A question carries a candidate alone, so
    that hyperparameters are the estimator's; ``simulation`` searches both.

    A gain is what clients' losses fell by. An estimator tells them in ``details["clients"]``: a
    list with ``before`` and ``after`` for each client, a loss or a list with one for each window.
    They are clipped to ``gain_clip`` nats, get Gaussian noise of ``gain_noise`` times their
    sensitivity and are booked in ``ledger`` (by default 20 times). The noise follows from the
    seed, so that a search can go on after a kill: seed and journal are as private as the clients'
    text. Where no client reports, the loss itself stands for one: its gain, without noise unless
    ``gain_noise`` is given, is by how much it is below the mean of those before.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        evaluations: int | None = None,
        *,
        configurations: int = MOST,
        length: float = 4.0,
        memory: float = 0.3,
        effort: float = 1.0,
        gain_clip: float = 1.0,
        gain_noise: float | None = None,
    ) -> None:
        right = 0 < effort <= 1 and gain_clip > 0 and configurations >= 1
        if not right or (gain_noise is not None and not gain_noise >= 0):
            raise UsageError(
                f"{configurations} configurations, effort {effort:g}, gain_clip {gain_clip:g}, "
                f"gain_noise {gain_noise}",
                where="federated",
                cure="take 1 or more, within 0 to 1, above 0, and 0 or more",
            )
        # Phases of more draws than may be asked would teach nothing.
        count = configurations if evaluations is None else min(configurations, max(evaluations, 1))
        self.candidates = _distinct(space, count, random.Random(seed))
        self.bandit = Bandit(len(self.candidates), length, memory, seed)
        self.ledger = Ledger()
        self.effort, self.gain_clip, self.gain_noise = effort, gain_clip, gain_noise
        self._noise = np.random.default_rng([seed, 1])
        self._waiting: list[int] = []
        self._gains: dict[int, list[float]] = {}
        self._told: list[float] = []
        self._full: set[int] = set()

    def ask(self) -> Trial | None:
        """The next trial of the phase; without one, the best in full, or a new phase."""
        if not self._waiting:
            best = self.bandit.best()
            if self.effort < 1 and self._told and best not in self._full:
                return Trial(self.candidates[best])
            self._waiting = self.bandit.phase()
            self._gains = {}
        return Trial(self.candidates[self._waiting[0]], self.effort)

    def tell(self, trial: Trial, estimate: Estimate) -> None:
        """The answer to the last question. A full training after a phase moves no reward.

        Raises DataError for an answer to what was not asked and for reports that cannot be read.
        """
        if not self._waiting:
            if trial.candidate not in self.candidates:
                raise DataError(f"{trial.candidate} was not asked about", where="federated")
            self._full.add(self.candidates.index(trial.candidate))
            return
        if trial.candidate != self.candidates[self._waiting[0]]:
            raise DataError(f"{trial.candidate} was not asked about", where="federated")
        arm = self._waiting.pop(0)
        self._gains.setdefault(arm, []).append(self._gain(estimate))
        if not self._waiting:
            self.bandit.update(self._gains)

    def _gain(self, estimate: Estimate) -> float:
        clients = estimate.details.get("clients")
        if clients:
            noise = 20.0 if self.gain_noise is None else self.gain_noise
            pairs = [_pair(client) for client in clients]
        else:
            noise = self.gain_noise or 0.0
            loss = estimate.losses[0]
            known = [each for each in self._told if math.isfinite(each)]
            pairs = [([float(np.mean(known)) if known else loss], [loss])]
        self._told.append(estimate.losses[0])
        if clients or noise:
            # Clients hold different windows: each window is touched by one of these releases.
            self.ledger.add(Release("gain", noise))
        gains: list[Gain] = [
            release_gain(before, after, self.gain_clip, noise, self._noise)
            for before, after in pairs
        ]
        return pooled(gains)


def _pair(client: Any) -> tuple[Sequence[float], Sequence[float]]:
    if not isinstance(client, Mapping) or not {"before", "after"} <= {*client}:
        raise DataError(
            "without the losses before and after",
            where="the report of a client",
            cure='such as {"before": [5.1, 4.9], "after": [5.0, 4.9]}',
        )
    before, after = (
        list(losses) if isinstance(losses, Sequence) else [losses]
        for losses in (client["before"], client["after"])
    )
    return before, after


def _distinct(space: SearchSpace, count: int, generator: random.Random) -> list[str]:
    """Different candidates, fewer where the space has no more."""
    found: dict[str, None] = {}
    for _ in range(_TRIES * count):
        if len(found) == count:
            break
        found.setdefault(space.sample(generator))
    return list(found)
