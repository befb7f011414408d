"""Neurons and heads: which of a block's weights belong to which, their scores, and their removal.

A unit has rows in some tensors, through which it is reached, and columns in one matrix, through
which it acts; without it both are gone (the structured pruning of Hoefler et al. 2021, arXiv
2102.00554, section 3.3). Nothing here knows what model the tensors are of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..core.errors import UsageError
from .pruning import Score, check_sparsity, lowest


class Part(NamedTuple):
    """A tensor of which each unit has a share.

    Along ``axis`` lie ``groups`` (the gates of an LSTM; queries, keys and values) of all units, of
    which each has ``width`` neighbours (of a head its width).
    """

    name: str
    axis: int = 0
    groups: int = 1
    width: int = 1

    def by_unit(self, tensor: Tensor) -> Tensor:
        """The tensor as (groups, units, width, rest)."""
        first = tensor.movedim(self.axis, 0)
        rest = first[0].numel()
        return first.reshape(self.groups, -1, self.width, rest)

    def take(self, tensor: Tensor, places: Tensor) -> Tensor:
        """The tensor with the units at ``places``, of shape (kept,), alone."""
        first = tensor.movedim(self.axis, 0)
        units = first.reshape(self.groups, -1, self.width, *first.shape[1:])
        return units[:, places].flatten(0, 2).movedim(0, self.axis).contiguous()


class Block(NamedTuple):
    """``units`` neurons or heads; ``biases`` are vectors among what leads to them."""

    name: str
    units: int
    incoming: tuple[Part, ...]
    biases: tuple[Part, ...]
    outgoing: Part

    @property
    def parts(self) -> tuple[Part, ...]:
        """All of them."""
        return *self.incoming, *self.biases, self.outgoing


def unit_scores(
    blocks: Sequence[Block], weights: Mapping[str, Tensor], score: Score, seed: int = 0
) -> dict[str, Tensor]:
    """Of each block the scores of its units, of shape (units,); the lowest are removed first.

    ``magnitude`` is the Euclidean norm of all weights that go with a unit, biases aside.
    """
    if score == "magnitude":
        return {
            block.name: torch.stack(
                [
                    part.by_unit(weights[part.name]).square().sum(dim=(0, 2, 3))
                    for part in (block.outgoing, *block.incoming)
                ]
            )
            .sum(dim=0)
            .sqrt()
            for block in blocks
        }
    generator = torch.Generator().manual_seed(seed)
    return {block.name: torch.randperm(block.units, generator=generator) for block in blocks}


def kept_units(
    blocks: Sequence[Block], scores: Mapping[str, Tensor], sparsity: float, what: str
) -> dict[str, Tensor]:
    """Of each block the places of those that stay, ascending, of shape (kept,).

    ``round(sparsity * units)`` go from each block. Raises UsageError where none would stay.
    """
    check_sparsity(sparsity)
    places = {}
    for block in blocks:
        gone = round(sparsity * block.units)
        if gone == block.units:
            raise UsageError(
                f"none of {block.units} {what} would be left in a block",
                where=f"--sparsity {sparsity:g}",
                cure="ask for less",
            )
        places[block.name] = (~lowest(scores[block.name], gone)).nonzero()[:, 0]
    return places


def narrowed(
    weights: Mapping[str, Tensor], blocks: Sequence[Block], places: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The tensors without the units that do not stay; those of no unit as they are."""
    found = dict(weights)
    for block in blocks:
        for part in block.parts:
            found[part.name] = part.take(found[part.name], places[block.name])
    return found
