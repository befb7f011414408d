"""The objective of many classifiers at once: one pass over the features serves them all.

Of C classes the most frequent is the reference: only the C - 1 differences to its weights are
multiplied with the features. The values are those of the plain softmax; a binary problem costs
one column in place of two.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from .design import Design


class Objective:
    """``problems`` logistic regressions of ``classes`` classes on one design.

    Of problem p it is ``sum_i w_pi * -ln p(y_pi | x_i) / sum_i w_pi``, in nats; the penalty is the
    solver's. Parameters have the shape (problems, vectors, dim + 1), the intercept last. With 2
    classes there is one vector, whose sigmoid is the probability of the rarer class: as in
    scikit-learn, the penalty is on this vector. With more there is one vector a class.

    A class without weight in a problem is not part of it: its probability is 0.
    """

    def __init__(
        self, design: Design, labels: Tensor, classes: int, weights: Tensor | None = None
    ) -> None:
        """``labels`` (problems, rows) are below ``classes``; ``weights``, of that shape, >= 0."""
        self.design, self.classes = design, classes
        self.problems = len(labels)
        self.columns = classes - 1
        self.vectors = 1 if classes == 2 else classes
        labels = labels.to(design.device, torch.int64)
        if weights is not None:
            weights = weights.to(design.device, design.dtype)
        self.weights = weights
        self.class_weight = _by_class(labels, weights, classes)  # (problems, classes)
        self.total = self.class_weight.sum(dim=1)  # (problems,)
        reference = self.class_weight.argmax(dim=1, keepdim=True)  # (problems, 1)
        # Which class each column is of, the reference last: it trades places with the last class.
        self.order = torch.arange(classes, device=design.device).repeat(self.problems, 1)
        self.order.scatter_(1, reference, classes - 1)
        self.order[:, -1:] = reference
        self.absent = self.class_weight.gather(1, self.order) == 0  # (problems, classes)
        column = self.order.gather(1, labels)  # trading places twice leads back
        if weights is not None:
            column.masked_fill_(weights == 0, self.columns)
        self.column_of_label = column  # (problems, rows)

    def start(self) -> Tensor:
        """The optimum under infinite L2: no weights, intercepts that give the class shares."""
        shape = (self.problems, self.vectors, self.design.dim + 1)
        start = torch.zeros(shape, dtype=self.design.dtype, device=self.design.device)
        shares = (self.class_weight / self.total[:, None]).gather(1, self.order)
        logits = torch.where(self.absent, 1.0, shares).log()
        if self.classes == 2:
            start[:, 0, -1] = torch.where(self.absent[:, 0], 0.0, logits[:, 0] - logits[:, 1])
        else:
            known = torch.where(self.absent, 0.0, logits)
            start[:, :, -1] = known.gather(1, self.order)
            start[:, :, -1] -= start[:, :, -1].mean(dim=1, keepdim=True)
        return start

    def evaluate(self, vectors: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
        """Values (n,) in float64 and gradients (n, vectors, dim + 1) of the ``which`` problems."""
        count, design = len(which), self.design
        sweep = design.sweep(*self._columns(vectors, which))
        loss = torch.zeros(count, dtype=torch.float64, device=design.device)
        intercepts = torch.zeros(count, self.columns, dtype=torch.float64, device=design.device)
        labels = self.column_of_label[which]  # (n, rows)
        weights = None if self.weights is None else self.weights[which]
        for rows in design.parts():
            logits = sweep.logits(rows).view(count, self.columns, -1)
            target = labels[:, None, rows]
            of_reference = target == self.columns
            target = target.clamp(max=self.columns - 1)
            residual, right, wrong, shift = _odds(logits, target, of_reference)
            of_reference, total = of_reference[:, 0], right + wrong  # (n, part)
            # Where the classifier is sure, ln(total) less the label's logit would nearly cancel.
            logit = logits.gather(1, target)[:, 0].masked_fill(of_reference, 0)
            part = torch.where(
                wrong < right, torch.log1p(wrong / right), total.log() + shift - logit
            )
            weight = torch.ones_like(total) if weights is None else weights[:, rows]
            residual *= (weight / total)[:, None]
            hit = torch.where(of_reference, 0.0, -weight * wrong / total)
            residual.scatter_add_(1, target, hit[:, None])
            loss += (part * weight).sum(dim=1, dtype=torch.float64)
            intercepts += residual.sum(dim=2, dtype=torch.float64)
            sweep.add(rows, residual.view(count * self.columns, -1))
        gradient = sweep.gradient().view(count, self.columns, -1)
        gradient = torch.cat([gradient, intercepts[..., None]], dim=2)
        gradient /= self.total[which][:, None, None]
        return loss / self.total[which], self._vectors(gradient, which).to(design.dtype)

    def probabilities(self, design: Design, vectors: Tensor, which: Tensor) -> Iterator[Tensor]:
        """Of any rows, part by part: (n, classes, rows), in the design's precision."""
        for log_p in self.log_probabilities(design, vectors, which):
            yield log_p.exp()

    def log_probabilities(self, design: Design, vectors: Tensor, which: Tensor) -> Iterator[Tensor]:
        """Natural logarithms of the probabilities, exact where those would be rounded to 0."""
        count = len(which)
        sweep = design.sweep(*self._columns(vectors.to(design.dtype), which))
        back = self.order[which][:, :, None]
        for rows in design.parts():
            logits = sweep.logits(rows).view(count, self.columns, -1)
            full = torch.cat([logits, torch.zeros_like(logits[:, :1])], dim=1)
            found = torch.log_softmax(full, dim=1)
            yield found.gather(1, back.expand(-1, -1, found.shape[2]))

    def _columns(self, vectors: Tensor, which: Tensor) -> tuple[Tensor, Tensor]:
        """What is multiplied: (n * columns, dim), and as many intercepts."""
        if self.classes > 2:
            order = self.order[which][:, :, None].expand_as(vectors)
            placed = vectors.gather(1, order)
            vectors = placed[:, :-1] - placed[:, -1:]
        intercepts = vectors[..., -1].masked_fill(self.absent[which, :-1], -torch.inf)
        return vectors[..., :-1].flatten(0, 1), intercepts.flatten()

    def _vectors(self, columns: Tensor, which: Tensor) -> Tensor:
        """The gradient in vectors, (n, vectors, dim + 1), from that in columns."""
        if self.classes == 2:
            return columns
        placed = torch.cat([columns, -columns.sum(dim=1, keepdim=True)], dim=1)
        order = self.order[which][:, :, None].expand_as(placed)
        return placed.gather(1, order)


def _odds(
    logits: Tensor, target: Tensor, of_reference: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """exp(logits - shift), (n, columns, rows), without the labels' own; these; the others' sum.

    ``logits`` are relative to the reference's, which is 0; ``target`` (n, 1, rows) is the label's
    column, any where ``of_reference`` says that the label is the reference. The shift is 0 unless
    something would overflow: finding the largest logit of each row costs a pass.
    """
    shift = torch.zeros((), dtype=logits.dtype, device=logits.device)
    while True:
        found = (logits - shift[:, None] if shift.dim() else logits).exp()
        one = (-shift).exp()  # of the reference
        own = found.gather(1, target)  # (n, 1, rows)
        right = torch.where(of_reference[:, 0], one, own[:, 0])  # (n, rows)
        found.scatter_(1, target, own.masked_fill(~of_reference, 0))
        wrong = found.sum(dim=1) + torch.where(of_reference[:, 0], 0.0, one)  # (n, rows)
        if shift.dim() or bool(torch.isfinite((right + wrong).sum())):
            return found, right, wrong, shift
        shift = logits.amax(dim=1).clamp(min=0)  # (n, rows)


def _by_class(labels: Tensor, weights: Tensor | None, classes: int) -> Tensor:
    """The weight of each class in each problem, (problems, classes), in float64."""
    each = torch.ones_like(labels, dtype=torch.float64) if weights is None else weights.double()
    return each.new_zeros(len(labels), classes).scatter_add_(1, labels, each)
