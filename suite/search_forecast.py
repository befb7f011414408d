"""What a search will do and may cost, from a few evaluations of random candidates."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from ..encoders.search.confirmation import confirm, winner
from ..encoders.search.journal import Journal
from ..encoders.search.loop import search
from ..encoders.search.protocols import Estimate, Strategy, Trial
from ..encoders.search.search_budget import SearchBudget
from ..results.duration import duration
from .search import SearchConfig
from .search_plan import Plan, plan

_EVALUATIONS, _SECONDS = 3, 60.0


def forecast(config: SearchConfig, clock: Callable[[], float] = time.perf_counter) -> str:
    """The search in words, and its time; nothing is written.

    At most three evaluations are made, none after a minute, and one confirmation. An estimator
    that prepares itself (a shared network) does so within the first, which is told apart.
    """
    planned = plan(config)
    repetitions, arms = len(config.repetitions), 1 + planned.control
    lines = [
        f"{config.strategy} over {config.space}, asked by {config.estimator} for "
        f"{', '.join(planned.objectives)}; {config.budget} for each of {repetitions} "
        f"seed{'s' * (repetitions > 1)}" + (", random search at an equal budget" * planned.control),
        _told_text(planned),
    ]
    journal = Journal(None, {})
    budget = SearchBudget(evaluations=_EVALUATIONS)
    few = _Few(planned.random(config.seed, budget), clock)
    done = search(few, planned.estimator(), budget, journal, clock=clock)
    tried = [each.seconds for each in done]
    usual = statistics.median(tried)
    lines.append(
        f"an evaluation takes {duration(usual)} (median of {len(tried)} random candidates; the "
        f"first took {duration(tried[0])})"
    )
    each = config.budget.total
    if config.budget.evaluations is not None:
        each = tried[0] + usual * (config.budget.evaluations - 1)
    total = each * arms * repetitions
    told = f"{duration(total)} to search"
    if planned.truth is not None:
        begun = clock()
        confirm(winner(done), planned.truth, planned.new_seeds[:1], journal, clock=clock)
        anew = (clock() - begun) * len(planned.new_seeds) * arms * repetitions
        told += (
            f", {duration(anew)} to measure the winners anew by {planned.truth_name}, "
            f"{len(planned.new_seeds)} times each"
        )
        total += anew
    lines += [
        f"in all about {duration(total)}: {told}",
        f"the journal would go to {config.folder()}; nothing was kept",
    ]
    return "\n".join(lines) + "\n"


class _Few:
    """A strategy that asks no more after a minute."""

    def __init__(self, strategy: Strategy, clock: Callable[[], float]) -> None:
        self._strategy = strategy
        self._clock = clock
        self._started = clock()

    def ask(self) -> Trial | None:
        late = self._clock() - self._started > _SECONDS
        return None if late else self._strategy.ask()

    def tell(self, trial: Trial, estimate: Estimate) -> None:
        self._strategy.tell(trial, estimate)


def _told_text(planned: Plan) -> str:
    setting = planned.setting
    if not setting.text:
        return "no text is read: losses are those that were published"
    names = ", ".join(path.name for path in setting.text)
    layers = f"{setting.layers} layers"
    if setting.weights is not None:
        layers = f"as many layers as have about {setting.weights:,} weights,"
    return (
        f"a full training reads {setting.words:,} words of {names} with {layers} of {setting.dim} "
        "channels a direction"
    )
