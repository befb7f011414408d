"""What tests of clocks share: a stand-in for a GPU."""

from __future__ import annotations

from typing import Any

import pytest
import torch


class FakeCuda:
    """``torch.cuda`` with one device; time and memory go on only when a test says so.

    ``now`` is in milliseconds, ``held`` and ``peak`` in bytes; ``log`` tells in what order it was
    used.
    """

    device = torch.device("cuda", 1)

    def __init__(self) -> None:
        self.now, self.held, self.peak = 0.0, 100, 900
        self.log: list[str] = []
        self.mode = "default"

    def Event(self, enable_timing: bool) -> Any:
        assert enable_timing
        cuda = self

        class Event:
            def record(self, stream: str) -> None:
                assert stream == "stream of cuda:1"
                self.at = cuda.now
                cuda.log.append("record")

            def synchronize(self) -> None:
                cuda.log.append("wait for an event")

            def elapsed_time(self, other: Any) -> float:
                assert cuda.log[-1] in ("wait for an event", "read")
                cuda.log.append("read")
                return float(other.at - self.at)

        return Event()

    def current_stream(self, device: torch.device) -> str:
        return f"stream of {device}"

    def get_device_name(self, device: torch.device) -> str:
        return f"Fake {device.index}"

    def synchronize(self, device: torch.device) -> None:
        assert device == self.device
        self.log.append("wait for all")

    def memory_allocated(self, device: torch.device) -> int:
        return self.held

    def reset_peak_memory_stats(self, device: torch.device) -> None:
        self.log.append("reset the peak")
        self.peak = self.held

    def max_memory_allocated(self, device: torch.device) -> int:
        self.log.append("read the peak")
        return self.peak

    def set_sync_debug_mode(self, mode: str) -> None:
        self.mode = mode


@pytest.fixture
def cuda() -> FakeCuda:
    return FakeCuda()
