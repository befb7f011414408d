"""Clocks: when a device reached a point of its work, and what memory the work took.

A GPU works on after its orders are given. A clock of the host would then measure the giving of
orders (https://github.com/1ytic/warp-rnnt/issues/9: the ranking turned round once it was waited
for), and waiting inside the measured region would slow it down. So a point in time is an event
among the GPU's own orders, which is read when all is done.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch

from ..core.errors import UsageError
from ..core.provenance import describe
from .device import parsed, usable


class HostClock:
    """For work on the processor: an operation that has returned is done.

    ``name`` says how the time is taken, ``hardware`` on what: the device's kind and its name.
    """

    name = "time.perf_counter_ns"

    def __init__(self) -> None:
        self.hardware = f"cpu: {describe()['processor']}"

    def settle(self) -> None:
        """Nothing is ever under way."""

    def mark(self) -> int:
        """Nanoseconds since some fixed point."""
        return time.perf_counter_ns()

    def read(self, marks: Sequence[int]) -> list[float]:
        """Milliseconds from the first mark to each."""
        return [(mark - marks[0]) / 1e6 for mark in marks]


class CudaClock:
    """For work on a GPU: events in its stream. ``cuda`` is ``torch.cuda``, or a test's stand-in."""

    name = "CUDA events"

    def __init__(self, device: torch.device, cuda: Any = torch.cuda) -> None:
        self._cuda = cuda
        self._device = device
        self.hardware = f"cuda: {cuda.get_device_name(device)}"

    def settle(self) -> None:
        """Wait for all streams of the device."""
        self._cuda.synchronize(self._device)

    def mark(self) -> Any:
        """An event behind all orders given so far to the device's current stream."""
        event = self._cuda.Event(enable_timing=True)
        event.record(self._cuda.current_stream(self._device))
        return event

    def read(self, marks: Sequence[Any]) -> list[float]:
        """Milliseconds from the first event to each; waits for the last, which must be latest."""
        marks[-1].synchronize()
        return [float(marks[0].elapsed_time(mark)) for mark in marks]

    def peak_bytes(self, work: Callable[[], object]) -> int:
        """The most that the work had allocated at once, beyond what was there before it."""
        self.settle()
        before = self._cuda.memory_allocated(self._device)
        self._cuda.reset_peak_memory_stats(self._device)
        # What the work returns has to live until the peak is read, as it would for a caller.
        result = work()
        self.settle()
        peak = self._cuda.max_memory_allocated(self._device)
        del result
        return int(peak - before)

    def waits(self, work: Callable[[], object]) -> int:
        """How often the work made the host wait for the GPU, as torch's debug mode tells."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self._cuda.set_sync_debug_mode("warn")
            try:
                work()
            finally:
                self._cuda.set_sync_debug_mode("default")
        return sum("synchronizing" in str(warning.message) for warning in caught)


Stopwatch = HostClock | CudaClock


def stopwatch(device: str) -> Stopwatch:
    """The clock of a torch device. Raises UsageError where the device has none."""
    kind = parsed(device).type
    if kind == "cpu":
        return HostClock()
    if kind == "cuda":
        return CudaClock(usable(device))
    raise UsageError(
        f"there is no clock for {device!r}", where="--device", cure="take cpu, cuda or cuda:1"
    )
