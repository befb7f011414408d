"""The trunk of every biLM: one character CNN, a stack forwards and a stack backwards.

The two directions share the character CNN and nothing else. Their states are concatenated layer
by layer; layer 0 is the character CNN's vector, given twice so that all layers have one width
(Peters et al. 2018, arXiv 1808.08949, section 3). What a stack is made of is the architecture's
business: see ``self_attention`` for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from ..core import registry
from ..core.errors import ModelError
from .character_cnn import CharacterCNN, CharacterSettings


class Architecture(Protocol):
    """What an entry point of the group ``layerwise.architectures`` points to: a pydantic model."""

    dim: int
    layers: int
    sizes: ClassVar[dict[str, dict[str, int | float]]]
    final_norm: ClassVar[bool]

    def stack(self) -> nn.Module:
        """One direction: from (batch, time, dim) to ``layers`` tensors of that shape, causal."""
        ...

    def layer_names(self) -> list[str]:
        """What each contextual layer is."""
        ...


class BiLMSettings(BaseModel):
    """All that is needed to build a biLM. ``window`` is the longest text it was trained on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: str
    stack: dict[str, int | float | str | bool]
    characters: CharacterSettings = CharacterSettings()
    window: int = Field(128, ge=2)


def architecture_of(settings: BiLMSettings) -> Architecture:
    """The architecture with its settings filled in."""
    kind = registry.load("architecture", settings.architecture)
    try:
        built: Architecture = kind(**settings.stack)
    except ValidationError as error:
        first = error.errors()[0]
        raise ModelError(
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            where=f"settings of the architecture {settings.architecture}",
        ) from error
    return built


class BiLM(nn.Module):
    """Both directions over one character CNN."""

    def __init__(self, settings: BiLMSettings) -> None:
        super().__init__()
        architecture = architecture_of(settings)
        self.settings = settings
        self.dim = architecture.dim
        self.layers = architecture.layers
        self.characters = CharacterCNN(settings.characters, architecture.dim)
        self.forward_stack = architecture.stack()
        self.backward_stack = architecture.stack()

    def states(self, words: Tensor, lengths: Tensor, begin: Tensor, end: Tensor) -> Tensor:
        """All layers, of shape (1 + layers, batch, time, 2 * dim).

        ``words`` are the character CNN's vectors, of shape (batch, time, dim), ``begin`` and
        ``end`` those of the two marks, of shape (dim,); ``lengths`` tells how many words of each
        row are real. What stands behind a row's length is undefined.
        """
        mark = words.new_empty(words.shape[0], 1, words.shape[2])
        ahead = torch.cat([begin.expand_as(mark), words], dim=1)  # (batch, 1 + time, dim)
        back = torch.cat([end.expand_as(mark), reverse(words, lengths)], dim=1)
        layers = [torch.cat([words, words], dim=2)]
        for left, right in zip(self.forward_stack(ahead), self.backward_stack(back), strict=True):
            # The state at a word has read that word and all before it (forwards) or after it.
            layers.append(torch.cat([left[:, 1:], reverse(right[:, 1:], lengths)], dim=2))
        return torch.stack(layers)


def initialise(model: nn.Module) -> None:
    """Draw the weights of every linear map (Glorot and Bengio 2010); the rest is torch's own."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)


def reverse(x: Tensor, lengths: Tensor) -> Tensor:
    """Turn each row's first ``length`` places round and leave the padding where it is.

    ``x`` has the shape (batch, time, dim). Turning twice gives ``x`` again.
    """
    time = x.shape[1]
    place = torch.arange(time, device=x.device)[None, :]  # (1, time)
    length = lengths[:, None]  # (batch, 1)
    source = torch.where(place < length, length - 1 - place, place)  # (batch, time)
    return x.gather(1, source[:, :, None].expand_as(x))


def build_settings(
    architecture: str, size: str, overrides: dict[str, Any] | None = None, **rest: Any
) -> BiLMSettings:
    """The settings of a named size (``tiny``, ``small``, ``paper``), some of them changed."""
    kind = registry.load("architecture", architecture)
    if size not in kind.sizes:
        raise ModelError(
            f"{architecture} has no size {size!r}",
            where="--size",
            cure="one of " + ", ".join(kind.sizes),
        )
    filled = kind(**(kind.sizes[size] | (overrides or {})))
    return BiLMSettings(architecture=architecture, stack=filled.model_dump(), **rest)


def count_parameters(modules: Sequence[nn.Module]) -> int:
    """The number of weights in the modules."""
    return sum(weight.numel() for module in modules for weight in module.parameters())
