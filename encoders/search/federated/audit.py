"""Auditing a claim of privacy by telling who was in the data.

Canaries are records that are put into the training data or left out by a coin each. Whoever sees
only the result guesses for some of them which it was. A private training bounds how many of these
guesses can be right; more right guesses than an epsilon allows refute it (Steinke, Nasr and
Jagielski 2023, arXiv 2305.08846, section 5: one run audits all canaries).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from ....core.errors import DataError

_LARGEST = 50.0  # an epsilon beyond all that canaries by the thousand can show


@dataclass(frozen=True)
class Audit:
    """``correct`` of ``guesses`` guesses were right among ``canaries`` canaries.

    With the stated confidence, no training of an epsilon below ``epsilon`` at this delta could do
    this. 0 is what an audit says that found nothing.
    """

    canaries: int
    guesses: int
    correct: int
    epsilon: float


def flip_coins(canaries: int, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Which canaries go into the data, of shape (canaries,)."""
    members: NDArray[np.bool_] = generator.random(canaries) < 0.5
    return members


def audit(
    scores: Sequence[float] | NDArray[np.float64],
    members: NDArray[np.bool_],
    guesses: int,
    delta: float,
    confidence: float = 0.95,
) -> Audit:
    """Guess that the highest scores are of members and the lowest of the others.

    ``scores``, of shape (canaries,), may be anything that grows with membership, such as by how
    much a canary's loss fell. Half of ``guesses`` goes to each end; their number is to be chosen
    before looking. Raises DataError for too few canaries and scores that are no numbers.
    """
    values = np.asarray(scores, dtype=float)
    if values.shape != members.shape or not 2 <= guesses <= len(values):
        raise DataError(
            f"{guesses} guesses, {len(values)} scores, {len(members)} coins",
            where="audit",
            cure="take a score for each coin, and 2 to that many guesses",
        )
    if not np.isfinite(values).all():
        raise DataError("a score is no number", where="audit", cure="train without divergence")
    order = np.argsort(values, kind="stable")
    low, high = order[: guesses // 2], order[len(order) - (guesses - guesses // 2) :]
    correct = int(members[high].sum() + (~members[low]).sum())
    bound = lower_bound(len(values), guesses, correct, delta, confidence)
    return Audit(len(values), guesses, correct, bound)


def lower_bound(
    canaries: int, guesses: int, correct: int, delta: float, confidence: float = 0.95
) -> float:
    """The largest epsilon that the guesses refute at this confidence, 0 for none."""

    def refuted(epsilon: float) -> bool:
        return p_value(canaries, guesses, correct, epsilon, delta) <= 1 - confidence

    if not refuted(0.0):
        return 0.0
    low, high = 0.0, _LARGEST
    for _ in range(60):  # a bisection to the last bit
        middle = (low + high) / 2
        low, high = (middle, high) if refuted(middle) else (low, middle)
    return low


def p_value(canaries: int, guesses: int, correct: int, epsilon: float, delta: float) -> float:
    """The most likely that ``correct`` or more right guesses can be under (epsilon, delta).

    Without delta, right guesses are at most as many as those of ``guesses`` coins that fall right
    with the chance e^epsilon / (1 + e^epsilon). Delta lets a record in ``canaries`` be given away;
    what that adds is theorem 5.2's maximum over the number of guesses that it shifts.
    """
    right = 1 / (1 + np.exp(-epsilon))
    tail = float(binom.sf(correct - 1, guesses, right))
    if not correct or not delta:
        return min(1.0, tail)
    shifts = np.arange(1, correct + 1)
    below = np.cumsum(binom.pmf(correct - shifts, guesses, right))  # within ``shifts`` below
    return min(1.0, tail + 2 * canaries * delta * float((below / shifts).max()))
