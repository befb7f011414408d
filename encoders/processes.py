"""One process, or several that share a training: one per GPU, joined by ``accelerate``.

``torchrun`` starts them, and so does ``accelerate launch``, though for processors not without MPI.
Every process builds the same model from the same seed, reads its share of a step's windows, and
gradients are averaged before the step: weights stay the same everywhere, and the training is that
of one process with as many windows a step.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core.errors import UsageError
from .device import parsed, usable


class Processes:
    """A process by itself: nothing is exchanged."""

    rank, count = 0, 1

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes and speaks."""
        return self.rank == 0

    def average_gradients(self, weights: Iterable[nn.Parameter]) -> None:
        """Make every gradient the mean over the processes."""

    def add_up(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum over the processes."""
        return values

    def of_first(self, values: Sequence[float]) -> list[float]:
        """What the first process holds."""
        return list(values)

    def wait(self) -> None:
        """Go on when all processes are here."""


class SharedProcesses(Processes):
    """Processes that exchange tensors through an ``accelerate.Accelerator``."""

    def __init__(self, accelerator: Any) -> None:
        self._accelerator = accelerator
        self.rank: int = accelerator.process_index
        self.count: int = accelerator.num_processes
        self.device = str(accelerator.device)

    def average_gradients(self, weights: Iterable[nn.Parameter]) -> None:
        """See ``Processes``."""
        for weight in weights:
            weight.grad = self._accelerator.reduce(weight.grad, "mean")

    def add_up(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """See ``Processes``."""
        total: Tensor = self._accelerator.reduce(self._tensor(values), "sum")
        return np.array(total.cpu().numpy())

    def of_first(self, values: Sequence[float]) -> list[float]:
        """See ``Processes``."""
        return [float(value) for value in self.add_up(np.array(values) * self.is_first)]

    def wait(self) -> None:
        """See ``Processes``."""
        self._accelerator.wait_for_everyone()

    def _tensor(self, values: NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(np.array(values, dtype=np.float64)).to(self.device)


def join(device: str) -> tuple[Processes, str]:
    """The processes of this training, and the device of this one.

    Raises UsageError for a device that cannot be used, and when several were launched and
    ``accelerate`` is not installed.
    """
    alone = int(os.environ.get("WORLD_SIZE", "1")) == 1
    # Of several, each would take memory of the first one's GPU.
    kind = (usable(device) if alone else parsed(device)).type
    if alone:
        return Processes(), device
    try:
        accelerate = import_module("accelerate")
    except ImportError as error:
        raise UsageError(
            "several processes were launched, and accelerate is not installed",
            cure='pip install "layerwise[multi-gpu]"',
        ) from error
    processes = SharedProcesses(accelerate.Accelerator(cpu=kind == "cpu"))
    return processes, processes.device


def is_first() -> bool:
    """Whether this is the only process or the first of several, without joining them."""
    return os.environ.get("RANK", "0") == "0"
