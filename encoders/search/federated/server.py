"""The server of FEATHERS: it orders rounds, averages weights and keeps to what gained most.

(Seng et al. 2022, arXiv 2206.12342, and its published code.) It waits for nobody and calls nobody:
``next_order`` tells what all clients are to do, ``receive`` takes what they did. So it is the same
in one process and over a network.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ....core.errors import DataError, UsageError
from .averaging import Weights, federated_average
from .bandit import Bandit
from .client import Order, Report
from .gains import pooled
from .hyperparameters import Hyperparameters


@dataclass(frozen=True)
class Round:
    """What happened in one: the configuration, and the gain in nats a word if it was a trial.

    ``taken`` is False for weights that were not finite and left the old ones in place.
    """

    configuration: int
    gain: float | None = None
    taken: bool = True


class Server:
    """``rounds`` rounds of federated averaging; every ``period`` of them begin with a phase of
    trials, each from the same weights, which decides the configuration of the period.

    With one configuration there is nothing to try. ``weights`` are the present ones.
    """

    def __init__(
        self,
        weights: Weights,
        configurations: Sequence[Hyperparameters],
        rounds: int,
        period: int = 15,
        length: float = 4.0,
        memory: float = 0.3,
        seed: int = 0,
    ) -> None:
        if rounds < 1 or period < 1 or not configurations:
            raise UsageError(
                f"{rounds} rounds, a period of {period}, {len(configurations)} configurations",
                where="federated search",
                cure="take 1 or more of each",
            )
        self.weights, self.configurations = weights, configurations
        self.rounds, self.period = rounds, period
        self.bandit = Bandit(len(configurations), length, memory, seed)
        self.history: list[Round] = []
        self._done = 0
        self._trials: list[int] = []
        self._gains: dict[int, list[float]] = {}
        self._explored = -1  # the last period that had its phase

    @property
    def most_orders(self) -> int:
        """How many orders there can be."""
        phases = -(-self.rounds // self.period)
        longest = max(1, round(self.bandit.length * math.log(len(self.configurations))))
        return self.rounds + phases * (longest if len(self.configurations) > 1 else 0)

    def next_order(self) -> Order | None:
        """What all clients are to do now; None after the last round."""
        if self._done == self.rounds:
            return None
        period = self._done // self.period
        if len(self.configurations) > 1 and self._explored < period:
            self._explored, self._trials, self._gains = period, self.bandit.phase(), {}
        wanted = self._trials[0] if self._trials else self.bandit.best()
        return Order(self.weights, self.configurations[wanted], explore=bool(self._trials))

    def receive(self, reports: Sequence[Report]) -> None:
        """The answers of all clients to the last order, in any order.

        Raises DataError for reports that do not answer it.
        """
        reports = sorted(reports, key=lambda report: report.client)
        if self._trials:
            gains = [report.gain for report in reports if report.gain is not None]
            if not reports or len(gains) < len(reports):
                raise DataError("a client told no gain", where="federated round")
            arm, gain = self._trials.pop(0), pooled(gains)
            self._gains.setdefault(arm, []).append(gain)
            self.history.append(Round(arm, gain))
            if not self._trials:
                self.bandit.update(self._gains)
            return
        weights = [report.weights for report in reports if report.weights is not None]
        if not reports or len(weights) < len(reports):
            raise DataError("a client sent no weights", where="federated round")
        mean = federated_average(weights, [report.windows for report in reports])
        finite = all(bool(weight.isfinite().all()) for weight in mean.values())
        if finite:
            self.weights = mean
        self.history.append(Round(self.bandit.best(), taken=finite))
        self._done += 1
