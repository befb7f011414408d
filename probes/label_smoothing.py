"""The objective under label smoothing and from any starting point, at no price a pass.

A smoothed target gives the gold class ``1 - e + e / k`` and each other of the k classes that a
problem has ``e / k``. With logits z its cross-entropy is ``-ln p(gold) + e * (z_gold - mean z)``:
what smoothing adds is linear in the parameters, so that its gradient, the *tilt*, is summed once
over the rows, and neither the curvature nor a pass over the features is another.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .design import Design
from .objective import Objective


class SmoothedObjective(Objective):
    """Logistic regressions whose labels are smoothed, each problem by its own share.

    As ``Objective`` otherwise: the value of problem p is the weighted mean of the cross-entropy of
    the smoothed targets, in nats. Source: Szegedy et al. 2016, Rethinking the Inception
    architecture, section 7.
    """

    def __init__(
        self,
        design: Design,
        labels: Tensor,
        classes: int,
        weights: Tensor | None = None,
        *,
        smoothing: Tensor,
        seeds: Tensor | None = None,
        scatter: float = 0.1,
    ) -> None:
        """``smoothing`` (problems,) is at least 0 and below 1.

        ``seeds`` (problems,) draw the weights to start from, of the standard deviation
        ``scatter``; without them, or for the seed 0, they start from 0.
        """
        super().__init__(design, labels, classes, weights)
        if not bool(((smoothing >= 0) & (smoothing < 1)).all()):
            raise ValueError("labels are smoothed by a share of at least 0 and below 1")
        self.smoothing = smoothing.to(design.device, torch.float64)  # (problems,)
        self.seeds, self.scatter = seeds, scatter
        self.tilt = self._tilt(labels.to(design.device, torch.int64))

    def start(self) -> Tensor:
        """The intercepts that give the smoothed class shares, and no weights, or random ones."""
        start = super().start()
        present = (self.class_weight > 0).double()  # (problems, classes)
        count = present.sum(dim=1, keepdim=True)
        shares = self.class_weight / self.total[:, None]
        own = self.smoothing[:, None]
        logits = torch.where(present > 0, (1 - own) * shares + own / count, 1.0).log()
        if self.classes == 2:
            placed = logits.gather(1, self.order)
            both = count[:, 0] == 2
            start[:, 0, -1] = torch.where(both, placed[:, 0] - placed[:, 1], 0.0)
        else:
            start[:, :, -1] = (logits - logits.mean(dim=1, keepdim=True)).to(start.dtype)
        if self.seeds is not None:
            for own_start, seed in zip(start, self.seeds.tolist(), strict=True):
                if seed:
                    generator = torch.Generator().manual_seed(seed)
                    drawn = torch.randn(own_start[:, :-1].shape, generator=generator)
                    own_start[:, :-1] = (self.scatter * drawn).to(start)
        return start

    def evaluate(self, vectors: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
        """As the plain objective's, and the linear term of smoothing."""
        value, gradient = super().evaluate(vectors, which)
        tilt = self.tilt[which] / self.total[which][:, None, None]  # (n, vectors, dim + 1)
        value += (vectors.double() * tilt).flatten(1).sum(dim=1)
        return value, gradient + tilt.to(gradient.dtype)

    def _tilt(self, labels: Tensor) -> Tensor:
        """Of ``e * sum_i w_i * (z_gold - mean z)`` the gradient, (problems, vectors, dim + 1)."""
        present = (self.class_weight > 0).double()
        count = present.sum(dim=1)
        # One class alone has no other to share with.
        own = torch.where(count > 1, self.smoothing, 0.0)
        uniform = present / count[:, None]  # (problems, classes)
        sums = torch.zeros(
            self.problems, self.classes, self.design.dim + 1,
            dtype=torch.float64, device=self.design.device,
        )  # fmt: skip
        if bool((own > 0).any()):
            for rows in self.design.parts():
                features = self.design.features(rows)
                features = torch.nn.functional.pad(features, (0, 1), value=1.0)
                residual = -uniform[:, :, None].expand(-1, -1, len(features)).clone()
                some = labels[:, None, rows]
                residual.scatter_add_(1, some, torch.ones_like(some, dtype=residual.dtype))
                residual *= own[:, None, None]
                if self.weights is not None:
                    residual *= self.weights[:, None, rows]
                flat = residual.flatten(0, 1).to(features.dtype)
                sums += (flat @ features).view_as(sums)
        if self.classes > 2:
            return sums
        # The one vector is the first class in order; the logit of the other is 0, their mean half.
        place = self.order[:, :1, None].expand(-1, -1, sums.shape[2])
        return sums.gather(1, place)
