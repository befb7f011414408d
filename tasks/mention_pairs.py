"""The coreferent pairs of a document's mentions, and a fair sample of the others."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import TypeVar

from ..core.types import Span
from .base import Mention

Pair = tuple[int, int]

_Item = TypeVar("_Item")


class MentionPairs:
    """The distinct spans of a document's mentions, in order of start and end, and their pairs.

    A pair ``(a, b)`` holds positions in ``spans``, a < b. Time and memory go with the number of
    mentions and of coreferent pairs, never with that of all pairs.
    """

    def __init__(self, mentions: Iterable[Mention]) -> None:
        entities: dict[Span, set[str]] = {}
        for mention in mentions:
            entities.setdefault(mention.span, set()).add(mention.entity)
        self.spans = sorted(entities)
        self._entities = [entities[span] for span in self.spans]
        self._chains: dict[str, list[int]] = {}
        for position, names in enumerate(self._entities):
            for name in names:
                self._chains.setdefault(name, []).append(position)
        # The candidates of b are the spans that end before it begins: a prefix of this order.
        self._by_end = sorted(range(len(self.spans)), key=lambda p: (self.spans[p].end, p))
        ends = [self.spans[position].end for position in self._by_end]
        self._candidates = [bisect_right(ends, span.start) for span in self.spans]

    def positives(self) -> Iterator[Pair]:
        """Each pair of spans that share an entity, once."""
        for later in range(len(self.spans)):
            for earlier in sorted(self.coreferent_before(later)):
                yield earlier, later

    def negatives(self, ratio: int, generator: random.Random) -> set[Pair]:
        """For each positive (a, b), ``ratio`` pairs (a', b) as the task's ``facts`` state them.

        Only ``generator.random()`` is called, whose stream Python keeps from version to version.
        """
        taken: set[Pair] = set()
        missing = 0
        free = 0
        positives = 0
        for later in range(len(self.spans)):
            coreferent = self.coreferent_before(later)
            wanted = ratio * len(coreferent)
            start = self.spans[later].start
            apart = sum(self.spans[earlier].end <= start for earlier in coreferent)
            available = self._candidates[later] - apart
            positives += apart
            free += max(available - wanted, 0)
            missing += max(wanted - available, 0)
            if wanted:
                drawn = self._draw(later, min(wanted, available), available, generator)
                taken.update((earlier, later) for earlier in drawn)
        if missing and free:
            self._draw_anywhere(taken, min(missing, free), free, positives, generator)
        return taken

    def sample(self, rate: float, generator: random.Random) -> Iterator[tuple[Pair, bool]]:
        """Each coreferent pair, and each other pair whose first span ends before its second
        begins, with the probability ``rate`` < 1; and whether it is coreferent.

        Takes time for the pairs that are kept, not for the others. Of the generator as above.
        """
        bounds = list(accumulate(self._candidates, initial=0))
        overlapping = [
            (earlier, later)
            for earlier, later in self.positives()
            if self.spans[earlier].end > self.spans[later].start
        ]
        ticket = -1
        while True:
            # How many pairs are passed over before one is kept has a geometric distribution.
            ticket += 1 + int(math.log(1 - generator.random()) / math.log1p(-rate))
            if ticket >= bounds[-1] + len(overlapping):
                return
            if ticket >= bounds[-1]:
                yield overlapping[ticket - bounds[-1]], True
            else:
                later = bisect_right(bounds, ticket) - 1
                earlier = self._by_end[ticket - bounds[later]]
                yield (earlier, later), not self._is_negative(earlier, later)

    def coreferent_before(self, later: int) -> set[int]:
        """The positions of the spans before this one that share an entity with it."""
        found: set[int] = set()
        for name in self._entities[later]:
            chain = self._chains[name]
            found.update(chain[: bisect_right(chain, later) - 1])
        return found

    def _draw(
        self, later: int, wanted: int, available: int, generator: random.Random
    ) -> Iterable[int]:
        """``wanted`` of the ``available`` non-coreferent spans that end before ``later``."""
        candidates = self._candidates[later]
        entities = self._entities[later]
        if 2 * wanted > available:
            pool = [p for p in self._by_end[:candidates] if entities.isdisjoint(self._entities[p])]
            return _sample(pool, wanted, generator)
        # At most two draws in three fail: candidates <= available + wanted <= 3/2 available.
        drawn: set[int] = set()
        while len(drawn) < wanted:
            earlier = self._by_end[int(generator.random() * candidates)]
            if entities.isdisjoint(self._entities[earlier]):
                drawn.add(earlier)
        return drawn

    def _draw_anywhere(
        self,
        taken: set[Pair],
        wanted: int,
        free: int,
        positives: int,
        generator: random.Random,
    ) -> None:
        """Add ``wanted`` of the ``free`` non-coreferent pairs not yet taken."""
        bounds = list(accumulate(self._candidates))
        if free < 2 * (len(taken) + wanted + positives):
            pool = [
                (earlier, later)
                for later, candidates in enumerate(self._candidates)
                for earlier in self._by_end[:candidates]
                if self._is_negative(earlier, later) and (earlier, later) not in taken
            ]
            taken.update(_sample(pool, wanted, generator))
            return
        goal = len(taken) + wanted
        while len(taken) < goal:
            ticket = int(generator.random() * bounds[-1])
            later = bisect_right(bounds, ticket)
            earlier = self._by_end[ticket - (bounds[later - 1] if later else 0)]
            if self._is_negative(earlier, later):
                taken.add((earlier, later))

    def _is_negative(self, earlier: int, later: int) -> bool:
        return self._entities[earlier].isdisjoint(self._entities[later])


def _sample(pool: list[_Item], wanted: int, generator: random.Random) -> list[_Item]:
    """``wanted`` of the pool, each choice as likely as any other (Fisher and Yates)."""
    for place in range(wanted):
        other = place + int(generator.random() * (len(pool) - place))
        pool[place], pool[other] = pool[other], pool[place]
    return pool[:wanted]
