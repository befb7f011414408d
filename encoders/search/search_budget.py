"""What a search may cost: evaluations (``200evals``) or seconds (``30m``, ``1h30m``)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...core.errors import UsageError
from ..budget import Budget
from .journal import Evaluation

_EVALUATIONS = re.compile(r"\s*(\d+)\s*evals?\s*")


@dataclass(frozen=True)
class SearchBudget:
    """A number of evaluations, or of seconds that are spent in asking and answering.

    The evaluation that is under way when the seconds are over is finished and counts.
    """

    evaluations: int | None = None
    seconds: float | None = None

    @classmethod
    def parse(cls, text: str) -> SearchBudget:
        """``200evals``, ``30m``, ``1h30m`` or ``90s``. Raises UsageError for anything else."""
        if found := _EVALUATIONS.fullmatch(text):
            if not int(found[1]):
                raise UsageError(f"{text!r} is nothing", where="--budget", cure="such as 200evals")
            return cls(evaluations=int(found[1]))
        cure = "such as 200evals, 30m or 1h30m"
        try:
            budget = Budget.parse(text)
        except UsageError as error:
            raise UsageError(error.what, where="--budget", cure=cure) from error
        if budget.unit != "seconds":
            raise UsageError(
                f"a search is not counted in {budget.unit}", where="--budget", cure=cure
            )
        return cls(seconds=float(budget.amount))

    def __str__(self) -> str:
        if self.evaluations is not None:
            return f"{self.evaluations}evals"
        return str(Budget(round(self.seconds or 0), "seconds"))

    @property
    def total(self) -> float:
        """All of it, in its unit."""
        return self.evaluations if self.evaluations is not None else (self.seconds or 0.0)

    def spent(self, done: Sequence[Evaluation]) -> float:
        """What of ``total`` is spent on these evaluations."""
        if self.evaluations is not None:
            return sum(not evaluation.skipped for evaluation in done)
        return sum(evaluation.seconds for evaluation in done)
