"""The loop of a search: a strategy asks, an estimator answers, a journal keeps both."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from ...core.errors import DataError, LayerwiseError, UsageError, in_one_line
from .journal import Evaluation, Journal
from .protocols import Estimate, Estimator, Strategy, Trial
from .search_budget import SearchBudget

SEARCH, RANDOM = "search", "random"
"""The arms: the strategy that was asked for, and the control at an equal budget."""

_ALIKE = 3  # failures in a row with one message that end a search
_SKIPPED = 1000  # candidates in a row that are skipped


@runtime_checkable
class Remembering(Protocol):
    """An estimator whose answers depend on those before: a resumed search tells it them anew."""

    def remember(self, trial: Trial, estimate: Estimate, seed: int = 0) -> None:
        """An answer of its own, in the order in which it gave them."""
        ...


def search(
    strategy: Strategy,
    estimator: Estimator,
    budget: SearchBudget,
    journal: Journal,
    *,
    arm: str = SEARCH,
    repetition: int = 0,
    clock: Callable[[], float] = time.perf_counter,
    pressed: Callable[[], bool] = lambda: False,
    advance: Callable[[float, str], None] = lambda steps, note: None,
) -> list[Evaluation]:
    """All evaluations of an arm: those of the journal, and new ones until the budget is spent.

    ``repetition`` is the estimator's seed too. An evaluation that fails is kept with its message
    and losses of inf, and the search goes on; after the third in a row with one message it raises
    LayerwiseError, as it does after a thousand in a row that were skipped. ``pressed`` is asked
    between evaluations, and stops the search with KeyboardInterrupt. Raises DataError where the
    journal's questions are not those of the strategy.
    """
    done = _told_again(strategy, estimator, budget, journal.of(arm, repetition))
    failed: list[str] = []
    skipped = 0
    advance(budget.spent(done), "")
    while budget.spent(done) < budget.total:
        if pressed():
            raise KeyboardInterrupt
        started = clock()
        trial = strategy.ask()
        if trial is None:
            break
        estimate, error = _answer(estimator, trial, repetition)
        evaluation = journal.append(
            Evaluation(
                arm=arm,
                repetition=repetition,
                number=len(done) + 1,
                candidate=trial.candidate,
                losses=estimate.losses,
                fidelity=trial.fidelity,
                seed=repetition,
                measured=estimate.measured,
                seconds=round(clock() - started, 4),
                details=estimate.details,
                error=error,
            )
        )
        strategy.tell(trial, evaluation.estimate)
        done.append(evaluation)
        advance(budget.spent([evaluation]), f"best {best_loss(done):.4g}")
        failed = [*failed, error] if error else []
        skipped = skipped + 1 if evaluation.skipped else 0
        if skipped >= _SKIPPED:
            raise LayerwiseError(
                f"{_SKIPPED:,} candidates in a row were skipped",
                where=f"the arm {arm}",
                cure="a larger --latency-budget lets some be asked about",
            )
        if len(failed) >= _ALIKE and len(set(failed[-_ALIKE:])) == 1:
            raise LayerwiseError(
                f"{_ALIKE} evaluations in a row failed alike: {error}",
                where=f"the arm {arm}",
                cure="mend that, and the same command goes on",
            )
    return done


def best_loss(evaluations: list[Evaluation]) -> float:
    """The lowest first loss; inf where there is none."""
    return min((each.losses[0] for each in evaluations), default=math.inf)


def _told_again(
    strategy: Strategy, estimator: Estimator, budget: SearchBudget, recorded: list[Evaluation]
) -> list[Evaluation]:
    """Let the strategy ask anew what is recorded, and tell it the answers."""
    done: list[Evaluation] = []
    for evaluation in recorded:
        if budget.spent(done) >= budget.total:
            break
        trial = strategy.ask()
        if trial != evaluation.trial:
            raise DataError(
                f"evaluation {evaluation.number} was of {evaluation.candidate} at fidelity "
                f"{evaluation.fidelity:g}, and now "
                + (f"{trial.candidate} at {trial.fidelity:g}" if trial else "nothing")
                + " is asked",
                where=f"the journal's arm {evaluation.arm}",
                cure="the strategy is not the one that it was: --again begins anew",
            )
        if isinstance(estimator, Remembering) and not evaluation.error:
            estimator.remember(trial, evaluation.estimate, evaluation.seed)
        strategy.tell(trial, evaluation.estimate)
        done.append(evaluation)
    return done


def _answer(estimator: Estimator, trial: Trial, seed: int) -> tuple[Estimate, str]:
    """What the estimator says, and "" or what went wrong."""
    try:
        estimate = estimator.estimate(trial, seed)
    except UsageError:
        raise  # no fault of the candidate's
    except Exception as error:
        return Estimate((math.inf,) * objectives_of(estimator)), in_one_line(error)
    losses = tuple(loss if math.isfinite(loss) else math.inf for loss in estimate.losses)
    return Estimate(losses, estimate.measured, estimate.details), ""


def objectives_of(estimator: Estimator) -> int:
    """How many losses an estimator tells: those of several objectives say it themselves."""
    names = getattr(estimator, "names", ("",))
    return len(names)
