"""The fit of a network to tensors of cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from .cell_tensor import Floats
from .ranking_loss import ranking_loss

Array = NDArray[Any]
Loss = Literal["pairwise", "squared"]


class NetworkRegressor:
    """Scores, the lower the better, of tensors (cells, channels, size, size) by a network.

    ``make`` is called with the size. Adam with a rate that falls to 0, in batches of up to
    ``batch`` cells; ``squared`` is the error of the standardised targets.
    """

    def __init__(
        self,
        make: Callable[[int], nn.Module],
        loss: Loss = "pairwise",
        epochs: int = 100,
        rate: float = 3e-3,
        decay: float = 1e-2,
        batch: int = 128,
        seed: int = 0,
    ) -> None:
        self.make, self.loss, self.epochs, self.rate = make, loss, epochs, rate
        self.decay, self.batch, self.seed = decay, batch, seed

    def fit(self, tensors: Floats, targets: Array) -> NetworkRegressor:
        """Fit to (cells, channels, size, size) and finite targets (cells,)."""
        # Each channel by its largest value: zeros, which say "no edge", stay zeros.
        top = np.abs(tensors).max(axis=(0, 2, 3), keepdims=True)[0]
        self._scale = torch.from_numpy(np.where(top > 0, top, 1)).float()
        inputs = torch.from_numpy(tensors) / self._scale
        aims = torch.from_numpy((targets - targets.mean()) / (targets.std() or 1)).float()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self._network = self.make(tensors.shape[-1])
            self._train(inputs, aims)
        self._network.eval()
        return self

    def _train(self, inputs: Tensor, aims: Tensor) -> None:
        count = len(aims)
        batches = max(1, round(count / self.batch))
        optimiser = torch.optim.AdamW(
            self._network.parameters(), lr=self.rate, weight_decay=self.decay
        )
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.epochs * batches)
        for _ in range(self.epochs):
            for rows in torch.randperm(count).tensor_split(batches):
                scores = self._network(inputs[rows])
                if self.loss == "pairwise":
                    loss = ranking_loss(scores, aims[rows])
                else:
                    loss = F.mse_loss(scores, aims[rows])
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                falling.step()

    def predict(self, tensors: Floats) -> Array:
        """The scores (cells,) of tensors of the size that was fitted."""
        with torch.no_grad():
            parts = torch.split(torch.from_numpy(tensors) / self._scale, 512)
            scores = torch.cat([self._network(part) for part in parts])
        return scores.double().numpy()
