"""Gradient descent on a distribution over architectures."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from ....core.errors import DataError
from ..front import Losses, positions
from ..protocols import Estimate, SearchSpace, Trial
from .option import require
from .unseen import ANYWHERE, NEAR, draw_unseen

Vectors = list[np.ndarray]
"""One array for each gene, with a number for each of its values."""

GRADIENT = "gene_gradient"
"""The key of ``Estimate.details`` under which d loss / d logit may stand, shaped as the genes."""


def probabilities(logits: Vectors) -> Vectors:
    """The softmax of each gene."""
    exponentials = [np.exp(each - each.max()) for each in logits]
    return [each / each.sum() for each in exponentials]


def score_gradient(shares: Vectors, genes: np.ndarray, utilities: np.ndarray) -> Vectors:
    """An unbiased estimate of the gradient of the expected utility by the logits.

    ``genes`` is (samples, genes), drawn from ``shares``; ``utilities`` is (samples,). It is the
    mean of utility * d log p / d logit, which is the drawn value's one-hot less the shares
    (Williams 1992, REINFORCE).
    """
    gradient = []
    for place, share in enumerate(shares):
        one_hot = np.eye(len(share))[genes[:, place]]  # (samples, values)
        gradient.append((utilities[:, None] * (one_hot - share)).mean(0))
    return gradient


def utilities(losses: Sequence[Losses]) -> np.ndarray:
    """From 1 for the best to -1 for the worst by rank, 0 in the mean: (samples,).

    Ranks and not losses, so that a scale or a failure moves nothing else (as Akimoto et al. 2019,
    arXiv 1905.08537, do); the mean of 0 is the baseline.
    """
    places = np.array(positions(losses))
    return 1 - 2 * places / max(len(places) - 1, 1)


class Differentiable:
    """Stochastic relaxation: independent categorical genes whose logits climb by Adam.

    (As Akimoto et al. 2019, arXiv 1905.08537, relax a space; their step is a natural gradient, this
    one is Adam's, Kingma and Ba 2015, arXiv 1412.6980.) Each question is a draw from the
    distribution, the first ones from a uniform one; after each ``batch`` answers the logits take
    one step of ``learning_rate`` along the score-function gradient. A candidate is asked about
    once: what is known is drawn anew, after 100 draws uniformly.

    Where the details of all answers of a batch hold ``gene_gradient``, as a weight-sharing network
    can tell it, the step goes against their mean instead. DataError if one has another shape.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        evaluations: int | None = None,
        *,
        batch: int = 10,
        learning_rate: float = 0.3,
    ) -> None:
        require(batch >= 2, "batch", batch, "take 2 answers or more")
        require(learning_rate > 0, "learning_rate", learning_rate, "take more than 0")
        self._space = space
        self._generator = random.Random(seed)
        self._batch = batch
        self._adam = _Adam([np.zeros(size) for size in space.genes], learning_rate)
        self._asked: dict[str, list[int]] = {}
        self._told: list[tuple[list[int], Estimate]] = []

    @property
    def shares(self) -> Vectors:
        """The probability of each value of each gene."""
        return probabilities(self._adam.values)

    def ask(self) -> Trial | None:
        """A new candidate that the distribution draws."""
        uniform = [np.full(size, 1 / size) for size in self._space.genes]
        for distribution, tries in ((self.shares, NEAR), (uniform, ANYWHERE)):
            drawn: dict[str, list[int]] = {}
            bounds = [each.cumsum() for each in distribution]

            def draw(bounds: Vectors = bounds, drawn: dict[str, list[int]] = drawn) -> str:
                genes = [_drawn(each, self._generator) for each in bounds]
                candidate = self._space.decode(genes)
                drawn[candidate] = genes
                return candidate

            candidate = draw_unseen(draw, self._asked, tries)
            if candidate is not None:
                self._asked[candidate] = drawn[candidate]
                return Trial(candidate)
        return None

    def tell(self, trial: Trial, estimate: Estimate) -> None:
        """Keep the answer, and take a step once a batch is full."""
        self._told.append((self._asked[trial.candidate], estimate))
        if len(self._told) < self._batch:
            return
        estimates = [estimate for _, estimate in self._told]
        if all(GRADIENT in each.details for each in estimates):
            told = [self._as_told(each.details[GRADIENT]) for each in estimates]
            ascent = [-np.mean(each, axis=0) for each in zip(*told, strict=True)]
        else:
            ascent = score_gradient(
                self.shares,
                np.array([genes for genes, _ in self._told]),
                utilities([each.losses for each in estimates]),
            )
        self._adam.step(ascent)
        self._told = []

    def _as_told(self, gradient: Sequence[Sequence[float]]) -> Vectors:
        if [len(each) for each in gradient] != list(self._space.genes):
            raise DataError(
                f"{GRADIENT} is not shaped as the genes of {self._space.name}",
                where="an estimate",
                cure="give a list for each gene with a number for each of its values",
            )
        return [np.asarray(each, dtype=float) for each in gradient]


class _Adam:
    """Ascent by Adam with its usual decays of the moments."""

    def __init__(self, values: Vectors, learning_rate: float) -> None:
        self.values = values
        self._learning_rate = learning_rate
        self._first = [np.zeros_like(each) for each in values]
        self._second = [np.zeros_like(each) for each in values]
        self._steps = 0

    def step(self, gradient: Vectors, first: float = 0.9, second: float = 0.999) -> None:
        self._steps += 1
        for place, slope in enumerate(gradient):
            self._first[place] = first * self._first[place] + (1 - first) * slope
            self._second[place] = second * self._second[place] + (1 - second) * slope**2
            mean = self._first[place] / (1 - first**self._steps)
            root = np.sqrt(self._second[place] / (1 - second**self._steps))
            self.values[place] = self.values[place] + self._learning_rate * mean / (root + 1e-8)


def _drawn(bounds: np.ndarray, generator: random.Random) -> int:
    """A value by its cumulated shares."""
    return min(int(np.searchsorted(bounds, generator.random(), side="right")), len(bounds) - 1)
