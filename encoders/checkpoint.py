"""A biLM on disk: settings and card in JSON, weights in safetensors; nothing is ever executed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from pydantic import ValidationError
from torch import Tensor

from ..core import files
from ..core.errors import DataError, ModelError, UsageError
from .bilm import BiLM, BiLMSettings

SETTINGS, WEIGHTS, CARD = "settings.json", "weights.safetensors", "card.json"
_PRECISIONS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def save_encoder(
    folder: Path, model: BiLM, card: dict[str, Any], dtype: torch.dtype = torch.float32
) -> None:
    """Write the encoder's settings, its weights in the given precision, and last its card."""
    weights = {name: tensor.to(dtype) for name, tensor in model.state_dict().items()}
    files.write_json(folder / SETTINGS, model.settings.model_dump())
    save_tensors(folder / WEIGHTS, weights)
    files.write_json(folder / CARD, card)


def load_encoder(folder: Path) -> BiLM:
    """The biLM of a folder, in float32 and eval mode. Raises ModelError naming what is wrong."""
    if not folder.is_dir():
        raise ModelError("no such folder", where=str(folder))
    try:
        settings = BiLMSettings(**files.read_json(folder / SETTINGS))
        with torch.device("meta"):  # shapes alone: a size that no memory holds costs nothing
            expected = BiLM(settings).state_dict()
    except (DataError, UsageError) as error:
        raise ModelError(error.what, where=str(folder / SETTINGS), cure=error.cure) from error
    except (ValidationError, TypeError, RuntimeError) as error:
        raise ModelError("not the settings of a biLM", where=str(folder / SETTINGS)) from error
    weights, _ = load_tensors(folder / WEIGHTS)
    if weights.keys() != expected.keys():
        odd = sorted(weights.keys() ^ expected.keys())
        raise ModelError(f"missing or superfluous weights: {odd[0]}", where=str(folder / WEIGHTS))
    for name, tensor in weights.items():
        if tensor.shape != expected[name].shape:
            raise ModelError(
                f"{name} has the shape {tuple(tensor.shape)}, not {tuple(expected[name].shape)}",
                where=str(folder / WEIGHTS),
            )
        if tensor.dtype not in _PRECISIONS:
            raise ModelError(f"{name} has the type {tensor.dtype}", where=str(folder / WEIGHTS))
        if not torch.isfinite(tensor).all():
            raise ModelError(
                f"{name} holds values that are not finite", where=str(folder / WEIGHTS)
            )
    model = BiLM(settings)
    model.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    return model.eval().requires_grad_(False)


def save_tensors(
    path: Path, tensors: dict[str, Tensor], note: dict[str, str] | None = None
) -> None:
    """Write named tensors and a note of strings, complete or not at all."""
    whole = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    with files.atomic_writer(path) as stream:
        stream.write(safetensors.torch.save(whole, note))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Named tensors and their note. Raises ModelError for anything but a sound safetensors file."""
    try:
        with safetensors.safe_open(path, framework="pt") as stream:
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}
            return tensors, stream.metadata() or {}
    except FileNotFoundError as error:
        raise ModelError("no such file", where=str(path)) from error
    except (OSError, safetensors.SafetensorError) as error:
        raise ModelError(f"not a sound safetensors file ({error})", where=str(path)) from error
