"""Neurons that leave a biLM: its matrices shrink, and it is a biLM of other settings.

Of self-attention they are the neurons between the two maps of a block's feed-forward part, of an
LSTM the cells. A neuron that leaves takes its incoming weights, its bias and its outgoing weights;
what remains computes what the whole would with those at 0. So every speed that is measured is that
of smaller products.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..core.errors import ModelError, UsageError
from .bilm import BiLM, BiLMSettings, architecture_of
from .units import Block, Part, kept_units, narrowed


class _Anatomy(NamedTuple):
    """The setting that counts the neurons, and where their weights are in a block.

    ``incoming`` and ``biases`` hold ``gates`` rows a neuron, each gate's together; the columns of
    ``outgoing`` are the neurons.
    """

    setting: str
    incoming: tuple[str, ...]
    biases: tuple[str, ...]
    outgoing: str
    gates: int


_FEED_FORWARD = _Anatomy("feed_forward", ("expand.weight",), ("expand.bias",), "contract.weight", 1)
_ANATOMIES = {
    "transformer": _FEED_FORWARD,
    "narrow_transformer": _FEED_FORWARD,
    "lstm": _Anatomy(
        "hidden",
        ("lstm.weight_ih_l0", "lstm.weight_hh_l0"),
        ("lstm.bias_ih_l0",),
        "lstm.weight_hr_l0",
        4,
    ),
}


class Shrunk(NamedTuple):
    """A smaller biLM; ``kept`` of ``units`` remain in each block of each direction.

    ``places`` are their old numbers in ascending order, of shape (kept,), by the block's name.
    """

    model: BiLM
    units: int
    kept: int
    places: dict[str, Tensor]


def neuron_blocks(model: BiLM) -> list[Block]:
    """Where the neurons of a biLM are. Raises UsageError for an architecture that has none."""
    anatomy = _anatomy(model)
    return [
        Block(
            name,
            model.get_parameter(f"{name}.{anatomy.outgoing}").shape[1],
            tuple(Part(f"{name}.{part}", groups=anatomy.gates) for part in anatomy.incoming),
            tuple(Part(f"{name}.{part}", groups=anatomy.gates) for part in anatomy.biases),
            Part(f"{name}.{anatomy.outgoing}", axis=1),
        )
        for name in blocks_with(model, anatomy.outgoing)
    ]


def remove_neurons(model: BiLM, scores: Mapping[str, Tensor], sparsity: float) -> Shrunk:
    """A copy of the biLM without ``round(sparsity * neurons)`` neurons of each block.

    ``scores`` are those of ``neuron_blocks``, of shape (neurons,) by the block's name; the lowest
    go. Raises UsageError for an architecture without neurons to remove, or for too few left.
    """
    blocks, setting = neuron_blocks(model), _anatomy(model).setting
    places = kept_units(blocks, scores, sparsity, "neurons")
    kept = len(places[blocks[0].name])
    settings = model.settings.model_copy(update={"stack": model.settings.stack | {setting: kept}})
    try:
        architecture_of(settings)
    except ModelError as error:
        raise UsageError(
            f"{kept} neurons would be left, which {setting} does not allow ({error.what})",
            where=f"--sparsity {sparsity:g}",
            cure="ask for less",
        ) from error
    return Shrunk(rebuild(model, settings, blocks, places), blocks[0].units, kept, places)


def rebuild(
    model: BiLM, settings: BiLMSettings, blocks: Sequence[Block], places: Mapping[str, Tensor]
) -> BiLM:
    """The biLM of the settings, with the weights of the units that stay."""
    weights = {name: tensor.detach() for name, tensor in model.state_dict().items()}
    with torch.random.fork_rng(devices=[]):  # drawing weights that are replaced moves no one's dice
        smaller = BiLM(settings)
    smaller.load_state_dict(narrowed(weights, blocks, places))
    return smaller.eval().requires_grad_(False)


def blocks_with(model: BiLM, part: str) -> list[str]:
    """The names of the blocks that have such a weight, in order."""
    ending = f".{part}"
    return [name.removesuffix(ending) for name in model.state_dict() if name.endswith(ending)]


def _anatomy(model: BiLM) -> _Anatomy:
    anatomy = _ANATOMIES.get(model.settings.architecture)
    if anatomy is None:
        raise UsageError(
            f"the architecture {model.settings.architecture} has no neurons that can be removed",
            where="--structure neurons",
            cure="take weights or 2:4, or an encoder of transformer or lstm",
        )
    return anatomy
