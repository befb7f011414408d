"""An encoder, pruned and written to a folder, from which it is an encoder like any other."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from ..core import files, provenance, registry
from ..core.errors import ModelError, UsageError
from .base import Encoder
from .bilm import BiLM, count_parameters
from .bilm_encoder import BiLMEncoder
from .checkpoint import CARD, save_encoder
from .contextual_matrices import Matrix, contextual_matrices
from .gradient_scores import GradientScore, gradient_scores, load_language_model, same_weights
from .huggingface import HuggingFaceEncoder
from .model_folder import encoder_half, quiet
from .neuron_removal import remove_neurons
from .pruning import Scope, Score, keep_masks, two_of_four, weight_scores
from .training_text import Text

Structure = Literal["weights", "neurons", "2:4"]


@dataclass(frozen=True)
class Pruning:
    """How an encoder is pruned; ``sparsity`` is the share of weights, or of neurons, that go.

    The scores ``movement`` and ``obd`` read ``windows`` windows of ``text``.
    """

    score: Score | GradientScore = "magnitude"
    structure: Structure = "weights"
    scope: Scope = "global"
    sparsity: float = 0.5
    seed: int = 0
    windows: int = 64
    text: Text | None = None

    def describe(self) -> dict[str, Any]:
        """What decides the result and nothing else: magnitudes are not drawn from a seed."""
        facts: dict[str, Any] = {
            "score": self.score,
            "structure": self.structure,
            "scope": self.scope,
            "sparsity": self.sparsity,
            "seed": self.seed,
        }
        if self.text is not None and self.score in ("movement", "obd"):
            facts |= {"windows": self.windows, "text": self.text.sources}
        if self.score == "magnitude":
            del facts["seed"]
        if self.structure != "weights":
            del facts["scope"]
        return facts


@dataclass(frozen=True)
class Pruned:
    """A pruned model, whole, and what its card tells of it."""

    model: Any
    tokenizer: Any
    counts: dict[str, Any]


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
        whole: Any = copy.deepcopy(encoder._model).cpu()
        if pruning.structure == "neurons":
            return _without_neurons(whole, pruning)
        return Pruned(whole, None, _zero(whole, pruning, encoder.name))
    if not isinstance(encoder, HuggingFaceEncoder):
        raise UsageError(
            "is neither a biLM nor a Hugging Face model",
            where=f"encoder {encoder.name}",
            cure="take transformer, lstm, gated_cnn, local:FOLDER or hf:MODEL",
        )
    if pruning.structure == "neurons":
        raise UsageError(
            "neurons are removed from biLMs alone",
            where=f"encoder {encoder.name}",
            cure="--structure weights or 2:4",
        )
    whole = _whole(encoder)
    return Pruned(
        whole, encoder._loaded.tokenizer, _zero(encoder_half(whole), pruning, encoder.name)
    )


def is_written(folder: Path, encoder: Encoder, pruning: Pruning) -> bool:
    """Whether the folder holds this very encoder. Raises UsageError when it holds another."""
    if not (folder / CARD).exists():
        return False
    card = files.read_json(folder / CARD)
    if isinstance(card, dict) and card.get("identity") == _identity(encoder, pruning):
        return True
    raise UsageError(
        "holds another encoder", where=str(folder), cure="name another --output, or remove it"
    )


def write(folder: Path, encoder: Encoder, pruning: Pruning, pruned: Pruned) -> None:
    """Write the encoder, its card last: a folder without one is not finished."""
    head, _, rest = encoder.name.partition(":")
    card = {
        # A folder by its last name alone: a card tells no one's folders.
        "source": f"{head}:{Path(rest).name}" if rest else head,
        "identity": _identity(encoder, pruning),
        "pruning": pruning.describe() | pruned.counts,
        "provenance": provenance.describe(),
    }
    if isinstance(pruned.model, BiLM):
        save_encoder(folder, pruned.model, card)
        return
    with tempfile.TemporaryDirectory() as made, quiet():
        pruned.model.save_pretrained(made)
        pruned.tokenizer.save_pretrained(made)
        for path in sorted(Path(made).iterdir()):
            with path.open("rb") as source, files.atomic_writer(folder / path.name) as stream:
                while chunk := source.read(1 << 24):
                    stream.write(chunk)
    files.write_json(folder / CARD, card)


def _identity(encoder: Encoder, pruning: Pruning) -> dict[str, Any]:
    return {"source_fingerprint": encoder.fingerprint} | pruning.describe()


def _zero(model: Any, pruning: Pruning, name: str) -> dict[str, Any]:
    """Set weights of the model to 0, and tell which matrices were looked at and how many are 0."""
    matrices = contextual_matrices(model)
    values = [matrix.values for matrix in matrices]
    scores = _scores(model, values, pruning, name)
    if pruning.structure == "2:4":
        masks = two_of_four(scores, [_axis_of_fours(matrix) for matrix in matrices])
    else:
        masks = keep_masks(scores, pruning.scope, pruning.sparsity)
    for matrix, kept in zip(matrices, masks, strict=True):
        matrix.zero(kept)
    zeros = [int((matrix.values == 0).sum()) for matrix in matrices]
    sizes = [value.numel() for value in values]
    return {
        "counted": sum(sizes),
        "zeros": sum(zeros),
        "matrices": {
            matrix.name: {"weights": size, "zeros": zero}
            for matrix, size, zero in zip(matrices, sizes, zeros, strict=True)
        },
    }


def _scores(model: Any, values: Sequence[Tensor], pruning: Pruning, name: str) -> Sequence[Tensor]:
    """The scores of the model's contextual matrices, by their values or by their gradients."""
    if pruning.score == "magnitude" or pruning.score == "random":
        return weight_scores(values, pruning.score, pruning.seed)
    if pruning.text is None:
        raise UsageError("asks running text", where=f"--score {pruning.score}", cure="--text FILE")
    head, folder = registry.split_name(name)
    if head != "local":
        raise UsageError(
            "asks the softmax of a training, which only a folder of probe pretrain has",
            where=f"--score {pruning.score}",
            cure="take local:FOLDER, or --score magnitude",
        )
    language_model, vocabulary = load_language_model(Path(folder))
    if not same_weights(language_model.bilm, model):
        raise ModelError(
            "the training that is kept there is not this encoder's", where=name, cure="train it on"
        )
    return gradient_scores(
        language_model, vocabulary, pruning.text, pruning.score, pruning.windows, pruning.seed
    )


def _axis_of_fours(matrix: Matrix) -> int:
    shape = tuple(matrix.values.shape)
    if matrix.inputs is None or shape[matrix.inputs] % 4:
        raise UsageError(
            f"{matrix.name} of the shape {shape} has no inputs in fours",
            where="--structure 2:4",
            cure="--structure weights",
        )
    return matrix.inputs


def _without_neurons(model: BiLM, pruning: Pruning) -> Pruned:
    if pruning.score not in ("magnitude", "random"):
        raise UsageError(
            "scores weights, not neurons",
            where=f"--score {pruning.score}",
            cure="--score magnitude or random",
        )
    before = count_parameters([model.forward_stack, model.backward_stack])
    shrunk = remove_neurons(model, pruning.score, pruning.sparsity, pruning.seed)
    smaller = shrunk.model
    counts = {
        "neurons_a_block": shrunk.neurons,
        "kept_a_block": shrunk.kept,
        "blocks": sorted(shrunk.places),
        "contextual_parameters": {
            "before": before,
            "after": count_parameters([smaller.forward_stack, smaller.backward_stack]),
        },
    }
    return Pruned(smaller, None, counts)


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
    encoder_half(whole).load_state_dict(loaded.model.state_dict())
    return whole.eval().requires_grad_(False)
