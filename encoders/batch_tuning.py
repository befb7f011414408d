"""How many words go through an encoder at once: found by timing it on the texts that it encodes.

The first of the texts are dealt out into shares, each with as many short and long texts as the
others. The default size encodes the first, larger sizes one each until one is no faster, and that
with the most words a second encodes the rest. What was timed is kept, so that finding out costs no
more than the slower sizes lose on their share. (Batches smaller than the default were never faster
where this was measured.) Numbers are those of any batch, to the contract's tolerance
(``base.Encoder``).
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..core.types import Document
from .base import Encoder, EncoderOptions, InputReporter

SIZES = (1024, 2048, 4096)
DEVICE_SIZES = (1024, 4096, 16384)
"""Words at once that are tried, the default first: on the processor, elsewhere."""

DEFAULT = EncoderOptions().batch_words
_SHARE = 4096  # words that each size is timed on, at most
_BATCHES = 2  # that a size fills with its share, at least
_TIMED = 0.5  # of the words, at most
_GAIN = 1.05  # by which another size must be faster than the default

Arrays = list[NDArray[np.float32]]


@dataclass(frozen=True)
class BatchChoice:
    """The words at once that were chosen, and the words a second of each size that was timed.

    ``speeds`` is empty where nothing could be timed: too few words, or an encoder whose batches
    cannot be set. A size without the memory for it has the speed 0.
    """

    words: int = DEFAULT
    speeds: Mapping[int, float] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """The choice for a record; whole words a second."""
        speeds = {str(size): round(speed) for size, speed in self.speeds.items()}
        return {"batch_words": self.words, "batch_words_per_second": speeds}

    def __str__(self) -> str:
        if not self.speeds:
            return f"{self.words:,} words at once, the default: too little to time"
        told = ", ".join(f"{size:,}: {speed:,.0f}" for size, speed in self.speeds.items())
        return f"{self.words:,} words at once (words a second by size: {told})"


class TunedEncoder:
    """An encoder as the store reads it, which finds the size of its batches as it encodes.

    ``choice`` is the default until a text is long enough to time, and is kept for all later texts.
    Only an encoder that keeps its ``EncoderOptions`` as ``_options`` can be tuned; any other is as
    it was.
    """

    def __init__(self, encoder: Encoder, clock: Callable[[], float] | None = None) -> None:
        self.name = encoder.name
        self.layer_names = encoder.layer_names
        self.dim = encoder.dim
        self.parameters = encoder.parameters
        self.fingerprint = encoder.fingerprint
        self.final_norm = encoder.final_norm
        self.choice = BatchChoice()
        self._encoder = encoder
        self._clock = clock or _clock_of(encoder)

    def input_report(self, documents: Sequence[Document]) -> Mapping[str, int]:
        """What the encoder reports, if it does."""
        if isinstance(self._encoder, InputReporter):
            return self._encoder.input_report(documents)
        return {}

    def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
        """For each document in order, an array of shape (layers, words, dim)."""
        begin = 0
        if not self.choice.speeds:
            begin, sizes = _to_time(documents, _sizes(self._encoder))
            if sizes:
                first, self.choice = self._time(documents[:begin], sizes)
                yield from first
        if begin < len(documents):
            yield from _with(self._encoder, self.choice.words).encode(documents[begin:])

    def _time(
        self, documents: Sequence[Document], sizes: Sequence[int]
    ) -> tuple[Arrays, BatchChoice]:
        """The documents' arrays, in order, and the size that was fastest."""
        shares = _dealt([len(document) for document in documents], len(sizes))
        arrays: dict[int, NDArray[np.float32]] = {}
        speeds: dict[int, float] = {}

        def is_faster(size: int) -> bool:
            """Encode the next share; tell whether nothing was as fast before."""
            share = shares.pop()
            texts = [documents[place] for place in share]
            fastest = max(speeds.values(), default=0.0)
            started = self._clock()
            try:
                found = list(_with(self._encoder, size).encode(texts))
                speeds[size] = sum(map(len, texts)) / max(self._clock() - started, 1e-9)
            except torch.OutOfMemoryError:
                found = list(_with(self._encoder, DEFAULT).encode(texts))
                speeds[size] = 0.0
            arrays.update(zip(share, found, strict=True))
            return speeds[size] > fastest

        # What is made on first use is not to be the first size's cost.
        list(_with(self._encoder, DEFAULT).encode([min(documents, key=len)]))
        all(map(is_faster, sizes))  # up to the first that is not
        best = max(speeds, key=speeds.__getitem__)
        if speeds[best] < _GAIN * speeds[DEFAULT]:
            best = DEFAULT
        left = [place for share in shares for place in share]
        rest = _with(self._encoder, best).encode([documents[place] for place in left])
        arrays.update(zip(left, rest, strict=True))
        return [arrays[place] for place in range(len(documents))], BatchChoice(best, speeds)


def _sizes(encoder: Encoder) -> Sequence[int]:
    """What may be tried."""
    options = getattr(encoder, "_options", None)
    if not isinstance(options, EncoderOptions):
        return ()
    return SIZES if torch.device(options.device).type == "cpu" else DEVICE_SIZES


def _clock_of(encoder: Encoder) -> Callable[[], float]:
    """The processor's time where no other counts: whatever else runs adds nothing to it."""
    options = getattr(encoder, "_options", None)
    alone = torch.get_num_threads() == 1 and getattr(options, "device", "") == "cpu"
    return time.process_time if alone else time.perf_counter


def _with(encoder: Encoder, size: int) -> Encoder:
    """The encoder with batches of that size; the model itself is shared."""
    options = getattr(encoder, "_options", None)
    if not isinstance(options, EncoderOptions) or options.batch_words == size:
        return encoder
    other = copy.copy(encoder)
    vars(other)["_options"] = replace(options, batch_words=size)
    return other


def _to_time(documents: Sequence[Document], known: Sequence[int]) -> tuple[int, Sequence[int]]:
    """How many documents to time, and the sizes; (0, ()) where there is too little text.

    Each size has its share of half of the words at most, and fills at least two batches with it.
    """
    words = sum(map(len, documents))
    for count in range(len(known), 1, -1):
        share = min(words * _TIMED / count, max(_SHARE, _BATCHES * known[count - 1]))
        if share < _BATCHES * known[count - 1]:
            continue
        seen = 0
        for taken, document in enumerate(documents, 1):
            seen += len(document)
            if seen >= count * share and taken >= count:
                return taken, known[:count]
    return 0, ()


def _dealt(lengths: Sequence[int], hands: int) -> list[list[int]]:
    """The places of texts dealt out to hands by turns, from the longest, to and fro.

    So all hands have as many words of texts of any length, as far as texts are many.
    """
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    turns = [*range(hands), *reversed(range(hands))]
    dealt: list[list[int]] = [[] for _ in range(hands)]
    for at, place in enumerate(order):
        dealt[turns[at % len(turns)]].append(place)
    return [sorted(hand) for hand in dealt]
