"""Linear layers whose weights are laid out once for oneDNN's kernels.

Torch gives float32 products to MKL, which does not use all of a processor that is not Intel's. Of
117 GFLOP/s that an AMD core can do, MiniLM's products reach 90 to 100 by MKL and 105 to 112 by
oneDNN, which comes with torch; with 24 rows, 75 and 97.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

# The laid-out weights are a second copy: of a model beyond this size they would cost too much.
_BYTES = 2 * 1024**3
# The number of rows to lay weights out for; any other number works too, and as fast.
_ROWS = 512


def pack_linear(model: Any) -> int:
    """Let the model's float32 ``torch.nn.Linear`` modules use weights as they are now, laid out.

    Returns how many do: none where the processor, torch or the model's size speaks against it.
    The weights themselves stay what they are; a change to one would not reach its copy.
    """
    layers = [m for m in model.modules() if type(m) is torch.nn.Linear and _is_plain(m.weight)]
    if sum(m.weight.nbytes for m in layers) > _BYTES or not _is_usable():
        return 0
    for layer in layers:
        # Set on the instance, where a module looks before its class; hooks run as ever.
        vars(layer)["forward"] = _packed(layer.weight, layer.bias)
    return len(layers)


def _is_plain(weight: Tensor) -> bool:
    return weight.dtype == torch.float32 and weight.device.type == "cpu"


def _is_usable() -> bool:
    """Whether this is x86, where it was measured, and torch has the operators.

    They are those that torch's own compiler emits, and not public: so they are tried, not trusted.
    """
    backends: Any = torch.backends
    capability = backends.cpu.get_cpu_capability()
    if not (backends.mkldnn.is_available() and capability.startswith("AVX")):
        return False
    weight = torch.eye(3)[:2].contiguous()
    try:
        out = _packed(weight, torch.ones(2))(torch.eye(3))
    except (AttributeError, RuntimeError, TypeError):
        return False
    return bool(torch.equal(out, weight.T + 1))


def _packed(weight: Tensor, bias: Tensor | None) -> Callable[[Tensor], Tensor]:
    """``x -> x @ weight.T + bias``, for ``x`` of shape (..., in)."""
    laid_out = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), _ROWS)

    def forward(rows: Tensor) -> Tensor:
        out: Tensor = torch.ops.mkldnn._linear_pointwise(rows, laid_out, bias, "none", [], "")
        return out

    return forward
