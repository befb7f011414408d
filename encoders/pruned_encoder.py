"""An encoder, pruned and written to a folder, from which it is an encoder like any other."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core import files, provenance, registry
from ..core.errors import ModelError, UsageError
from .base import Encoder
from .bilm import BiLM, count_parameters
from .bilm_encoder import BiLMEncoder
from .checkpoint import CARD, save_encoder
from .contextual_matrices import Matrix, contextual_matrices
from .gradient_scores import (
    GradientScore,
    gradient_scores,
    load_language_model,
    same_weights,
    unit_gradient_scores,
)
from .head_removal import head_blocks, remove_heads
from .huggingface import HuggingFaceEncoder
from .language_model import LanguageModel, perplexity
from .model_folder import SMALLER, encoder_half, quiet
from .neuron_removal import neuron_blocks, remove_neurons
from .pretrain import TRAINING
from .pruning import keep_masks, two_of_four, weight_scores
from .pruning_plan import SHRINKING, Pruning
from .smaller_maps import cut_to, smaller_than_configured
from .subword_units import remove_units
from .training_text import Text
from .units import Block, unit_scores


@dataclass(frozen=True)
class Pruned:
    """A pruned model, whole, and what its card tells of it."""

    model: Any
    tokenizer: Any
    counts: dict[str, Any]
    perplexities: dict[str, Any] = field(default_factory=dict)


def prune(encoder: Encoder, pruning: Pruning) -> Pruned:
    """A pruned copy of a biLM or of a Hugging Face model; the encoder stays as it is.

    Raises UsageError for an encoder of another kind, or one that cannot be pruned in this way.
    """
    if pruning.structure == "2:4" and pruning.sparsity != 0.5:
        raise UsageError(
            "two of each four weights are a half",
            where=f"--sparsity {pruning.sparsity:g}",
            cure="--sparsity 0.5",
        )
    if type(encoder) is BiLMEncoder:  # ELMo's, a subclass, has words of its own
        whole: BiLM = copy.deepcopy(encoder._model).cpu()
        if pruning.structure in SHRINKING:
            found = _without_units(whole, pruning, encoder.name)
        else:
            found = Pruned(whole, None, _zero(whole, pruning, encoder.name))
        if pruning.held_out is not None:
            found.perplexities.update(_perplexities(found.model, encoder, pruning.held_out))
        return found
    if not isinstance(encoder, HuggingFaceEncoder):
        raise UsageError(
            "is neither a biLM nor a Hugging Face model",
            where=f"encoder {encoder.name}",
            cure="take transformer, lstm, gated_cnn, searched, local:FOLDER or hf:MODEL",
        )
    if pruning.held_out is not None:
        raise UsageError(
            "has no softmax that predicts it", where="--held-out", cure="leave it away"
        )
    model = _whole(encoder)
    half = encoder_half(model)
    if pruning.structure in SHRINKING:
        counts = _shrink(half, pruning, encoder.name)
    else:
        counts = _zero(half, pruning, encoder.name)
    return Pruned(model, encoder._loaded.tokenizer, counts)


def is_written(folder: Path, identity: dict[str, Any]) -> bool:
    """Whether the folder holds this very encoder. Raises UsageError when it holds another."""
    if not (folder / CARD).exists():
        return False
    card = files.read_json(folder / CARD)
    if isinstance(card, dict) and card.get("identity") == identity:
        return True
    raise UsageError(
        "holds another encoder", where=str(folder), cure="name another --output, or remove it"
    )


def write(folder: Path, encoder: Encoder, pruning: Pruning, pruned: Pruned) -> None:
    """Write the encoder, its card last: a folder without one is not finished."""
    card = {
        "source": source_name(encoder),
        "identity": identity_of(encoder, pruning),
        "pruning": pruning.describe() | pruned.counts,
        **pruned.perplexities,
        "provenance": provenance.describe(),
    }
    if isinstance(pruned.model, BiLM):
        save_encoder(folder, pruned.model, card)
        return
    if smaller := smaller_than_configured(pruned.model):
        card[SMALLER] = smaller
    with tempfile.TemporaryDirectory() as made, quiet():
        pruned.model.save_pretrained(made)
        pruned.tokenizer.save_pretrained(made)
        for path in sorted(Path(made).iterdir()):
            with path.open("rb") as source, files.atomic_writer(folder / path.name) as stream:
                while chunk := source.read(1 << 24):
                    stream.write(chunk)
    files.write_json(folder / CARD, card)


def identity_of(encoder: Encoder, pruning: Pruning) -> dict[str, Any]:
    """What decides a pruned encoder."""
    return {"source_fingerprint": encoder.fingerprint} | pruning.describe()


def source_name(encoder: Encoder) -> str:
    """The encoder's name; a folder by its last name alone: a card tells no one's folders."""
    head, _, rest = encoder.name.partition(":")
    return f"{head}:{Path(rest).name}" if rest else head


def zeros_of(model: Any) -> dict[str, Any]:
    """Which matrices of a model were looked at, and how many of their weights are 0."""
    matrices = contextual_matrices(model)
    zeros = [int((matrix.values == 0).sum()) for matrix in matrices]
    sizes = [matrix.values.numel() for matrix in matrices]
    return {
        "counted": sum(sizes),
        "zeros": sum(zeros),
        "matrices": {
            matrix.name: {"weights": size, "zeros": zero}
            for matrix, size, zero in zip(matrices, sizes, zeros, strict=True)
        },
    }


def _zero(model: Any, pruning: Pruning, name: str) -> dict[str, Any]:
    """Set weights of the model to 0, and tell which and how many."""
    matrices = contextual_matrices(model)
    values = [matrix.values for matrix in matrices]
    scores = _scores(model, values, pruning, name)
    if pruning.structure == "2:4":
        masks = two_of_four(scores, [_axis_of_fours(matrix) for matrix in matrices])
    else:
        masks = keep_masks(scores, pruning.scope, pruning.sparsity)
    for matrix, kept in zip(matrices, masks, strict=True):
        matrix.zero(kept)
    return zeros_of(model)


def _scores(model: Any, values: Sequence[Tensor], pruning: Pruning, name: str) -> Sequence[Tensor]:
    """The scores of the model's contextual matrices, by their values or by their gradients."""
    if pruning.score == "magnitude" or pruning.score == "random":
        return weight_scores(values, pruning.score, pruning.seed)
    score, text, language_model, vocabulary = _asked(model, pruning, name)
    return gradient_scores(language_model, vocabulary, text, score, pruning.windows, pruning.seed)


def _asked(
    model: BiLM, pruning: Pruning, name: str
) -> tuple[GradientScore, Text, LanguageModel, list[str]]:
    """What scores by gradients are asked of: the text, and the model's own softmax."""
    score = pruning.score
    assert score == "movement" or score == "obd"
    if pruning.text is None:
        raise UsageError("asks running text", where=f"--score {score}", cure="--text FILE")
    head, folder = registry.split_name(name)
    if head != "local":
        raise UsageError(
            "asks the softmax of a training, which only a folder of probe pretrain has",
            where=f"--score {score}",
            cure="take local:FOLDER, or --score magnitude",
        )
    language_model, vocabulary = load_language_model(Path(folder))
    if not same_weights(language_model.bilm, model):
        raise ModelError(
            "the training that is kept there is not this encoder's", where=name, cure="train it on"
        )
    return score, pruning.text, language_model, vocabulary


def _perplexities(pruned: BiLM, encoder: BiLMEncoder, held_out: Text) -> dict[str, Any]:
    """The perplexity of the source and of the pruned biLM, both by the source's softmax."""
    head, folder = registry.split_name(encoder.name)
    if head != "local" or not (Path(folder) / TRAINING).exists():
        raise UsageError(
            f"{encoder.name} has no softmax that predicts it",
            where="--held-out",
            cure="leave it away, or take a folder of probe pretrain",
        )
    model, vocabulary = load_language_model(Path(folder))
    before = perplexity(model, held_out, vocabulary, "cpu")
    model.bilm = copy.deepcopy(pruned)  # it is left in training
    return {
        "held_out_perplexity_before": before,
        "held_out_perplexity": perplexity(model, held_out, vocabulary, "cpu"),
    }


def _axis_of_fours(matrix: Matrix) -> int:
    shape = tuple(matrix.values.shape)
    if matrix.inputs is None or shape[matrix.inputs] % 4:
        raise UsageError(
            f"{matrix.name} of the shape {shape} has no inputs in fours",
            where="--structure 2:4",
            cure="--structure weights",
        )
    return matrix.inputs


def _without_units(model: BiLM, pruning: Pruning, name: str) -> Pruned:
    """Remove neurons, heads or both; all scores are those of the whole model."""
    before = count_parameters([model.forward_stack, model.backward_stack])
    kinds = pruning.structure.split(",")
    blocks = {kind: (neuron_blocks if kind == "neurons" else head_blocks)(model) for kind in kinds}
    scores = {kind: _unit_scores(model, blocks[kind], pruning, name) for kind in kinds}
    smaller = model
    counts: dict[str, Any] = {}
    for kind in kinds:
        remove = remove_neurons if kind == "neurons" else remove_heads
        smaller, units, kept, _ = remove(smaller, scores[kind], pruning.sparsity)
        counts[kind] = {"a_block": units, "kept": kept}
    counts["blocks"] = sorted({block.name for found in blocks.values() for block in found})
    after = count_parameters([smaller.forward_stack, smaller.backward_stack])
    counts["contextual_parameters"] = {"before": before, "after": after}
    return Pruned(smaller, None, counts)


def _unit_scores(
    model: BiLM, blocks: Sequence[Block], pruning: Pruning, name: str
) -> dict[str, Tensor]:
    if pruning.score == "magnitude" or pruning.score == "random":
        weights = {name: tensor.detach() for name, tensor in model.state_dict().items()}
        return unit_scores(blocks, weights, pruning.score, pruning.seed)
    score, text, language_model, vocabulary = _asked(model, pruning, name)
    return unit_gradient_scores(
        language_model, vocabulary, text, score, pruning.windows, blocks, pruning.seed
    )


def _shrink(model: Any, pruning: Pruning, name: str) -> dict[str, Any]:
    """Remove neurons, heads or both from a Hugging Face model."""
    if pruning.score not in ("magnitude", "random"):
        raise UsageError(
            "asks the softmax of a training, which only a folder of probe pretrain has",
            where=f"--score {pruning.score}",
            cure="take local:FOLDER, or --score magnitude",
        )
    before = sum(matrix.values.numel() for matrix in contextual_matrices(model))
    kinds = pruning.structure.split(",")
    facts = remove_units(model, kinds, pruning.score, pruning.sparsity, pruning.seed, name)
    after = sum(matrix.values.numel() for matrix in contextual_matrices(model))
    return facts | {"contextual_parameters": {"before": before, "after": after}}


def _whole(encoder: HuggingFaceEncoder) -> Any:
    """A fresh model of the encoder's class with its weights; with the decoder that it came with.

    The encoder's own model holds its linear maps in a layout of its own.
    """
    loaded = encoder._loaded
    with quiet(), torch.random.fork_rng(devices=[]):
        if getattr(loaded.config, "is_encoder_decoder", False):
            whole = loaded.whole.from_pretrained(
                loaded.config._name_or_path,
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.float32,
            )
        else:
            whole = loaded.whole(loaded.config).to(torch.float32)
    cut_to(encoder_half(whole), {n: t.shape for n, t in loaded.model.named_parameters()})
    encoder_half(whole).load_state_dict(loaded.model.state_dict())
    return whole.eval().requires_grad_(False)
