"""The loss of a published training, from a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ....core.errors import UsageError
from ..protocols import Estimate, Setting, Table, Trial

Runs = Callable[[str], Sequence[float]]


class Published:
    """Looks a candidate up in the space's table.

    A full effort gives the final loss of one published training: the first for seed 0, the next
    for seed 1, round and round. A smaller one gives the validation loss of the published curve
    after that share of the epochs (at least one), or the full loss where no curve was published.
    Raises UsageError for a space that has no results.
    """

    def __init__(self, setting: Setting) -> None:
        if not isinstance(setting.space, Table):
            raise UsageError(
                f"the space {setting.space.name} has no published results",
                where="--estimator table",
                cure="take the space nasbench-nlp or nasbench-201, or another estimator",
            )
        self.table: Table = setting.space

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        """The published loss; ``details`` tell which run, or after how many epochs."""
        curve = self.table.curve(trial.candidate) if trial.fidelity < 1 else ()
        if curve:
            epochs = max(math.ceil(trial.fidelity * len(curve) - 1e-9), 1)
            return Estimate((float(curve[epochs - 1]),), details={"epochs": epochs})
        runs = self.table.runs(trial.candidate)
        run = seed % len(runs)
        return Estimate((float(runs[run]),), details={"run": run, "runs": len(runs)})


class Reported:
    """What is told of a winner at the end: results of the table that did not choose it.

    A table's ``test_runs``, where it has them, are its ``runs`` on test data, which no search
    sees. Seeds are those of ``Published``. Raises UsageError for a space that has no results.
    """

    def __init__(self, setting: Setting) -> None:
        self._runs: Runs = Published(setting).table.runs
        self._tested: Runs = getattr(setting.space, "test_runs", self._runs)

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        """The loss of a run on test data, whatever the fidelity."""
        tested = self._tested(trial.candidate)
        run = seed % len(tested)
        return Estimate((float(tested[run]),), details={"run": run, "runs": len(tested)})

    def fresh_seeds(self, candidate: str, seed: int, most: int) -> list[int]:
        """Up to ``most`` seeds, each of another run, and none of the run of ``seed``.

        Where that is the only run, its own seed, if it was chosen by other data than is reported.
        """
        runs = len(self._tested(candidate))
        others = [seed + step for step in range(1, min(most + 1, runs))]
        apart = tuple(self._tested(candidate)) != tuple(self._runs(candidate))
        return others or [seed] * (apart and most > 0)
