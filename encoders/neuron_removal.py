"""Structured pruning that makes a biLM smaller: neurons leave, and the matrices shrink.

Of self-attention they are the neurons between the two maps of a block's feed-forward part, of an
LSTM the cells. A neuron that leaves takes its incoming weights, its bias and its outgoing weights;
what remains computes what the whole would with those at 0. The result is a biLM of the same
architecture with other settings, so every speed that is measured is that of smaller products.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..core.errors import ModelError, UsageError
from .bilm import BiLM, BiLMSettings, architecture_of
from .pruning import Score, check_sparsity, lowest


class _Anatomy(NamedTuple):
    """The setting that counts the neurons, and where their weights are in a block.

    ``incoming`` (matrices and biases) hold ``gates`` rows a neuron, each gate's together; the
    columns of ``outgoing`` are the neurons.
    """

    setting: str
    incoming: tuple[str, ...]
    outgoing: str
    gates: int


_ANATOMIES = {
    "transformer": _Anatomy("feed_forward", ("expand.weight", "expand.bias"), "contract.weight", 1),
    "lstm": _Anatomy(
        "hidden",
        ("lstm.weight_ih_l0", "lstm.weight_hh_l0", "lstm.bias_ih_l0"),
        "lstm.weight_hr_l0",
        4,
    ),
}


class Shrunk(NamedTuple):
    """A smaller biLM; ``kept`` of ``neurons`` remain in each block of each direction.

    ``places`` are their old numbers in ascending order, of shape (kept,), by the block's name.
    """

    model: BiLM
    neurons: int
    kept: int
    places: dict[str, Tensor]


def remove_neurons(model: BiLM, score: Score, sparsity: float, seed: int = 0) -> Shrunk:
    """A copy of the biLM without ``round(sparsity * neurons)`` neurons of each block.

    The score ``magnitude`` of a neuron is the Euclidean norm of the weights that go with it, biases
    aside. Raises UsageError for an architecture without neurons to remove, or for too few left.
    """
    check_sparsity(sparsity)
    anatomy = _ANATOMIES.get(model.settings.architecture)
    if anatomy is None:
        raise UsageError(
            f"the architecture {model.settings.architecture} has no neurons that can be removed",
            where="--structure neurons",
            cure=f"take weights or 2:4, or an encoder of {' or '.join(_ANATOMIES)}",
        )
    weights = {name: tensor.detach() for name, tensor in model.state_dict().items()}
    ending = f".{anatomy.outgoing}"
    blocks = [name.removesuffix(ending) for name in weights if name.endswith(ending)]
    neurons = weights[blocks[0] + ending].shape[1]
    kept = neurons - round(sparsity * neurons)
    settings = model.settings.model_copy(
        update={"stack": model.settings.stack | {anatomy.setting: kept}}
    )
    _check(settings, sparsity, kept, anatomy.setting)
    generator = torch.Generator().manual_seed(seed)
    places = {}
    for block in blocks:
        if score == "magnitude":
            scores = _norms(weights, block, anatomy)
        else:
            scores = torch.randperm(neurons, generator=generator)
        chosen = (~lowest(scores, neurons - kept)).nonzero()[:, 0]  # (kept,)
        for part in anatomy.incoming:
            whole = weights[f"{block}.{part}"]
            rows = whole.reshape(anatomy.gates, neurons, *whole.shape[1:])[:, chosen]
            weights[f"{block}.{part}"] = rows.flatten(0, 1)  # (gates * kept, ...)
        weights[block + ending] = weights[block + ending][:, chosen]  # (dim, kept)
        places[block] = chosen
    with torch.random.fork_rng(devices=[]):  # drawing weights that are replaced moves no one's dice
        smaller = BiLM(settings)
    smaller.load_state_dict(weights)
    return Shrunk(smaller.eval().requires_grad_(False), neurons, kept, places)


def _norms(weights: dict[str, Tensor], block: str, anatomy: _Anatomy) -> Tensor:
    """The norm of each neuron's weights, of shape (neurons,)."""
    outgoing = weights[f"{block}.{anatomy.outgoing}"]  # (dim, neurons)
    squares = outgoing.square().sum(dim=0)
    for part in anatomy.incoming:
        matrix = weights[f"{block}.{part}"]
        if matrix.dim() == 2:  # not a bias
            squares = squares + matrix.square().sum(dim=1).reshape(anatomy.gates, -1).sum(dim=0)
    return squares.sqrt()


def _check(settings: BiLMSettings, sparsity: float, kept: int, name: str) -> None:
    try:
        architecture_of(settings)
    except ModelError as error:
        raise UsageError(
            f"{kept} neurons would be left, which {name} does not allow ({error.what})",
            where=f"--sparsity {sparsity:g}",
            cure="ask for less",
        ) from error
