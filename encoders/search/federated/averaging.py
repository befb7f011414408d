"""Federated averaging: what a server makes of the weights of its clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ....core.errors import DataError

Weights = Mapping[str, Tensor]
"""The parameters of a model by name."""


def federated_average(clients: Sequence[Weights], sizes: Sequence[float]) -> dict[str, Tensor]:
    """The mean of the clients' weights, each client counted by the size of its data.

    (McMahan et al. 2017, arXiv 1602.05629, algorithm 1.) Sums are in float64, so that the
    order of the clients does not show in float32. Raises DataError for no
    client, for sizes that are no weights, and for clients whose parameters differ.
    """
    if not clients or len(clients) != len(sizes) or min(sizes) < 0 or sum(sizes) <= 0:
        raise DataError(
            f"{len(clients)} clients with the sizes {list(sizes)}",
            where="federated averaging",
            cure="give every client a size of 0 or more, and one more than 0",
        )
    first = clients[0]
    for weights in clients[1:]:
        if {k: v.shape for k, v in weights.items()} != {k: v.shape for k, v in first.items()}:
            raise DataError("two clients train different models", where="federated averaging")
    total = sum(sizes)
    return {
        name: torch.stack(
            [
                weights[name].double() * (size / total)
                for weights, size in zip(clients, sizes, strict=True)
            ]
        )
        .sum(dim=0)
        .to(first[name].dtype)
        for name in first
    }
