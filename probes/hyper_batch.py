"""Hyper-batch ensembles of linear probes: all members and their hyperparameters in one model.

The members share two matrices and differ by factors of rank one; how much of the second matrix is
added depends on the member's hyperparameters, so that one fit covers a range of them and the range
itself can be tuned on held-out targets. Source: Wenzel et al. 2020, Hyperparameter ensembles for
robustness and uncertainty quantification, sections 4 and 5, on a single linear layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .base import Labels
from .design import Design

_SPREAD = 0.25  # of the factors of rank one around 1, at the start
_BATCH = 256
_PASSES = 40  # over the training rows, as far as the next line allows
_STEPS = (600, 3000)
_RATE, _RATE_OF_BOUNDS = 3e-3, 2e-2
_EVERY = 3  # steps of the weights for one of the bounds
_ENTROPY = 1e-3  # what a nat of width of the bounds is worth, in nats of held-out log-loss
_RANGE = 10.0  # of L2, to either side of where the search starts
_SMOOTHING = (1e-3, 0.1)


class HyperBatch:
    """``members`` linear classifiers whose weights are those of one model at K hyperparameters.

    Of member k with the hyperparameters h (logarithms of L2 and of label smoothing) the weights
    are ``s_k r_k^T * (W + diag(e(h)) D)`` and the intercepts ``b_k + e'(h) * b'_k``; e and e' are
    linear. Minimised by Adam is the mean over members of smoothed cross-entropy and of
    ``l2 / 2 * ||weights||^2 / rows``, h drawn anew for each member and step, log-uniform within its
    bounds. Every few steps the bounds move to lower the held-out log-loss of the ensemble less
    their entropy times a thousandth. Members predict at the middle of their bounds.
    """

    def __init__(self, *, members: int = 4, l2: float = 100.0, seed: int = 0) -> None:
        """``l2`` is the middle of where the bounds of L2 start."""
        self.members = members
        self.l2 = l2
        self.seed = seed

    def fit(
        self, train: Design, labels: Labels, dev: Design, dev_labels: Labels, *, classes: int
    ) -> Self:
        """Fit on the training rows; held-out rows, all with labels of train, move the bounds."""
        generator = torch.Generator().manual_seed(self.seed)
        self.present_ = np.isin(np.arange(classes), labels)
        self._begin(train.dim, classes, generator)
        y, y_dev = torch.from_numpy(labels), torch.from_numpy(dev_labels)
        steps = int(np.clip(_PASSES * train.rows // _BATCH, *_STEPS))
        weights = torch.optim.Adam(list(self.parameters_.values()), lr=_RATE)
        bounds = torch.optim.Adam([self.centre_, self.width_], lr=_RATE_OF_BOUNDS)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(weights, steps)
        for step in range(steps):
            rows = torch.randint(train.rows, (_BATCH,), generator=generator)
            with torch.no_grad():
                drawn = self._draw(generator)
            loss = self._loss(train.features(rows.to(train.device)), y[rows], drawn, train.rows)
            weights.zero_grad()
            torch.autograd.backward(loss)
            weights.step()
            schedule.step()
            if step % _EVERY == _EVERY - 1 and dev.rows:
                rows = torch.randint(dev.rows, (_BATCH,), generator=generator)
                bounds.zero_grad()
                cost = self._held_out_loss(
                    dev.features(rows.to(dev.device)), y_dev[rows], generator
                )
                torch.autograd.backward(cost)
                bounds.step()
                with torch.no_grad():
                    self.width_.clamp_(min=-3.0, max=3.0)
        return self

    def predict_proba(self, features: Design) -> NDArray[np.float64]:
        """The mean over members, (rows, classes); 0 for a class without a training row."""
        parts = []
        with torch.no_grad():
            for rows in features.parts():
                log_p = self._log_probabilities(features.features(rows), self.centre_)
                parts.append(log_p.double().exp().mean(dim=0).cpu().numpy())
        found = np.concatenate(parts)
        return np.asarray(found / found.sum(axis=1, keepdims=True))

    def report(self) -> dict[str, Any]:
        """Each member's tuned hyperparameters, and the size beside that of one probe."""
        size = sum(each.numel() for each in self.parameters_.values())
        classes, dim = self.parameters_["weights"].shape
        centre, width = self.centre_.detach(), self.width_.detach().exp()
        low, high = (centre - width / 2).exp(), (centre + width / 2).exp()
        return {
            "members": [
                {"l2": h[0], "smoothing": h[1], "l2_from": a[0], "l2_to": b[0]}
                for h, a, b in zip(centre.exp().tolist(), low.tolist(), high.tolist(), strict=True)
            ],
            "parameters_of_one_probe": round(size / (classes * (dim + 1)), 3),
        }

    def _begin(self, dim: int, classes: int, generator: torch.Generator) -> None:
        def normal(*shape: int, mean: float = 0.0, spread: float = 1.0) -> Tensor:
            return (mean + spread * torch.randn(*shape, generator=generator)).requires_grad_()

        count = self.members
        self.parameters_: Mapping[str, Tensor] = {
            "weights": normal(classes, dim, spread=0.1 * dim**-0.5),
            "second": normal(classes, dim, spread=0.1 * dim**-0.5),
            "by_feature": normal(count, dim, mean=1.0, spread=_SPREAD),
            "by_class": normal(count, classes, mean=1.0, spread=_SPREAD),
            "intercept": normal(count, classes, spread=0.0),
            "second_intercept": normal(count, classes, spread=0.0),
            "embedding": normal(2, classes, spread=1e-4),
            "embedding_of_intercept": normal(2, classes, spread=1e-4),
        }
        smoothing = np.log(_SMOOTHING)
        middle = torch.tensor([np.log(self.l2), smoothing.mean()], dtype=torch.float32)
        self.origin_ = middle
        self.reach_ = torch.tensor(
            [np.log(_RANGE), (smoothing[1] - smoothing[0]) / 2], dtype=torch.float32
        )
        # The members start side by side in the range.
        place = torch.linspace(-0.75, 0.75, count)[:, None] if count > 1 else torch.zeros(1, 1)
        turn = torch.stack([place[:, 0], place[torch.randperm(count, generator=generator), 0]], 1)
        self.centre_ = (middle + turn * self.reach_).requires_grad_()  # (members, 2)
        self.width_ = (self.reach_ / count).log().repeat(count, 1).requires_grad_()

    def _draw(self, generator: torch.Generator) -> Tensor:
        """Hyperparameters within each member's bounds, (members, 2), as logarithms."""
        share = torch.rand(self.members, 2, generator=generator) - 0.5
        return self.centre_ + share * self.width_.exp()

    def _matrices(self, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """The members' weights (members, classes, dim) and intercepts (members, classes)."""
        of = self.parameters_
        place = (drawn - self.origin_) / self.reach_  # (members, 2)
        share = (place @ of["embedding"])[:, :, None]  # (members, classes, 1)
        weights = of["weights"] + share * of["second"]
        weights = of["by_class"][:, :, None] * weights * of["by_feature"][:, None, :]
        more = place @ of["embedding_of_intercept"]
        return weights, of["intercept"] + more * of["second_intercept"]

    def _log_probabilities(self, rows: Tensor, drawn: Tensor) -> Tensor:
        """Of (rows, dim) features: (members, rows, classes)."""
        return _log_softmax(rows, *self._matrices(drawn), self.present_)

    def _loss(self, rows: Tensor, labels: Tensor, drawn: Tensor, size: int) -> Tensor:
        """The mean of the members' objectives at the drawn hyperparameters."""
        weights, intercepts = self._matrices(drawn)
        log_p = _log_softmax(rows, weights, intercepts, self.present_)
        own = labels.expand(self.members, -1)[..., None]
        l2, smoothing = drawn.exp().unbind(dim=1)  # (members,)
        known = torch.from_numpy(self.present_)
        gold = log_p.gather(2, own)[..., 0].mean(dim=1)  # (members,)
        every = log_p[:, :, known].mean(dim=(1, 2))
        loss = -(1 - smoothing) * gold - smoothing * every
        penalty = l2 / (2 * size) * weights.square().sum(dim=(1, 2))
        value: Tensor = (loss + penalty).mean()
        return value

    def _held_out_loss(self, rows: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
        """The ensemble's log-loss less the price of narrow bounds."""
        log_p = self._log_probabilities(rows, self._draw(generator))
        gold = log_p.gather(2, labels.expand(self.members, -1)[..., None])[..., 0]
        loss = -(torch.logsumexp(gold, dim=0) - np.log(self.members)).mean()
        entropy: Tensor = self.width_.sum(dim=1).mean()
        value: Tensor = loss - _ENTROPY * entropy
        return value


def _log_softmax(
    rows: Tensor, weights: Tensor, intercepts: Tensor, present: NDArray[np.bool_]
) -> Tensor:
    """(members, rows, classes), minus infinity for classes that are not present."""
    rows = rows.to(weights)
    logits = torch.einsum("nd,kcd->knc", rows, weights) + intercepts[:, None, :]
    absent = torch.from_numpy(~present)
    return torch.log_softmax(logits.masked_fill(absent, -torch.inf), dim=2)
