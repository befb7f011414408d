"""How long an encoder takes for a batch, layer by layer.

The calls of the encoder's modules are recorded in a first pass, with their input on the device,
and made again for each measurement: so the model's time holds no tokenisation, no copy to the
device or back, and nothing that waits for a GPU. What all of ``encode`` takes is measured beside
it, and so is what the marks at the layers cost.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..core.types import Document
from .base import Encoder
from .inspection import Inspection, inspect_pass
from .stages import Marks, record_calls
from .stopwatch import HostClock, Stopwatch

Samples = NDArray[np.float64]


@dataclass(frozen=True)
class Timing:
    """Milliseconds a batch, one row a repeat; None where there is nothing to measure.

    ``layers`` (repeats, layers) is the time to reach each layer: all that the model does for it
    and for those below. ``forward`` is the model's whole time without marks, ``marked`` the same
    with them. ``encode`` is all of ``encode``, ``prepare`` what of it passes before the model
    starts: tokenisation, alignment, the way to the device. ``processor`` is the time that this
    process had of the machine's processors during ``forward``: less than that where other work
    held them.
    """

    encode: Samples
    prepare: Samples | None
    forward: Samples | None
    processor: Samples | None
    marked: Samples | None
    layers: Samples | None
    calls: int
    precision: str
    inspection: Inspection | None

    @property
    def reached(self) -> Samples:
        """(repeats, layers), or (repeats, 1) where only the whole is known: the last layer's."""
        if self.layers is not None:
            return self.layers
        return (self.encode if self.forward is None else self.forward)[:, None]


class TimedBatch:
    """An encoder and a batch, to be measured in visits: others may have theirs in between.

    ``marks`` are those of ``stages.find_marks``. The first pass happens here; it is not measured.
    """

    def __init__(
        self,
        encoder: Encoder,
        documents: Sequence[Document],
        marks: Marks | None,
        clock: Stopwatch,
    ) -> None:
        self._encoder = encoder
        self._documents = documents
        self._marks = marks
        self._clock = clock
        self._layers = len(encoder.layer_names)
        self._calls = record_calls(self._encode)
        self._samples: dict[str, list[Any]] = {}

    def visit(self, keep: bool = True) -> None:
        """Measure once: all of ``encode`` first, so that the model's own passes find it warm."""
        found: dict[str, Any] = {}
        found["encode"], found["prepare"] = self._time_encode()
        if self._calls:
            with torch.inference_mode():
                found["forward"], found["processor"] = self._time_forward()
                if self._marks is not None:
                    found["layers"], found["marked"] = self._time_layers(self._marks)
        if keep:
            for name, value in found.items():
                self._samples.setdefault(name, []).append(value)

    def result(self) -> Timing:
        """What was measured so far, and what one more pass shows of kernels and memory."""
        inspection = None
        if self._calls:
            with torch.inference_mode():
                inspection = inspect_pass(self._calls, self._clock)
        columns = {
            name: np.array(values, dtype=np.float64) for name, values in self._samples.items()
        }
        return Timing(
            encode=columns["encode"],
            prepare=columns["prepare"] if self._calls else None,
            forward=columns.get("forward"),
            processor=columns.get("processor"),
            marked=columns.get("marked"),
            layers=columns.get("layers"),
            calls=len(self._calls),
            precision=_precision([call.module for call in self._calls]),
            inspection=inspection,
        )

    def _encode(self) -> None:
        for _ in self._encoder.encode(self._documents):
            pass

    def _time_encode(self) -> tuple[float, float]:
        """All of ``encode``, and what of it comes before the first module, by the host's clock."""
        host = HostClock()
        marks: list[int] = []
        with ExitStack() as hooks:
            for call in self._calls[:1]:
                hooks.enter_context(call.module.register_forward_pre_hook(_once(marks, host)))
            self._clock.settle()
            marks.append(host.mark())
            self._encode()
            self._clock.settle()
            marks.append(host.mark())
        times = host.read(marks)
        return times[-1], times[1]

    def _time_forward(self) -> tuple[float, float]:
        """The whole pass, and this process's time of the processors meanwhile."""
        self._clock.settle()
        processor = time.process_time_ns()
        begin = self._clock.mark()
        results = [call() for call in self._calls]
        times = self._clock.read([begin, self._clock.mark()])
        processor = time.process_time_ns() - processor
        del results  # only now: giving memory back takes time
        return times[1], processor / 1e6

    def _time_layers(self, marks: Marks) -> tuple[list[float], float]:
        """The time to reach each layer, of shape (layers,), and the whole pass's."""
        stamps: list[tuple[int | None, Any]] = []  # the layer that is reached, None where none is
        counts: Counter[nn.Module] = Counter()

        def ended(module: nn.Module, args: Any, output: Any) -> None:
            layer = marks.get((module, counts[module]))
            counts[module] += 1
            if layer is not None:
                stamps.append((layer, self._clock.mark()))

        with ExitStack() as hooks:
            for module in {module for module, _ in marks}:
                hooks.enter_context(module.register_forward_hook(ended))
            self._clock.settle()
            results = []
            for call in self._calls:
                counts.clear()
                stamps.append((None, self._clock.mark()))
                results.append(call())
            stamps.append((None, self._clock.mark()))
        times = self._clock.read([mark for _, mark in stamps])
        del results
        return reach([layer for layer, _ in stamps], times, self._layers), times[-1]


def reach(reached: Sequence[int | None], times: Sequence[float], layers: int) -> list[float]:
    """The time to reach each layer, from stamps in order; a None stands where a call begins.

    What passes between two stamps is for the layer of the second. A call that reaches no layer
    makes something for the next; what follows the last layer within a call is for none (a pooler).
    Each direction of a biLM has its own stamps: a layer costs what both spend up to it.
    """
    own = np.zeros(layers)
    waiting = 0.0
    marked = False
    for i in range(1, len(times)):
        layer, passed = reached[i], times[i] - times[i - 1]
        if layer is not None:
            own[layer] += waiting + passed
            waiting, marked = 0.0, True
        else:
            waiting += 0.0 if marked else passed
            marked = False
    total: list[float] = np.cumsum(own).tolist()
    return total


def _once(marks: list[int], clock: HostClock) -> Callable[[nn.Module, Any], None]:
    def begun(module: nn.Module, args: Any) -> None:
        if len(marks) == 1:
            marks.append(clock.mark())

    return begun


def _precision(modules: Sequence[nn.Module]) -> str:
    """The types of the weights, and of float32 products on a GPU if they are less than that."""
    found = {
        str(weight.dtype).removeprefix("torch.")
        for module in modules
        for weight in module.parameters()
        if weight.is_floating_point()
    }
    if any(weight.is_cuda for module in modules for weight in module.parameters()):
        products = torch.get_float32_matmul_precision()
        return ", ".join([*sorted(found), f"products: {products}"])
    return ", ".join(sorted(found))
