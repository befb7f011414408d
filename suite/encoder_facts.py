"""What a record tells of the encoder it read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..encoders.base import Encoder
from .layers import Layers


def encoder_facts(encoder: Encoder, activations: Mapping[str, Layers]) -> dict[str, Any]:
    """Its size, and what became of the words of each split: ``activations``, by its name."""
    manifests = {name: layers.manifest for name, layers in activations.items()}
    return {
        "parameters": encoder.parameters,
        "dim": max(manifest["shape"][2] for manifest in manifests.values()),
        "final_norm": encoder.final_norm,
        "input": {name: manifest["input"] for name, manifest in manifests.items()},
        "stored_as": sorted({str(manifest["dtype"]) for manifest in manifests.values()}),
    }
