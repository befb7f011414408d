"""Heads that leave the self-attention of a biLM (Michel et al. 2019, arXiv 1905.10650).

A head that leaves takes its queries, keys and values and its columns of the output map; what
remains computes what the whole would without that head's output. Heads are as wide as before, so
the smaller biLM is one of the architecture ``narrow_transformer``.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from ..core.errors import UsageError
from .bilm import BiLM, BiLMSettings
from .neuron_removal import Shrunk, blocks_with, rebuild
from .units import Block, Part, kept_units

_INTO, _OUT = "query_key_value", "output"


def head_blocks(model: BiLM) -> list[Block]:
    """Where the heads of a biLM are. Raises UsageError for an architecture that has none."""
    heads, width = _shape(model.settings)
    return [
        Block(
            name,
            heads,
            (Part(f"{name}.{_INTO}.weight", groups=3, width=width),),
            (Part(f"{name}.{_INTO}.bias", groups=3, width=width),),
            Part(f"{name}.{_OUT}.weight", axis=1, width=width),
        )
        for name in blocks_with(model, f"{_INTO}.weight")
    ]


def remove_heads(model: BiLM, scores: Mapping[str, Tensor], sparsity: float) -> Shrunk:
    """A copy of the biLM without ``round(sparsity * heads)`` heads of each block.

    ``scores`` are those of ``head_blocks``, of shape (heads,) by the block's name; the lowest go.
    Raises UsageError for an architecture without heads, or where none would be left.
    """
    blocks = head_blocks(model)
    places = kept_units(blocks, scores, sparsity, "heads")
    heads, width = _shape(model.settings)
    kept = len(places[blocks[0].name])
    settings = model.settings
    if kept < heads:
        stack = settings.stack | {"heads": kept, "head_width": width}
        settings = settings.model_copy(
            update={"architecture": "narrow_transformer", "stack": stack}
        )
    return Shrunk(rebuild(model, settings, blocks, places), heads, kept, places)


def _shape(settings: BiLMSettings) -> tuple[int, int]:
    """How many heads a block has, and how wide each is."""
    if settings.architecture not in ("transformer", "narrow_transformer"):
        raise UsageError(
            f"the architecture {settings.architecture} has no heads that can be removed",
            where="--structure heads",
            cure="take neurons (lstm) or weights, or an encoder of transformer",
        )
    heads = int(settings.stack["heads"])
    return heads, int(settings.stack.get("head_width", int(settings.stack["dim"]) // heads))
