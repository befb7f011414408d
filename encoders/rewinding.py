"""What a training is set back to: the weights that it began with, or those of an early state.

A finished folder of ``probe pretrain`` keeps its last weights alone. Its first ones can be drawn
again from the seed of its card; for a later moment a second folder is needed, of the same command,
that was interrupted there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core.errors import ModelError, UsageError
from ..core.files import sha256_of
from .bilm import BiLMSettings
from .checkpoint import load_tensors
from .language_model import LanguageModel
from .pretrain import TRAINING, VOCABULARY
from .training_settings import TrainingSettings

FIRST = "first"


@dataclass(frozen=True)
class Rewind:
    """The weights of a language model by name, after the share ``begun`` of its training."""

    weights: dict[str, Tensor]
    begun: float
    facts: dict[str, Any]


def find_rewind(asked: str, model: LanguageModel, words: int, training: TrainingSettings) -> Rewind:
    """``first``, or a folder whose training was interrupted.

    ``model`` is what will be pruned, with ``words`` in its vocabulary and trained by the settings.
    Raises UsageError for a folder without a training, or with one of another model.
    """
    if asked == FIRST:
        return Rewind(_first(model.bilm.settings, words, training), 0.0, {"to": FIRST})
    return _of_folder(Path(asked), model, words)


def _first(settings: BiLMSettings, words: int, training: TrainingSettings) -> dict[str, Tensor]:
    """The weights as ``pretrain.make_trainer`` draws them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        drawn = LanguageModel(settings, words, training.output_layer, training.samples)
    return drawn.state_dict()


def _of_folder(folder: Path, model: LanguageModel, words: int) -> Rewind:
    where = f"--rewind {folder}"
    path = folder / TRAINING
    if not path.exists():
        raise UsageError(
            f"has no {TRAINING}", where=where, cure=f"name a folder of probe pretrain, or {FIRST}"
        )
    tensors, note = load_tensors(path)
    try:
        identity = json.loads(note["identity"])
        settings = BiLMSettings(**identity["settings"])
        fields = {
            k: v for k, v in identity["training"].items() if k in TrainingSettings.model_fields
        }
        training = TrainingSettings(**fields)
        total = training.budget.total(training.windows * settings.window)
        begun = training.budget.spent(int(note["step"]), float(note["seconds"])) / total
        vocabulary = (folder / VOCABULARY).read_text(encoding="utf-8").removesuffix("\n")
        weights = {name: tensors[f"model.{name}"] for name in model.state_dict()}
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise ModelError(
            "not the state of a training of this model", where=where, cure=f"--rewind {FIRST}"
        ) from error
    if settings != model.bilm.settings or vocabulary.count("\n") + 1 != words:
        raise UsageError(
            "holds the training of another model", where=where, cure="name one of the same command"
        )
    facts = {"to": folder.name, "step": int(note["step"]), "sha256": sha256_of(path)}
    return Rewind(weights, min(begun, 1.0), facts)
