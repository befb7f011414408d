"""The torch device that a user names."""

from __future__ import annotations

import torch

from ..core.errors import UsageError


def parsed(name: str) -> torch.device:
    """The device of that name, on this machine or not. UsageError for a name that is none."""
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise _unusable(name) from error


def usable(name: str) -> torch.device:
    """The device of that name, tried out. Raises UsageError where it cannot be used."""
    device = parsed(name)
    try:
        torch.empty(0, device=device)
    # Torch's ways to say that it was built without the device, or that there is none.
    except (RuntimeError, AssertionError, ImportError) as error:
        raise _unusable(name) from error
    return device


def _unusable(name: str) -> UsageError:
    return UsageError(f"the device {name!r} cannot be used here", where="--device", cure="take cpu")
