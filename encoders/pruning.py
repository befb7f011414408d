"""Which weights are pruned: scores, one-shot selection of exactly so many, and 2:4.

Terms are those of the survey of Hoefler et al. 2021 (arXiv 2102.00554, sections 3 and 4): a score,
a scope over which weights compete, and a structure. Weights that are 0 already have the lowest of
all scores, so that a sparsity counts them too. Equal scores are settled by place, the earlier
weight goes first: the same weights always give the same masks.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

import torch
from torch import Tensor

from ..core.errors import UsageError

Score = Literal["magnitude", "random"]
"""The scores that ask nothing of a text; ``gradient_scores`` has those that do."""

Scope = Literal["global", "layer"]

_GROUP, _PRUNED = 4, 2  # of each four neighbours, two (Mishra et al. 2021, arXiv 2104.08378)


def weight_scores(weights: Sequence[Tensor], score: Score, seed: int = 0) -> list[Tensor]:
    """A tensor of scores for each tensor of weights, of its shape; the lowest are pruned first."""
    if score == "magnitude":
        return zeros_lowest(weights, [weight.abs() for weight in weights])
    # Places in one shuffled row: a fair draw without two equal scores.
    total = sum(weight.numel() for weight in weights)
    shuffled = torch.randperm(total, generator=torch.Generator().manual_seed(seed))
    return zeros_lowest(weights, _apart(shuffled, weights))


def zeros_lowest(weights: Sequence[Tensor], scores: Sequence[Tensor]) -> list[Tensor]:
    """The scores, none of them below 0, with -1 where a weight is 0 already."""
    pairs = zip(scores, weights, strict=True)
    return [score.detach().masked_fill(weight == 0, -1) for score, weight in pairs]


def keep_masks(scores: Sequence[Tensor], scope: Scope, sparsity: float) -> list[Tensor]:
    """For each tensor of scores a mask of its shape, True where a weight is kept.

    ``round(sparsity * all weights)`` are pruned to the weight: in scope ``global`` they are the
    lowest of all, in scope ``layer`` each tensor gives its share, to within one weight. Raises
    UsageError for a sparsity outside [0, 1), and where more weights than it asks for are 0 already.
    """
    check_sparsity(sparsity)
    joined = torch.cat([score.flatten() for score in scores])  # (total,)
    kept = torch.ones_like(joined, dtype=torch.bool)
    ends = [len(joined)]
    if scope == "layer":
        ends = list(accumulate(score.numel() for score in scores))
    # A tensor's share may be rounded down where a lower sparsity before rounded it up.
    spare = 1 if scope == "layer" else 0
    start = pruned = 0
    for end in ends:
        # Differences of rounded sums: each is right to one weight, and so is their sum exactly.
        count = round(sparsity * end) - pruned
        zeros = int((joined[start:end] < 0).sum())
        if count < zeros <= count + spare:
            count = zeros
        if count and zeros > count:
            raise UsageError(
                f"{zeros:,} of {end - start:,} weights are 0 already",
                where=f"--sparsity {sparsity:g}",
                cure="ask for more, or prune the dense encoder",
            )
        kept[start:end] = ~lowest(joined[start:end], count)
        start, pruned = end, pruned + count
    return _apart(kept, scores)


def two_of_four(scores: Sequence[Tensor], inputs: Sequence[int]) -> list[Tensor]:
    """For each tensor of scores a mask that keeps the two highest of each four neighbours.

    ``inputs`` tells the axis along which each tensor's inputs lie; its size is a multiple of 4.
    """
    masks = []
    for score, axis in zip(scores, inputs, strict=True):
        last = score.movedim(axis, -1)  # (..., inputs)
        groups = last.reshape(-1, _GROUP)  # (groups, 4)
        order = groups.argsort(dim=1, stable=True)[:, :_PRUNED]  # (groups, 2)
        kept = torch.ones_like(groups, dtype=torch.bool).scatter_(1, order, False)
        masks.append(kept.reshape(last.shape).movedim(-1, axis))
    return masks


def lowest(scores: Tensor, count: int) -> Tensor:
    """A mask of the ``count`` lowest of ``scores``, both of shape (n,); among equals the first."""
    if count == 0:
        return torch.zeros_like(scores, dtype=torch.bool)
    bound = scores.kthvalue(count).values
    chosen = scores < bound  # (n,)
    equal = (scores == bound).nonzero()[:, 0]
    chosen[equal[: count - int(chosen.sum())]] = True
    return chosen


def check_sparsity(sparsity: float) -> None:
    """Raise UsageError unless 0 <= sparsity < 1."""
    if not 0 <= sparsity < 1:
        raise UsageError(
            "a sparsity is a share of at least 0 and less than 1",
            where=f"--sparsity {sparsity:g}",
            cure="such as 0.5",
        )


def _apart(row: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """One row, of shape (total,), as tensors of the shapes of others."""
    parts = torch.split(row, [other.numel() for other in like])
    return [part.reshape(other.shape) for part, other in zip(parts, like, strict=True)]
