"""What a winner is worth by seeds that did not choose it.

The lowest of many noisy losses is too low: a candidate wins by luck too. So what is reported of a
winner is measured anew, and so is what random search has found.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from scipy import stats

from ...core.errors import UsageError, in_one_line
from .journal import Evaluation, Journal
from .protocols import Estimate, Estimator, Trial


@runtime_checkable
class Limited(Protocol):
    """An estimator that has only so many answers: the published runs of a table."""

    def fresh_seeds(self, candidate: str, seed: int, most: int) -> list[int]:
        """Up to ``most`` seeds, each of another answer, and none of the answer to ``seed``."""
        ...


class Mean(NamedTuple):
    """A mean with its 95 % interval by Student's t, None where there is but one value."""

    mean: float
    interval: tuple[float, float] | None
    size: int


def winner(evaluations: Sequence[Evaluation]) -> Evaluation:
    """The lowest first loss, the first of equal ones; of those known best, none skipped.

    Measured losses go before predicted ones, and those of the largest effort before others: losses
    of unequal effort cannot be compared.
    """
    asked = [each for each in evaluations if not each.skipped] or evaluations
    measured = [each for each in asked if each.measured and not each.error]
    known = measured or [each for each in asked if not each.error] or list(asked)
    most = max(each.fidelity for each in known)
    return min((each for each in known if each.fidelity == most), key=lambda each: each.losses[0])


def confirm(
    won: Evaluation,
    truth: Estimator,
    seeds: Sequence[int],
    journal: Journal,
    *,
    clock: Callable[[], float] = time.perf_counter,
    pressed: Callable[[], bool] = lambda: False,
) -> list[Evaluation]:
    """The winner at full effort with each of ``seeds``, none of which may have chosen it.

    Kept in the journal under the arm ``confirm ARM``; what is there is not done again. Where the
    truth is a table there may be fewer: as many as there are runs that did not choose. An
    evaluation that fails counts as a loss of inf. KeyboardInterrupt between two of them.
    """
    arm = f"confirm {won.arm}"
    if isinstance(truth, Limited):
        seeds = truth.fresh_seeds(won.candidate, won.seed, len(seeds))
    recorded = journal.of(arm, won.repetition)
    known = {(each.candidate, each.seed): each for each in recorded}
    found = []
    for seed in seeds:
        if (won.candidate, seed) not in known:
            if pressed():
                raise KeyboardInterrupt
            started = clock()
            estimate, error = _measured(truth, won.candidate, seed)
            known[won.candidate, seed] = journal.append(
                Evaluation(
                    arm=arm,
                    repetition=won.repetition,
                    number=len(journal.of(arm, won.repetition)) + 1,
                    candidate=won.candidate,
                    losses=estimate.losses,
                    seed=seed,
                    measured=estimate.measured,
                    seconds=round(clock() - started, 4),
                    details=estimate.details,
                    error=error,
                )
            )
        found.append(known[won.candidate, seed])
    return found


def _measured(truth: Estimator, candidate: str, seed: int) -> tuple[Estimate, str]:
    try:
        return truth.estimate(Trial(candidate), seed), ""
    except UsageError:
        raise
    except Exception as error:
        return Estimate((math.inf,)), in_one_line(error)


def mean_of(values: Sequence[float]) -> Mean:
    """The mean of values drawn independently, (n,), n >= 1; inf, without an interval, if one is."""
    mean = statistics.fmean(values) if all(map(math.isfinite, values)) else math.inf
    count = len(values)
    if count < 2 or not math.isfinite(mean):
        return Mean(mean, None, count)
    reach = stats.t.ppf(0.975, count - 1) * statistics.stdev(values) / math.sqrt(count)
    return Mean(mean, (mean - reach, mean + reach), count)
