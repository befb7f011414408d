"""What a search is made of: a space of candidates, a strategy that asks, an estimator that answers.

(Elsken et al. 2019, arXiv 1808.05377.) Any space, strategy and estimator go together: a candidate
is a text that its space can read, what is wanted is a loss, and the loop (``loop.search``) carries
one to the other. Each of the three is an entry point of the groups ``layerwise.spaces``,
``layerwise.strategies`` and ``layerwise.estimators``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ..bilm import BiLM


class SearchSpace(Protocol):
    """The candidates of a search. Each has one text; equal texts are the same candidate.

    An entry point is called as ``make(argument="")``, with what stands behind the colon.
    """

    name: str
    genes: Sequence[int]
    """How many values each gene of ``decode`` has: what optimisers of vectors search in."""

    def sample(self, generator: random.Random) -> str:
        """A candidate at random."""
        ...

    def mutate(self, candidate: str, generator: random.Random) -> str:
        """Another candidate, one small change away."""
        ...

    def cross(self, first: str, second: str, generator: random.Random) -> str:
        """A child of two candidates; it may equal one of them."""
        ...

    def decode(self, genes: Sequence[int]) -> str:
        """The candidate that a vector of genes stands for: every vector stands for one."""
        ...

    def read(self, text: str) -> str:
        """The text of the candidate that is written, however it is numbered. DataError for none."""
        ...

    def describe(self, anonymous: bool = False) -> str:
        """The operations and the way to write a candidate, told to a reader who knows neither.

        ``anonymous`` leaves out what the operations are: their signs alone.
        """
        ...


@dataclass(frozen=True)
class Trial:
    """A candidate that is asked about. ``fidelity`` is the share of the full effort, in (0, 1]."""

    candidate: str
    fidelity: float = 1.0


@dataclass(frozen=True)
class Estimate:
    """What is known of a candidate.

    ``losses`` holds one number for each objective: the lower the better, inf for what cannot be
    had (a training that diverged). The first comes from the estimator, the loop adds what can be
    counted or timed directly (``latency``, ``parameters``). ``measured`` is False for a prediction
    or a stand-in, such as a training-free score. ``details`` is kept in the journal: curves, the
    losses of clients.
    """

    losses: tuple[float, ...]
    measured: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)


class Strategy(Protocol):
    """Chooses what to ask next from what it has been told.

    An entry point is called as ``make(space, seed=0, evaluations=None, **options)``, where
    ``evaluations`` is how many may be asked (None: unknown, the budget is in time). The same seed
    and the same answers give the same questions: a killed search is resumed by telling anew.
    """

    def ask(self) -> Trial | None:
        """The next question; None when there is nothing left to ask."""
        ...

    def tell(self, trial: Trial, estimate: Estimate) -> None:
        """The answer to a question, in the order of the questions."""
        ...


class Estimator(Protocol):
    """Tells one loss of a candidate, as exactly as its effort allows.

    An entry point is called as ``make(setting, **options)``. It raises UsageError for a space or a
    setting that it cannot serve, and DataError for a candidate that it cannot.
    """

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        """What is known with that effort, ``losses`` of length 1. The same seed, the same loss."""
        ...


@runtime_checkable
class Table(Protocol):
    """What a space is too that has published results of every candidate."""

    def runs(self, candidate: str) -> Sequence[float]:
        """The final losses of the candidate's trainings, inf for those that diverged."""
        ...

    def curve(self, candidate: str) -> Sequence[float]:
        """Its losses on validation data after each epoch; empty where none were published."""
        ...


Judge = Callable[[BiLM], float]
"""The loss of a trained biLM, such as 1 - a probe's accuracy on dev (never on test)."""


@dataclass(frozen=True)
class Setting:
    """What an estimator has to work with; each estimator says what it needs.

    ``words`` of the running text ``text`` are read in a full training of a biLM with ``layers``
    layers of ``dim`` channels a direction, in batches of ``batch`` windows of ``window`` words.
    With ``weights``, the layers are as many as bring both directions nearest to so many
    (``stack_depth``). The loss of a trained biLM is its cross-entropy on ``held_out`` in nats a
    word, or what ``judge`` says.
    """

    space: SearchSpace
    text: tuple[Path, ...] = ()
    held_out: tuple[Path, ...] = ()
    words: int = 200_000
    dim: int = 64
    layers: int = 2
    weights: int | None = None
    window: int = 32
    batch: int = 32
    vocabulary: int = 4000
    learning_rate: float = 2e-3
    judge: Judge | None = None
