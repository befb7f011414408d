"""The state of a training: weights, optimiser, step and seconds, in one safetensors file."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from ..core.errors import ModelError, UsageError
from .checkpoint import load_tensors, save_tensors

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what AdamW knows of a weight


def save_state(
    path: Path,
    identity: str,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    step: int,
    seconds: float,
) -> None:
    """Write the state, complete or not at all."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for name, weight in model.named_parameters():
        state = optimiser.state[weight]
        tensors |= {f"optimiser.{key}.{name}": state[key] for key in _MOMENTS}
    save_tensors(path, tensors, {"identity": identity, "step": str(step), "seconds": str(seconds)})


def load_state(
    path: Path, identity: str, model: nn.Module, optimiser: torch.optim.Optimizer
) -> tuple[int, float]:
    """The step to go on from and the seconds spent so far; (0, 0.0) for a new training.

    Raises UsageError when the state is that of another training.
    """
    if not path.exists():
        return 0, 0.0
    tensors, note = load_tensors(path)
    if note.get("identity") != identity:
        raise UsageError(
            "holds a training with other settings or other text",
            where=str(path.parent),
            cure="name another --output, or remove that folder",
        )
    try:
        model.load_state_dict({name: tensors[f"model.{name}"] for name in model.state_dict()})
        for name, weight in model.named_parameters():
            optimiser.state[weight] = {
                key: tensors[f"optimiser.{key}.{name}"].to(
                    weight.device if key != "step" else "cpu"
                )
                for key in _MOMENTS
            }
        return int(note["step"]), float(note["seconds"])
    except (KeyError, ValueError, RuntimeError) as error:
        raise ModelError(
            "not the state of this training", where=str(path), cure="remove that folder"
        ) from error
