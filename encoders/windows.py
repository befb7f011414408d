"""Overlapping windows over a document that is longer than what a model can read at once, and
which windows go through a model together.

Every word is kept from the window in which it has the most context (the max-context rule of
BERT's SQuAD code, Devlin et al. 2019), so that a long document loses no word and no word stands
at the edge of a window when another window shows it from the middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Window(NamedTuple):
    """Words ``start:end`` go through the model together; ``keep_start:keep_end`` are kept."""

    start: int
    end: int
    keep_start: int
    keep_end: int


def plan_windows(pieces: Sequence[int] | NDArray[np.integer[Any]], size: int) -> list[Window]:
    """Cut ``len(pieces)`` words into windows of at most ``size`` positions.

    ``pieces[i]`` is the number of positions that word ``i`` takes in the model: 1 in a model of
    words, its subwords otherwise, 0 for a word without pieces.

    - Everything fits: one window.
    - Otherwise windows overlap by about half their size and end at borders of words. The kept
      ranges tile ``0:len(pieces)`` in order. A word's context in a window is the smaller of the
      positions to its left and to its right there; a document's own edge is no loss on its side.
      Each word is kept from the (first) window in which its context is largest.
    - A word longer than ``size`` stands alone in a window of its own, and its neighbours see
      nothing of it. This is the only window with more than ``size`` positions: the caller
      truncates it and counts what was lost.

    Raises ValueError for ``size < 1`` and for negative pieces.
    """
    counts = np.asarray(pieces, dtype=np.int64)
    if size < 1:
        raise ValueError(f"a window needs at least one position, not {size}")
    if counts.size and counts.min() < 0:
        raise ValueError("a word cannot take fewer than 0 positions")
    if counts.size and counts.sum() <= size:
        return [Window(0, len(counts), 0, len(counts))]
    # before[i]: positions to the left of word i; one entry more than there are words
    before = np.concatenate(([0], np.cumsum(counts)))
    spans: list[tuple[int, int]] = []
    begin = 0
    for giant in (*np.flatnonzero(counts > size).tolist(), len(counts)):
        spans.extend(_cover(before, begin, giant, size))
        if giant < len(counts):
            spans.append((giant, giant + 1))
        begin = giant + 1
    return _keep(before, spans)


def plan_batches(sizes: Sequence[int], most: int, start: int) -> list[slice]:
    """Cut windows, whose ``sizes`` (each at least 1 position) never grow, into batches.

    A batch is padded to its first, longest window and has at most ``most`` positions, unless it is
    one window. It costs its positions, padding counted in, and ``start`` more: the batches are
    those that cost least together.
    """
    cost = [0, *[2**62] * len(sizes)]  # of the windows before the k-th
    begin = [0] * len(cost)
    for i, size in enumerate(sizes):
        for j in range(i + 1, min(len(sizes), i + max(1, most // size)) + 1):
            through = cost[i] + start + (j - i) * size
            if through < cost[j]:
                cost[j], begin[j] = through, i
    batches = []
    end = len(sizes)
    while end:
        batches.append(slice(begin[end], end))
        end = begin[end]
    return batches[::-1]


def _cover(before: NDArray[np.int64], begin: int, stop: int, size: int) -> list[tuple[int, int]]:
    """Windows over the words ``begin:stop``, none of which is longer than ``size``."""
    if begin >= stop:
        return []
    # The last window reaches back as far as it can: its words get the most left context.
    last = _first_at_least(before, int(before[stop]) - size)
    spans = []
    start = begin
    while start < last:
        reach = int(before[start]) + size
        end = int(np.searchsorted(before, reach, side="right")) - 1
        spans.append((start, end))
        # The next window starts half a window on, or later where it would not reach a new word,
        # but leaves no word out.
        start = min(
            last,
            end,
            max(
                _first_at_least(before, int(before[start]) + (size + 1) // 2),
                _first_at_least(before, int(before[end + 1]) - size),
            ),
        )
    spans.append((start, stop))
    return spans


def _first_at_least(before: NDArray[np.int64], position: int) -> int:
    """The first word that has at least ``position`` positions to its left."""
    return int(np.searchsorted(before, position, side="left"))


def _keep(before: NDArray[np.int64], spans: list[tuple[int, int]]) -> list[Window]:
    """Give each word to the first window with the most context for it."""
    words = len(before) - 1
    owner = np.zeros(words, dtype=np.int64)
    most = np.full(words, -1, dtype=np.int64)
    endless = np.full(words, np.iinfo(np.int64).max)
    for k, (start, end) in enumerate(spans):
        left = before[start:end] - before[start] if start > 0 else endless[start:end]
        right = before[end] - before[start + 1 : end + 1] if end < words else endless[start:end]
        context = np.minimum(left, right)
        better = context > most[start:end]
        owner[start:end][better] = k
        most[start:end][better] = context[better]
    # From window to window starts and ends grow, so a word's owner never falls from word to word.
    edges = np.searchsorted(owner, np.arange(len(spans) + 1), side="left").tolist()
    return [
        Window(start, end, edges[k], edges[k + 1])
        for k, (start, end) in enumerate(spans)
        if edges[k] < edges[k + 1]
    ]
