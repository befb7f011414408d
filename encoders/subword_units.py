"""Neurons and heads of Hugging Face models, and their removal.

The library has no such removal (``prune_heads`` went with transformers 5), so the maps are found by
their names and cut, and what comes out is compared with the whole model whose outgoing weights of
the same units are 0: a model whose code is not what its names promise is refused, not spoilt.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..core.errors import ModelError, UsageError
from .pruning import Score
from .smaller_maps import replace
from .units import Block, Part, kept_units, narrowed, unit_scores


class _Names(NamedTuple):
    """The maps of a block that lead to the units, and the one that leads away."""

    incoming: tuple[str, ...]
    outgoing: str


_NEURONS = (
    _Names(("intermediate.dense",), "output.dense"),  # BERT and its kin
    _Names(("ffn.lin1",), "ffn.lin2"),  # DistilBERT
    _Names(("ffn",), "ffn_output"),  # ALBERT
    _Names(("mlp.c_fc",), "mlp.c_proj"),  # GPT-2
    _Names(("fc1",), "fc2"),  # OPT
    _Names(("mlp.gate_proj", "mlp.up_proj"), "mlp.down_proj"),  # Llama
    _Names(("mlp.dense_h_to_4h",), "mlp.dense_4h_to_h"),  # GPT-NeoX
)
_HEADS = (
    _Names(
        tuple(f"attention.self.{n}" for n in ("query", "key", "value")), "attention.output.dense"
    ),
    _Names(tuple(f"attention.{n}_lin" for n in "qkv"), "attention.out_lin"),
    _Names(tuple(f"self_attn.{n}_proj" for n in "qkv"), "self_attn.o_proj"),
)
_WIDTHS = ("attention_head_size", "head_dim")  # how attention modules call a head's width
_SETTINGS = ("intermediate_size", "hidden_dim", "n_inner", "ffn_dim")
_TOLERANCE = 1e-4  # of the largest state


def find_blocks(model: Any, kind: str, where: str) -> list[Block]:
    """Where the ``neurons`` or ``heads`` of a model are. Raises UsageError where it has none."""
    if not getattr(model.config, "is_encoder_decoder", False):
        modules = dict(model.named_modules())
        for names in _NEURONS if kind == "neurons" else _HEADS:
            ending = f".{names.outgoing}"
            prefixes = [name.removesuffix(ending) for name in modules if name.endswith(ending)]
            found = [
                block
                for prefix in prefixes
                if (block := _block(modules, prefix, names, kind)) is not None
            ]
            if found:
                return found
    raise UsageError(
        f"{type(model).__name__} has no {kind} that can be removed",
        where=f"encoder {where}",
        cure="--structure weights or 2:4",
    )


def remove_units(
    whole: Any, kinds: Sequence[str], score: Score, sparsity: float, seed: int, where: str
) -> dict[str, Any]:
    """Remove units of each kind from the model itself, and tell how many of each are left.

    ``round(sparsity * units)`` go from each block. Raises UsageError for a model without units or
    where none would be left, ModelError where the smaller model would not do as the whole does.
    """
    weights = {name: tensor.detach() for name, tensor in whole.state_dict().items()}
    expected = copy.deepcopy(whole)
    facts: dict[str, Any] = {}
    changed: dict[str, Tensor] = dict(weights)
    names: dict[str, None] = {}
    for kind in kinds:
        blocks = find_blocks(whole, kind, where)
        scores = unit_scores(blocks, weights, score, seed)
        places = kept_units(blocks, scores, sparsity, kind)
        _silence(expected, blocks, places)
        changed = narrowed(changed, blocks, places)
        names |= dict.fromkeys(part.name for block in blocks for part in block.parts)
        kept = len(places[blocks[0].name])
        facts[kind] = {"a_block": blocks[0].units, "kept": kept}
        facts["blocks"] = sorted({block.name for block in blocks} | set(facts.get("blocks", ())))
        if kind == "neurons":
            _tell(whole.config, blocks[0].units, kept, where)
    for name in names:
        replace(whole, name, changed[name])
    _compare(expected, whole, where)
    return facts


def _block(modules: Mapping[str, Any], prefix: str, names: _Names, kind: str) -> Block | None:
    """The block behind a prefix; None where its maps are not those of the names."""
    into = [f"{prefix}.{name}" for name in names.incoming]
    out = f"{prefix}.{names.outgoing}"
    if not all(name in modules for name in into):
        return None
    axis = 1 if type(modules[out]).__name__ == "Conv1D" else 0
    if any(modules[name].weight.dim() != 2 for name in (*into, out)):
        return None
    sizes = {modules[name].weight.shape[axis] for name in into}
    sizes.add(modules[out].weight.shape[1 - axis])
    if len(sizes) > 1:  # queries share keys and values
        return None
    size = sizes.pop()
    width = _head_width(modules, into[0]) if kind == "heads" else 1
    if not width or size % width:
        return None
    return Block(
        prefix,
        size // width,
        tuple(Part(f"{name}.weight", axis=axis, width=width) for name in into),
        tuple(Part(f"{name}.bias", width=width) for name in into if modules[name].bias is not None),
        Part(f"{out}.weight", axis=1 - axis, width=width),
    )


def _head_width(modules: Mapping[str, Any], name: str) -> int:
    """What the module that holds a map says of it; 0 where it says nothing."""
    holder = modules[name.rpartition(".")[0]]
    return next((int(getattr(holder, each)) for each in _WIDTHS if hasattr(holder, each)), 0)


def _tell(config: Any, units: int, kept: int, where: str) -> None:
    """Write the new number of neurons into the configuration, from which the model is loaded."""
    for setting in _SETTINGS:
        if hasattr(config, setting):
            value = getattr(config, setting)
            if value == units or (value is None and setting == "n_inner"):
                setattr(config, setting, kept)
                return
    raise UsageError(
        "has no setting that counts the neurons",
        where=f"encoder {where}",
        cure="--structure weights or 2:4",
    )


def _silence(model: Any, blocks: Sequence[Block], places: Mapping[str, Tensor]) -> None:
    """Set the outgoing weights of the units that do not stay to 0."""
    with torch.no_grad():
        for block in blocks:
            gone = torch.ones(block.units, dtype=torch.bool)
            gone[places[block.name]] = False
            columns = gone.repeat_interleave(block.outgoing.width)
            weight = model.get_parameter(block.outgoing.name)
            weight.movedim(block.outgoing.axis, 0)[columns] = 0


@torch.no_grad()
def _compare(expected: nn.Module, found: nn.Module, where: str) -> None:
    """Raise ModelError unless both models have the same states."""
    ids = torch.arange(8)[None] % int(getattr(expected.config, "vocab_size", 8))
    try:
        pairs = zip(
            expected(input_ids=ids, output_hidden_states=True).hidden_states,
            found(input_ids=ids, output_hidden_states=True).hidden_states,
            strict=True,
        )
        same = all(
            bool((a - b).abs().max() <= _TOLERANCE * a.abs().max().clamp(min=1)) for a, b in pairs
        )
    except (RuntimeError, ValueError):  # shapes that its code does not take
        same = False
    if not same:
        raise ModelError(
            "its code does not do without them what it does with them at 0",
            where=f"encoder {where}",
            cure="--structure weights or 2:4",
        )
