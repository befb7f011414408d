"""Scores that ask running text: how the language model's loss would change without a weight.

``movement`` is the first-order change |w * dL/dw|, with the mean gradient over the text; the sum of
Sanh et al. 2020 (arXiv 2005.07683, section 3) is over the steps of a training, of which one-shot
pruning has none, so the weights stand still here. ``obd`` is the second-order change w^2 * h / 2
of LeCun et al. 1990 (Optimal Brain Damage, section 2), where the diagonal h of the Hessian is taken
to be the empirical Fisher information: the mean square of the gradients of single windows.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from ..core import files
from ..core.errors import DataError, ModelError, UsageError
from .bilm import BiLM, BiLMSettings
from .checkpoint import CARD, SETTINGS, load_tensors
from .contextual_matrices import contextual_matrices
from .language_model import LanguageModel
from .pretrain import TRAINING, VOCABULARY
from .pruning import zeros_lowest
from .training_text import Text, Windows, make_batch, targets_by_type
from .units import Block

GradientScore = Literal["movement", "obd"]


def load_language_model(folder: Path) -> tuple[LanguageModel, list[str]]:
    """The biLM of a folder with the softmax that it was trained with, and its vocabulary.

    Raises UsageError for a folder without the softmax, ModelError for one that is damaged.
    """
    if not (folder / TRAINING).exists():
        raise UsageError(
            f"has no {TRAINING}: its softmax is not kept",
            where=str(folder),
            cure="take a folder of probe pretrain, or --score magnitude",
        )
    try:
        training = files.read_json(folder / CARD)["training"]
        vocabulary = (
            (folder / VOCABULARY).read_text(encoding="utf-8").removesuffix("\n").split("\n")
        )
        settings = BiLMSettings(**files.read_json(folder / SETTINGS))
        kind, samples = training["softmax"], training["samples"]
        with torch.random.fork_rng(devices=[]):
            model = LanguageModel(settings, len(vocabulary), kind, samples)
        tensors, _ = load_tensors(folder / TRAINING)
        model.load_state_dict({name: tensors[f"model.{name}"] for name in model.state_dict()})
    except (DataError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(
            "its training cannot be read", where=str(folder), cure="--score magnitude"
        ) from error
    return model.eval(), vocabulary


def gradient_scores(
    model: LanguageModel,
    vocabulary: Sequence[str],
    text: Text,
    score: GradientScore,
    windows: int,
    seed: int = 0,
) -> list[Tensor]:
    """The scores of ``contextual_matrices(model.bilm)``, in order, each of its matrix's shape.

    ``windows`` windows of the text are drawn from the seed (all of it, where it has no more). The
    loss is the mean surprisal of a word in nats by the full softmax, over both directions.
    Raises DataError for a text shorter than a window.
    """
    values = [matrix.values for matrix in contextual_matrices(model.bilm)]
    sums = [torch.zeros_like(value) for value in values]
    count = 0
    for gradients in _of_windows(model, vocabulary, text, windows, seed):
        count += 1
        for total, gradient in zip(sums, gradients, strict=True):
            total += gradient if score == "movement" else gradient.square()
    if score == "movement":
        found = [(w * total / count).abs() for w, total in zip(values, sums, strict=True)]
    else:
        found = [w.square() * total / (2 * count) for w, total in zip(values, sums, strict=True)]
    return zeros_lowest(values, found)


def unit_gradient_scores(
    model: LanguageModel,
    vocabulary: Sequence[str],
    text: Text,
    score: GradientScore,
    windows: int,
    blocks: Sequence[Block],
    seed: int = 0,
) -> dict[str, Tensor]:
    """Of each block of ``model.bilm`` the scores of its neurons or heads, of shape (units,).

    They are those of a gate that multiplies what a unit puts out and is 1: of ``movement`` the
    first-order change without it, |dL/dgate| (Michel et al. 2019, arXiv 1905.10650, section 2.2,
    who take the mean of the absolute values where the text's mean gradient stands here), of
    ``obd`` the second-order change, half the mean square of the gradients of single windows. The
    gradient of a gate is the sum of w * dL/dw over the unit's outgoing weights.
    """
    matrices = contextual_matrices(model.bilm)
    places = {matrix.name: place for place, matrix in enumerate(matrices)}
    outgoing = {block: places[block.outgoing.name] for block in blocks}
    sums = {block.name: torch.zeros(block.units) for block in blocks}
    count = 0
    for gradients in _of_windows(model, vocabulary, text, windows, seed):
        count += 1
        for block, place in outgoing.items():
            products = matrices[place].values * gradients[place]
            gate = block.outgoing.by_unit(products).sum(dim=(0, 2, 3))  # (units,)
            sums[block.name] += gate if score == "movement" else gate.square()
    if score == "movement":
        return {name: (total / count).abs() for name, total in sums.items()}
    return {name: total / (2 * count) for name, total in sums.items()}


def _of_windows(
    model: LanguageModel, vocabulary: Sequence[str], text: Text, windows: int, seed: int
) -> Iterator[Sequence[Tensor]]:
    """The gradients of the loss of a window after another, of all contextual matrices in order."""
    size = model.bilm.settings.window
    if len(text.words) < size:
        raise DataError(f"fewer words than one window of {size}", where="--text")
    model = copy.deepcopy(model).eval().requires_grad_()  # the caller's may be frozen, or learning
    matrices = contextual_matrices(model.bilm)
    targets = targets_by_type(text.types, vocabulary)
    draw = Windows(text, window=size, batch=1, seed=seed)
    for step in range(min(windows, draw.count)):
        codes = model.bilm.characters.codes
        batch = make_batch(draw(step), text, targets, codes).to(str(matrices[0].values.device))
        # Cached, a normalised weight is one tensor, what the module computes with.
        with parametrize.cached():
            weights = [getattr(matrix.module, matrix.attribute) for matrix in matrices]
            forward, backward = model.surprisals(batch)
            loss = (forward + backward) / (2 * size)
            yield torch.autograd.grad(loss, weights)


def same_weights(model: BiLM, other: BiLM) -> bool:
    """Whether two biLMs are one: an encoder may be pruned by the gradients of its own alone."""
    mine, theirs = model.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(
        torch.equal(tensor.cpu(), theirs[name]) for name, tensor in mine.items()
    )
