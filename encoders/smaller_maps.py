"""Linear maps of a Hugging Face model that are smaller than its configuration says.

transformers 5 has no head removal any more, and a configuration such as BERT's gives heads their
width by the number of them. So a model without some heads has the configuration of the whole one,
and its maps the shapes of the weights that it was saved with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..core.errors import ModelError


def replace(model: Any, name: str, tensor: Tensor) -> None:
    """Put a tensor of another shape in the place of a parameter of a linear map."""
    place, _, attribute = name.rpartition(".")
    module = model.get_submodule(place)
    learns = module.get_parameter(attribute).requires_grad
    setattr(module, attribute, nn.Parameter(tensor, requires_grad=learns))
    if tensor.dim() != 2:
        return
    if isinstance(module, nn.Linear):
        module.out_features, module.in_features = tensor.shape
    elif hasattr(module, "nf"):  # GPT-2's map, written the other way round
        module.nx, module.nf = tensor.shape


def cut_to(model: Any, shapes: Mapping[str, Sequence[int]], where: str = "") -> None:
    """Cut the linear maps of a model to shapes by name; a model that has them stays as it is.

    The first rows and columns remain, so that weights drawn at random are still so. Raises
    ModelError for a shape that no cut of a linear map has.
    """
    for name, parameter in list(model.named_parameters()):
        shape = tuple(shapes.get(name, parameter.shape))
        if shape == tuple(parameter.shape):
            continue
        module = model.get_submodule(name.rpartition(".")[0])
        known = isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"
        if not known or len(shape) != parameter.dim() or not _within(shape, parameter.shape):
            raise ModelError(
                f"{name} has the shape {shape}, not {tuple(parameter.shape)}", where=where
            )
        with torch.no_grad():
            replace(model, name, parameter[tuple(slice(size) for size in shape)].clone())


def smaller_than_configured(model: Any) -> list[str]:
    """The parameters that have another shape than the model's configuration gives them."""
    with torch.device("meta"):
        whole = dict(type(model)(model.config).named_parameters())
    held = model.named_parameters()
    return sorted(name for name, tensor in held if tensor.shape != whole[name].shape)


def _within(shape: Sequence[int], whole: Sequence[int]) -> bool:
    return all(0 < size <= most for size, most in zip(shape, whole, strict=True))
