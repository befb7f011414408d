"""Moment exchange: features keep their shape and take the mean and the spread of a partner's.

Li et al. 2021, On Feature Normalization and Data Augmentation (arXiv 2002.11102, section 3). The
moments are those of one position over its channels (positional normalisation, Li et al. 2019,
arXiv 1907.04312): no word is told anything of another, so that a language model stays causal.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .errors import UsageError

EPSILON = 1e-5
"""What is added to a variance."""


def moments(features: Tensor, over: str = "channels") -> tuple[Tensor, Tensor]:
    """The mean and the spread of each position over its channels: (..., dim) to (..., 1) twice.

    The variance is the unbiased one. Raises UsageError for moments over anything else (see
    ``check_moments``) and for a single channel.
    """
    check_moments(over)
    if features.shape[-1] < 2:
        raise UsageError("one channel has no spread", where="moment exchange")
    variance, mean = torch.var_mean(features, dim=-1, keepdim=True)  # (..., 1)
    return mean, (variance + EPSILON).sqrt()


def check_moments(over: str, where: str = "moment exchange") -> None:
    """Raises UsageError for moments that would let a word know of those that follow it."""
    if over == "channels":
        return
    raise UsageError(
        "moments over time are made of all words of a window, and would tell each word of those "
        "that follow it and that it has to predict"
        if over == "time"
        else f"no such moments: {over!r}",
        where=where,
        cure="take channels, the moments of each word by itself",
    )


def exchange(features: Tensor, partner: Tensor, real: Tensor | None = None) -> Tensor:
    """Every position with the moments of its partner's at the same place, (rows, ..., dim).

    ``partner``, (rows,), are numbers of rows, and ``real``, (rows, ...), tells words from padding.
    A row that is its own partner stays as it is to the bit, and so does a position that is padding
    in either of the two rows.
    """
    mean, spread = moments(features)  # (rows, ..., 1)
    changed = (features - mean) / spread * spread[partner] + mean[partner]
    apart = partner != torch.arange(len(partner), device=partner.device)  # (rows,)
    apart = apart.view(-1, *[1] * (features.dim() - 1))  # (rows, 1, ..., 1)
    if real is not None:
        apart = apart & (real & real[partner])[..., None]  # (rows, ..., 1)
    return torch.where(apart, changed, features)
