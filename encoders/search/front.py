"""Which of several candidates are the best, with one objective or more; lower losses are better."""

from __future__ import annotations

import math
from collections.abc import Sequence

Losses = Sequence[float]
"""One number for each objective. What has a loss of inf or NaN failed, and is after all others."""


def failed(losses: Losses) -> bool:
    """Whether some objective could not be had."""
    return not all(math.isfinite(loss) for loss in losses)


def dominates(first: Losses, second: Losses) -> bool:
    """Whether the first is as good in all objectives and better in one."""
    pairs = list(zip(first, second, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def front_ranks(losses: Sequence[Losses]) -> list[int]:
    """0 for what no other dominates, 1 for what only those of rank 0 dominate, and so on.

    (Deb et al. 2002, NSGA-II, section III-A.) What failed shares the rank after all others'.
    """
    # What dominates another stands before it in this order, so one pass tells all ranks.
    order = sorted(
        (at for at, each in enumerate(losses) if not failed(each)), key=lambda at: tuple(losses[at])
    )
    fronts: list[list[int]] = []
    for at in order:
        rank = 0
        while rank < len(fronts) and any(dominates(losses[o], losses[at]) for o in fronts[rank]):
            rank += 1
        if rank == len(fronts):
            fronts.append([])
        fronts[rank].append(at)
    ranks = [len(fronts)] * len(losses)
    for rank, front in enumerate(fronts):
        for at in front:
            ranks[at] = rank
    return ranks


def pareto_front(losses: Sequence[Losses]) -> list[int]:
    """The places of what no other dominates, ascending; of equal ones all. Empty if all failed."""
    ranks = front_ranks(losses)
    return [at for at, each in enumerate(losses) if ranks[at] == 0 and not failed(each)]


def crowding(losses: Sequence[Losses]) -> list[float]:
    """How far the neighbours on one front are apart: the larger, the lonelier.

    (Deb et al. 2002, section III-B.) Added over the objectives, in shares of their ranges; inf at
    both ends of each, 0 where an objective is the same for all. None may have failed.
    """
    distances = [0.0] * len(losses)
    for objective in range(len(losses[0]) if losses else 0):
        order = sorted(range(len(losses)), key=lambda at: losses[at][objective])
        values = [losses[at][objective] for at in order]
        span = values[-1] - values[0]
        if not span:
            continue
        distances[order[0]] = distances[order[-1]] = math.inf
        for place in range(1, len(order) - 1):
            distances[order[place]] += (values[place + 1] - values[place - 1]) / span
    return distances


def positions(losses: Sequence[Losses]) -> list[float]:
    """The place of each in the order from the best, from 0; equal ones share the mean place.

    One objective goes by the loss. More go by the front and, on one front, by crowding.
    """
    keys = _keys(losses)
    order = sorted(range(len(keys)), key=keys.__getitem__)
    places = [0.0] * len(keys)
    first = 0
    while first < len(order):
        last = first
        while last + 1 < len(order) and keys[order[last + 1]] == keys[order[first]]:
            last += 1
        for at in order[first : last + 1]:
            places[at] = (first + last) / 2
        first = last + 1
    return places


def best_first(losses: Sequence[Losses]) -> list[int]:
    """The places from the best to the worst; of equal ones the earlier first."""
    keys = _keys(losses)
    return sorted(range(len(keys)), key=keys.__getitem__)


def _keys(losses: Sequence[Losses]) -> list[tuple[float, float]]:
    if all(len(each) == 1 for each in losses):
        return [(math.inf if failed(each) else each[0], 0.0) for each in losses]
    ranks = front_ranks(losses)
    keys = [(math.inf, 0.0)] * len(losses)
    for rank in range(max(ranks, default=-1) + 1):
        front = [at for at, each in enumerate(losses) if ranks[at] == rank and not failed(each)]
        for at, distance in zip(front, crowding([losses[at] for at in front]), strict=True):
            keys[at] = (float(rank), -distance)
    return keys
