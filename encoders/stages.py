"""Which of an encoder's torch modules does what: the calls of a pass, and where a layer is reached.

Nothing is asked of an encoder but its contract. Torch tells of every call of a module; the
outermost calls are the model's work, and what lies around them is tokenisation, alignment and
pooling. A layer is reached when the first call ends in whose output its vectors stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)

from ..core.types import Document
from .base import Encoder

Place = tuple[nn.Module, int]
"""A call: the module, and which of its calls within the outermost one it is, from 0."""

Marks = Mapping[Place, int]
"""The calls at whose end something of a layer is there, and that layer."""

_WHOLE, _LEFT, _RIGHT = range(3)
"""The parts of a layer's vectors: a biLM makes each half in a direction of its own."""


class Call(NamedTuple):
    """An outermost call of a module, to be made again."""

    module: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def __call__(self) -> Any:
        return self.module(*self.args, **self.kwargs)


def record_calls(work: Callable[[], object]) -> list[Call]:
    """The outermost calls of modules during the work, in order, with what they were given."""
    calls: list[Call] = []

    def ended(module: nn.Module, args: Any, kwargs: Any, output: Any, depth: int) -> None:
        if depth == 0:
            calls.append(Call(module, args, kwargs))

    with _following(ended):
        work()
    return calls


def find_marks(encoder: Encoder, document: Document) -> Marks | None:
    """The calls at which the encoder's layers are reached; None where they cannot be told.

    The document should hold some word of a single subword: its vector is pooled from nothing else
    and stands in the model as it is. It is encoded twice.
    """
    with torch.inference_mode():
        layers = next(iter(encoder.encode([document])))  # (layers, words, dim)
        wanted = _parts(layers)
        found: dict[tuple[int, int], tuple[Place, int]] = {}
        counts: Counter[nn.Module] = Counter()
        outermost = 0

        def ended(module: nn.Module, args: Any, kwargs: Any, output: Any, depth: int) -> None:
            nonlocal outermost
            place = module, counts[module]
            counts[module] += 1
            for row in _rows(output, encoder.dim):
                for part in wanted.get(row, ()):
                    found.setdefault(part, (place, outermost))
            if depth == 0:
                counts.clear()
                outermost += 1

        with _following(ended):
            list(encoder.encode([document]))
    marks: dict[Place, int] = {}
    calls: dict[Place, int] = {}
    for layer in range(len(layers)):
        parts = (_WHOLE,) if (layer, _WHOLE) in found else (_LEFT, _RIGHT)
        for part in parts:
            if (layer, part) not in found:
                return None
            place, call = found[layer, part]
            # One module for several layers, called by the encoder itself: no call tells for which.
            if calls.setdefault(place, call) != call:
                return None
            marks.setdefault(place, layer)
    return marks


@contextmanager
def _following(
    ended: Callable[[nn.Module, Any, Any, Any, int], None],
) -> Iterator[None]:
    """Call ``ended`` at the end of every module's call; its depth is 0 for the outermost."""
    depth = 0

    def enter(module: nn.Module, args: Any) -> None:
        nonlocal depth
        depth += 1

    def leave(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        nonlocal depth
        depth -= 1
        ended(module, args, kwargs, output, depth)

    with (
        register_module_forward_pre_hook(enter),
        register_module_forward_hook(leave, with_kwargs=True),
    ):
        yield


def _parts(layers: NDArray[np.float32]) -> dict[bytes, list[tuple[int, int]]]:
    """The bytes of each word's vector and of its halves: the layers and parts that they are."""
    half = layers.shape[2] // 2
    parts = {_WHOLE: layers}
    if layers.shape[2] == 2 * half:
        parts |= {_LEFT: layers[:, :, :half], _RIGHT: layers[:, :, half:]}
    wanted: dict[bytes, list[tuple[int, int]]] = {}
    for part, arrays in parts.items():
        for layer, words in enumerate(arrays):
            for row in words:
                # A constant vector may stand anywhere.
                if np.ptp(row) > 0:
                    wanted.setdefault(_bytes(row), []).append((layer, part))
    return wanted


def _rows(output: Any, dim: int) -> Iterator[bytes]:
    """The bytes of each vector, along any axis, that is as wide as a layer or half of one."""
    for tensor in _tensors(output):
        if not tensor.is_floating_point():
            continue
        array = tensor.detach().float().cpu().numpy()
        for axis, size in enumerate(array.shape):
            if size == dim or 2 * size == dim:
                for row in np.moveaxis(array, axis, -1).reshape(-1, size):
                    yield _bytes(row)


def _bytes(row: NDArray[np.float32]) -> bytes:
    return (row + np.float32(0)).tobytes()  # one zero, not two


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        for value in output.values():
            yield from _tensors(value)
    elif isinstance(output, (tuple, list)):
        for value in output:
            yield from _tensors(value)
