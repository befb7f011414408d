"""What a search wants little of: an estimator's loss, milliseconds, weights."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, Protocol

import torch

from ..cell_execution import CellLayer
from ..stopwatch import HostClock
from .loop import Remembering
from .protocols import Estimate, Estimator, Setting, Trial
from .require_cells import require_cells
from .space.grammar import Cell, parse
from .space.widths import parameters
from .stack_depth import stack_depth

_WORDS = 128
_CURE = "take the space cell or nasbench-nlp"
_WARM, _TIMED = 2, 9  # passes


class Objective(Protocol):
    """One number of a candidate, the lower the better: an ``Estimator`` with a name."""

    name: str

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        """The number, as ``losses`` of length 1."""
        ...


class Quality:
    """The loss of an estimator: what a candidate is worth as an encoder."""

    def __init__(self, name: str, estimator: Estimator) -> None:
        self.name = name
        self._estimator = estimator

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        """What the estimator says."""
        return self._estimator.estimate(trial, seed)

    def remember(self, trial: Trial, estimate: Estimate, seed: int = 0) -> None:
        """Pass an answer on to an estimator that has to know its own."""
        if isinstance(self._estimator, Remembering):
            self._estimator.remember(trial, estimate, seed)


class Latency:
    """Milliseconds of one forward pass of a cell: one layer, a text of 128 words, one thread.

    The median of 9 passes after 2 that are not counted, at the setting's width, by the host's
    clock: it tells of this machine alone. DataError for a cell that cannot have that width.
    """

    name = "latency"

    def __init__(self, setting: Setting) -> None:
        require_cells(setting.space, f"--objective {self.name}", _CURE)
        self._dim = setting.dim

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        """The median in milliseconds. Weights and text are random: they matter to no time."""
        with torch.random.fork_rng(), _one_thread(), torch.inference_mode():
            torch.manual_seed(seed)
            layer = CellLayer(parse(trial.candidate), self._dim).eval()
            words = torch.randn(1, _WORDS, self._dim)  # (batch, time, dim)
            for _ in range(_WARM):
                layer(words)
            clock = HostClock()
            marks = [clock.mark()]
            for _ in range(_TIMED):
                layer(words)
                marks.append(clock.mark())
        times = clock.read(marks)
        passes = [after - before for before, after in pairwise(times)]
        return Estimate((statistics.median(passes),))


class Parameters:
    """The weights of both stacks of a biLM at the setting's width and depth."""

    name = "parameters"

    def __init__(self, setting: Setting) -> None:
        require_cells(setting.space, f"--objective {self.name}", _CURE)
        self._setting = setting

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        """Their number."""
        cell = _cell(trial)
        layers = stack_depth(cell, self._setting)
        return Estimate((float(2 * layers * parameters(cell, self._setting.dim)),))


class Objectives:
    """Several objectives as one estimator of several losses, in their order."""

    def __init__(self, objectives: Sequence[Objective]) -> None:
        self._objectives = tuple(objectives)
        self.names = tuple(objective.name for objective in objectives)

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        """All losses; measured if each is. ``details`` are those of the objectives together."""
        found = [objective.estimate(trial, seed) for objective in self._objectives]
        details: dict[str, Any] = {}
        for estimate in found:
            # Several may tell the same things of their trainings: the first's stand.
            details = {**estimate.details, **details}
        return Estimate(
            tuple(loss for estimate in found for loss in estimate.losses),
            all(estimate.measured for estimate in found),
            details,
        )

    def remember(self, trial: Trial, estimate: Estimate, seed: int = 0) -> None:
        """Give each objective its own loss back."""
        for objective, loss in zip(self._objectives, estimate.losses, strict=True):
            if isinstance(objective, Remembering):
                objective.remember(
                    trial, Estimate((loss,), estimate.measured, estimate.details), seed
                )


def _cell(trial: Trial) -> Cell:
    return parse(trial.candidate)


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
