"""Tree-structured Parzen estimators over genes, by Optuna."""

from __future__ import annotations

import math
import random
from types import ModuleType
from typing import Any

from ....core.errors import UsageError
from ..front import Losses, failed
from ..protocols import Estimate, SearchSpace, Trial
from .option import require
from .unseen import ANYWHERE, draw_unseen

_REPEATS = 20
"""How many proposals in a row may be known candidates before one is drawn at random."""


class TPE:
    """Optuna's tree-structured Parzen estimator on the genes of a space.

    (Bergstra et al. 2011; Watanabe 2023, arXiv 2304.11127; with several objectives Ozaki et al.
    2022.) The first ``startup`` vectors are random. Many vectors may stand for one candidate: a
    proposal whose candidate is known is told its answer at once, and another is asked for; after 20
    in a row random vectors are drawn. A candidate that failed counts, in each objective, as a
    little worse than the worst that did not. Raises UsageError where Optuna is not installed.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        evaluations: int | None = None,
        *,
        startup: int = 10,
    ) -> None:
        require(startup >= 1, "startup", startup, "take 1 candidate or more")
        self._optuna = _optuna()
        self._space = space
        self._seed = seed
        self._startup = startup
        self._generator = random.Random(seed)
        self._genes = {
            f"g{place}": self._optuna.distributions.CategoricalDistribution(range(size))
            for place, size in enumerate(space.genes)
        }
        self._open: dict[str, Any] = {}  # Optuna's trials that wait for an answer, by candidate
        self._known: dict[str, Losses] = {}
        self._study = self._new_study(1)

    def ask(self) -> Trial | None:
        """What the sampler proposes and is not known."""
        for _ in range(_REPEATS):
            proposed = self._study.ask(self._genes)
            candidate = self._decode(proposed.params)
            if candidate in self._known:
                self._answer(proposed, self._known[candidate])
            elif candidate in self._open:
                self._study.tell(proposed, state=self._optuna.trial.TrialState.FAIL)
            else:
                self._open[candidate] = proposed
                return Trial(candidate)
        return self._at_random()

    def tell(self, trial: Trial, estimate: Estimate) -> None:
        """Pass the losses on."""
        if not self._known and len(estimate.losses) != len(self._study.directions):
            # How many objectives there are is only known now: the same questions to a new study,
            # whose random start is the same.
            self._study = self._new_study(len(estimate.losses))
            for candidate in self._open:
                self._open[candidate] = self._study.ask(self._genes)
        self._known[trial.candidate] = estimate.losses
        self._answer(self._open.pop(trial.candidate), estimate.losses)

    def _new_study(self, objectives: int) -> Any:
        sampler = self._optuna.samplers.TPESampler(seed=self._seed, n_startup_trials=self._startup)
        return self._optuna.create_study(directions=["minimize"] * objectives, sampler=sampler)

    def _decode(self, genes: dict[str, int]) -> str:
        return self._space.decode([genes[name] for name in self._genes])

    def _answer(self, proposed: Any, losses: Losses) -> None:
        if failed(losses):
            sound = [known for known in self._known.values() if not failed(known)]
            if not sound:
                self._study.tell(proposed, state=self._optuna.trial.TrialState.FAIL)
                return
            losses = [math.nextafter(max(each), math.inf) for each in zip(*sound, strict=True)]
        self._study.tell(proposed, list(losses))

    def _at_random(self) -> Trial | None:
        vectors: dict[str, dict[str, int]] = {}

        def draw() -> str:
            genes = {
                name: self._generator.randrange(size)
                for name, size in zip(self._genes, self._space.genes, strict=True)
            }
            candidate = self._decode(genes)
            vectors[candidate] = genes
            return candidate

        candidate = draw_unseen(draw, {*self._known, *self._open}, ANYWHERE)
        if candidate is None:
            return None
        self._study.enqueue_trial(vectors[candidate])
        self._open[candidate] = self._study.ask(self._genes)
        return Trial(candidate)


def _optuna() -> ModuleType:
    try:
        import optuna
    except ImportError as error:
        raise UsageError(
            "needs Optuna, which is not installed",
            where="strategy tpe",
            cure='pip install "layerwise[search]"',
        ) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    module: ModuleType = optuna
    return module
