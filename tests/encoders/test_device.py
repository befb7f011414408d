"""Devices by name: what is none, and what is not there."""

from __future__ import annotations

import pytest
import torch

from layerwise.core.errors import UsageError
from layerwise.encoders.base import EncoderOptions
from layerwise.encoders.device import parsed, usable
from layerwise.encoders.loading import load_encoder


def test_a_device_that_is_there_is_given() -> None:
    assert usable("cpu") == torch.device("cpu")
    assert parsed("cuda:1") == torch.device("cuda", 1)


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x"])
def test_a_name_that_is_none_is_told(name: str) -> None:
    for find in (parsed, usable):
        with pytest.raises(UsageError, match=f"--device: the device '{name}' cannot be used here"):
            find(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU")
@pytest.mark.parametrize("encoder", ["lstm", "onehot"])
def test_a_device_that_is_not_there_is_told_before_any_encoder(encoder: str) -> None:
    with pytest.raises(UsageError, match="--device: the device 'cuda' cannot be used here"):
        load_encoder(encoder, EncoderOptions(device="cuda"))
