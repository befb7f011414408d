"""The matrices of an encoder that mix words or features in context: what pruning is counted over.

Of a biLM they are those of its two stacks; of a Hugging Face model those of its blocks. Biases,
norms, embeddings, the character CNN and a pooler are none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import _WeightNorm

from ..core.errors import ModelError
from .bilm import BiLM


class Matrix(NamedTuple):
    """A weight of at least two dimensions, and the axis along which its inputs lie, if known."""

    name: str
    module: nn.Module
    attribute: str
    inputs: int | None

    @property
    def values(self) -> Tensor:
        """What the module computes with; of a normalised weight the product, not its parts."""
        with torch.no_grad():
            weight: Tensor = getattr(self.module, self.attribute)
        return weight.detach()

    def zero(self, kept: Tensor) -> None:
        """Set the weights to 0 where the mask ``kept`` is False; the others stay as they are."""
        if parametrize.is_parametrized(self.module, self.attribute):
            self._zero_normalised(kept)
            return
        with torch.no_grad():
            self.module.get_parameter(self.attribute).masked_fill_(~kept, 0)

    def parameters(self, kept: Tensor) -> list[tuple[nn.Parameter, Tensor]]:
        """The parameters that the weights are made of, each with a mask of where it may learn.

        With the others at rest, the weights that are 0 where ``kept`` is False remain so.
        """
        if not parametrize.is_parametrized(self.module, self.attribute):
            return [(self.module.get_parameter(self.attribute), kept)]
        parts = self.module.get_submodule(f"parametrizations.{self.attribute}")
        normalise = parts.get_submodule("0")
        assert isinstance(normalise, _WeightNorm)
        # A direction of which nothing is kept has the length 0.
        live = torch.norm_except_dim(kept.float(), 2, normalise.dim) > 0
        return [(parts.get_parameter("original0"), live), (parts.get_parameter("original1"), kept)]

    def _zero_normalised(self, kept: Tensor) -> None:
        # A shorter direction would be stretched to the old length: the length shrinks with it.
        parts = self.module.get_submodule(f"parametrizations.{self.attribute}")
        length, direction = parts.get_parameter("original0"), parts.get_parameter("original1")
        normalise = parts.get_submodule("0")
        assert isinstance(normalise, _WeightNorm)
        with torch.no_grad():
            pruned = direction.masked_fill(~kept, 0)
            before = torch.norm_except_dim(direction, 2, normalise.dim)
            after = torch.norm_except_dim(pruned, 2, normalise.dim)
            # A direction of zeros has no length to be divided by: the factor alone is 0.
            direction.copy_(torch.where(after > 0, pruned, direction))
            length.mul_(after / before)


def contextual_matrices(model: nn.Module) -> list[Matrix]:
    """The matrices of a biLM's stacks, or of the blocks of any other model, in order.

    Blocks are what stands in a ``ModuleList``. A matrix that several blocks share is one. Raises
    ModelError for a model without any, and for a weight made in a way that is not known here.
    """
    if isinstance(model, BiLM):
        roots = ["forward_stack.", "backward_stack."]
    else:
        roots = [f"{n}." for n, m in model.named_modules() if isinstance(m, nn.ModuleList)]
    found = [
        Matrix(f"{name}.{attribute}", module, attribute, _inputs(module))
        for name, module in model.named_modules()
        if name.startswith(tuple(roots)) and "parametrizations" not in name.split(".")
        for attribute in _attributes(name, module)
    ]
    if not found:
        raise ModelError("has no matrices in blocks", where=type(model).__name__)
    return found


def _attributes(name: str, module: nn.Module) -> Iterator[str]:
    """The names of a module's own matrices."""
    if isinstance(module, nn.Embedding):
        return
    if parametrize.is_parametrized(module):
        kinds = module.get_submodule("parametrizations")
        for attribute, made in kinds.named_children():
            if [type(part) for part in made.children()] != [_WeightNorm]:
                raise ModelError("is made in an unknown way", where=f"{name}.{attribute}")
            yield attribute
    for attribute, weight in module.named_parameters(recurse=False):
        # XLNet keeps biases and segment embeddings of each head in two dimensions.
        if weight.dim() >= 2 and not attribute.endswith(("bias", "embed")):
            yield attribute


def _inputs(module: nn.Module) -> int | None:
    if isinstance(module, (nn.Linear, nn.LSTM, nn.GRU, nn.RNN)):
        return 1
    if isinstance(module, nn.Conv1d):
        return 1 if module.groups == 1 else None
    # GPT-2's linear map, which is no nn.Linear, is written the other way round.
    return 0 if type(module).__name__ == "Conv1D" else None
