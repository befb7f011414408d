"""What ran in a pass through a model: the kernels, and on a processor the memory at its peak."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn
from torch.autograd.profiler import profile

from .stages import Call
from .stopwatch import CudaClock, Stopwatch

# What torch's operators say of the kernel that it chose.
_KERNELS = {
    "aten::_scaled_dot_product_flash_attention_for_cpu": "fused attention (flash, for processors)",
    "aten::_scaled_dot_product_flash_attention": "fused attention (flash)",
    "aten::_scaled_dot_product_efficient_attention": "fused attention (memory-efficient)",
    "aten::_scaled_dot_product_cudnn_attention": "fused attention (cuDNN)",
    "aten::_scaled_dot_product_attention_math": "attention in steps (math)",
    "aten::_scaled_dot_product_fused_attention_overrideable": "fused attention (the device's)",
    "aten::cudnn_convolution": "cuDNN convolution",
    "aten::mkldnn_convolution": "oneDNN convolution",
    "aten::_slow_conv2d_forward": "torch convolution",
    "aten::_conv_depthwise2d": "torch convolution (depthwise)",
    "mkldnn::_linear_pointwise": "oneDNN packed linear",
    "aten::addmm": "matrix products (addmm)",
    "aten::mm": "matrix products (mm)",
    "aten::bmm": "matrix products (bmm)",
}
# A recurrent module's operator, and what it stands on where it is one of these.
_RECURRENT = ("aten::lstm", "aten::gru", "aten::rnn_tanh", "aten::rnn_relu")
_BACKENDS = {"aten::_cudnn_rnn": "cuDNN", "aten::mkldnn_rnn_layer": "oneDNN"}


@dataclass(frozen=True)
class Inspection:
    """One pass: the kernels that ran, and the most bytes that it had allocated at once.

    ``memory`` says how that was measured; ``waits`` counts the places at which the model itself
    made the host wait for a GPU.
    """

    kernels: tuple[str, ...]
    peak_bytes: int
    memory: str
    waits: int = 0


def inspect_pass(calls: Sequence[Call], clock: Stopwatch) -> Inspection:
    """Make the calls once under torch's profiler. It is slow, so nothing is timed meanwhile."""

    def work() -> list[object]:
        return [call() for call in calls]

    modules = [call.module for call in calls]
    if isinstance(clock, CudaClock):
        operators, _ = _profiled(work)
        peak = clock.peak_bytes(work)
        how = "torch.cuda.max_memory_allocated, less what was allocated before the pass"
        return Inspection(kernels(operators, modules), peak, how, clock.waits(work))
    operators, peak = _profiled(work)
    how = "torch's profiler: allocations less releases by torch's allocator, at their highest"
    return Inspection(kernels(operators, modules), peak, how)


def kernels(operators: Counter[str], modules: Sequence[nn.Module]) -> tuple[str, ...]:
    """Names of the kernels behind the operators that ran, in the order of the table above."""
    names = []
    if any(isinstance(m, nn.RNNBase) for module in modules for m in module.modules()):
        ran = [name.removeprefix("aten::") for name in _RECURRENT if operators[name]]
        backend = next((_BACKENDS[name] for name in _BACKENDS if operators[name]), "torch")
        # A recurrent module whose operator never ran lends its weights to a loop of ours.
        names += [f"{backend} {n.partition('_')[0].upper()}" for n in ran] or ["step loop"]
    names += [name for operator, name in _KERNELS.items() if operators[operator]]
    return tuple(dict.fromkeys(names))


def _profiled(work: Callable[[], object]) -> tuple[Counter[str], int]:
    """How often each operator ran, and the peak of the memory, in bytes."""
    # Its start and its end are announced on the error stream otherwise.
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    with profile(profile_memory=True) as found:
        # What the pass returns is held until it ends, as a caller would hold it.
        result = work()
    del result
    operators: Counter[str] = Counter()
    held = peak = 0
    for event in found.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            peak = max(peak, held)
        else:
            operators[event.name()] += 1
    return operators, peak
