"""The mean of clients' weights: by their sizes, and of the same model only."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from layerwise.core.errors import DataError
from layerwise.encoders.search.federated.averaging import federated_average


def test_each_client_counts_by_its_size() -> None:
    generator = torch.Generator().manual_seed(0)
    clients = [
        {"a": torch.randn(3, 2, generator=generator), "b": torch.randn(4, generator=generator)}
        for _ in range(4)
    ]
    sizes = [3, 10, 1, 6]
    mean = federated_average(clients, sizes)
    for name in ("a", "b"):
        expected = np.average([each[name].numpy() for each in clients], axis=0, weights=sizes)
        assert np.abs(mean[name].numpy() - expected).max() < 1e-7
        assert mean[name].dtype == torch.float32


@pytest.mark.parametrize("sizes", [[], [1.0], [0.0, 0.0], [2.0, -1.0]])
def test_sizes_that_are_no_weights_are_refused(sizes: list[float]) -> None:
    with pytest.raises(DataError, match="give every client a size"):
        federated_average([{"a": torch.zeros(1)}] * 2, sizes)


def test_clients_of_different_models_are_refused() -> None:
    with pytest.raises(DataError, match="different models"):
        federated_average([{"a": torch.zeros(2)}, {"a": torch.zeros(3)}], [1, 1])
