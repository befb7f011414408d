"""Clocks: a GPU's is read from events, waits only outside what it measures, and is refused none."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch

from layerwise.core.errors import UsageError
from layerwise.encoders.stopwatch import CudaClock, HostClock, stopwatch


class TestGpu:
    def test_times_are_those_of_the_events_and_nothing_waits_between(self, cuda: Any) -> None:
        clock = CudaClock(cuda.device, cuda)
        clock.settle()
        marks = []
        for passed in (3.0, 5.0, 7.5):
            cuda.now += passed
            marks.append(clock.mark())
        assert cuda.log == ["wait for all", "record", "record", "record"]
        assert clock.read(marks) == [0.0, 5.0, 12.5]
        assert cuda.log[4:] == ["wait for an event", "read", "read", "read"]

    def test_it_says_what_and_how(self, cuda: Any) -> None:
        clock = CudaClock(cuda.device, cuda)
        assert clock.hardware == "cuda: Fake 1" and clock.name == "CUDA events"

    def test_the_peak_is_the_works_own_and_read_when_it_is_done(self, cuda: Any) -> None:
        def work() -> list[int]:
            cuda.log.append("work")
            cuda.peak = max(cuda.peak, cuda.held + 350)
            return [1]

        # 900 bytes were the peak of what was before it.
        assert CudaClock(cuda.device, cuda).peak_bytes(work) == 350
        assert cuda.log == [
            *("wait for all", "reset the peak", "work", "wait for all", "read the peak"),
        ]

    def test_what_the_work_returns_lives_until_the_peak_is_read(self, cuda: Any) -> None:
        class Result:
            def __del__(self) -> None:
                cuda.log.append("released")

        CudaClock(cuda.device, cuda).peak_bytes(Result)
        assert cuda.log[-2:] == ["read the peak", "released"]

    def test_waits_within_the_work_are_counted_and_the_mode_is_set_back(self, cuda: Any) -> None:
        def work() -> None:
            assert cuda.mode == "warn"
            for _ in range(2):
                warnings.warn("called a synchronizing CUDA operation", UserWarning, stacklevel=1)
            warnings.warn("something else", UserWarning, stacklevel=1)

        assert CudaClock(cuda.device, cuda).waits(work) == 2
        assert cuda.mode == "default"

    def test_the_mode_is_set_back_after_a_failure(self, cuda: Any) -> None:
        with pytest.raises(ZeroDivisionError):
            CudaClock(cuda.device, cuda).waits(lambda: 1 // 0)
        assert cuda.mode == "default"


class TestHost:
    def test_times_are_in_milliseconds_from_the_first_mark(self) -> None:
        assert HostClock().read([5_000_000, 5_250_000, 9_000_000]) == [0.0, 0.25, 4.0]

    def test_it_never_goes_back(self) -> None:
        clock = HostClock()
        marks = [clock.mark() for _ in range(100)]
        assert marks == sorted(marks)

    def test_it_names_the_processor(self) -> None:
        assert HostClock().hardware.startswith("cpu: ") and len(HostClock().hardware) > 5


class TestChoice:
    def test_the_processor_has_the_hosts_clock(self) -> None:
        assert isinstance(stopwatch("cpu"), HostClock)

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
    def test_a_gpu_that_is_not_there(self) -> None:
        with pytest.raises(UsageError, match="--device: the device 'cuda' cannot be used here"):
            stopwatch("cuda")

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
    def test_a_gpu_has_events(self) -> None:
        clock = stopwatch("cuda")
        assert isinstance(clock, CudaClock)
        x = torch.randn(512, 512, device="cuda")
        marks = [clock.mark()]
        for _ in range(3):
            x = x @ x
            marks.append(clock.mark())
        times = clock.read(marks)
        assert times[0] == 0 and times == sorted(times)
        assert clock.peak_bytes(lambda: torch.empty(1 << 20, device="cuda")) == 4 << 20

    def test_a_device_without_a_clock(self) -> None:
        with pytest.raises(UsageError, match="there is no clock for 'meta'"):
            stopwatch("meta")

    def test_no_device_at_all(self) -> None:
        with pytest.raises(UsageError, match="--device: the device 'gpu' cannot be used here"):
            stopwatch("gpu")
