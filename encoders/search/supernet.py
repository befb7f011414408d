"""One store of weights for all cells of a space: each takes what belongs to its nodes.

(Pham et al. 2018, arXiv 1802.03268, whose cells share the weights of a node; Guo et al. 2020,
arXiv 1904.00420, section 3.2, who train them on cells that are drawn uniformly.)
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import nn

from ...core.errors import DataError, UsageError
from ..cell_execution import CellLayer
from ..language_model import LanguageModel
from ..training_settings import rate
from ..training_text import make_batch
from .estimators.brief_training import WARMUP, BriefTraining, forked, try_step
from .protocols import SearchSpace
from .space.grammar import Cell

_TRIES = 1000


class Supernet:
    """Trains the cells of the training's space, another one each step, on ``words`` in all.

    The weights of the character CNN and the softmax are those of all cells, those of a node are
    shared by all nodes of one operation at one place: see ``places``. A weight is drawn when the
    first cell comes that has it. The space must draw cells; those that cannot have the setting's
    width are passed over. UsageError where it draws no other.
    """

    def __init__(self, training: BriefTraining, words: float, seed: int) -> None:
        self._training, self._seed = training, seed
        self.weights: dict[str, nn.Parameter] = {}
        self.steps = training.steps(words)
        self.refused = 0
        """Steps that were not made, since a loss or gradient was not finite."""
        generator = random.Random(seed)
        with forked():
            self._trainer = training.trainer(self._drawn(generator), seed)
            self._adopt(self._trainer.model)
            windows = training.windows(seed)
            self._first = windows(0)
            for step in range(self.steps):
                if step:
                    self._turn_to(self._drawn(generator), step)
                share = rate(step, self.steps, WARMUP)
                self.refused += not try_step(self._trainer, step, windows(step), share)

    def model(self, candidate: str) -> tuple[LanguageModel, float]:
        """The biLM of a cell with its weights in the store, and the share of its stacks' weights.

        What the store lacks is drawn, from the seed. The store stays as it is, but is shared: do
        not train the model. DataError for a cell that has not the setting's width.
        """
        with forked():
            model = self._draw(candidate, self.steps)
        stacks = {key: w.numel() for key, _, _, w in _keyed(model) if "_stack" in key}
        known = sum(size for key, size in stacks.items() if key in self.weights)
        self._tie(model)
        return model, known / max(sum(stacks.values()), 1)

    def can_be_trained(self, model: LanguageModel) -> bool:
        """Whether the gradient on the first windows is finite.

        A cell whose steps were all refused has no weights of its own that could be bad, and looks
        good by what the other cells have made of the softmax.
        """
        trainer = self._trainer
        codes = model.bilm.characters.codes
        batch = make_batch(self._first, trainer.text, trainer.targets, codes).to(trainer.device)
        forward, backward = model.losses(batch)
        weights = list(model.parameters())
        gradients = torch.autograd.grad(forward + backward, weights, allow_unused=True)
        norms = [torch.linalg.vector_norm(each) for each in gradients if each is not None]
        return bool(torch.isfinite(torch.linalg.vector_norm(torch.stack(norms))))

    def _drawn(self, generator: random.Random) -> str:
        """A cell of the space that can have the width."""
        space: SearchSpace = self._training.setting.space
        for _ in range(_TRIES):
            candidate = space.sample(generator)
            try:
                self._training.settings(candidate)
            except DataError:
                continue
            return candidate
        raise UsageError(
            f"no cell of {space.name} can have a width of {self._training.setting.dim}",
            where="--dim",
            cure="take a multiple of 8",
        )

    def _draw(self, candidate: str, number: int) -> LanguageModel:
        settings = self._training.settings(candidate)
        kind = self._trainer.settings.output_layer
        # Another draw each time: two weights that start alike might meet in a third cell.
        torch.manual_seed(self._seed + 1_000_003 * number)
        model = LanguageModel(settings, len(self._training.vocabulary), kind)
        return model.to(self._trainer.device)

    def _turn_to(self, candidate: str, number: int) -> None:
        """Let the next step train this cell."""
        model = self._draw(candidate, number)
        self._tie(model)
        new = self._adopt(model)
        if new:
            self._trainer.optimiser.add_param_group({"params": new})
        self._trainer = replace(self._trainer, model=model)

    def _tie(self, model: LanguageModel) -> None:
        """Put the store's weights in place of those that the model has drawn."""
        for key, module, name, _ in list(_keyed(model)):
            if key in self.weights:
                setattr(module, name, self.weights[key])

    def _adopt(self, model: LanguageModel) -> list[nn.Parameter]:
        """Take into the store what it lacks, and return it."""
        lacking = [(key, weight) for key, _, _, weight in _keyed(model) if key not in self.weights]
        self.weights.update(lacking)
        return [weight for _, weight in lacking]


def places(cell: Cell) -> dict[int, str]:
    """What tells a node's weights: the operation, the depth, and which of these in the cell it is.

    The depth is the longest way from the input or from a delayed value; an operation that reads a
    delayed value, ``@``, is another one. No two nodes of a cell are at one place.
    """
    depth = {0: 0}
    met: Counter[str] = Counter()
    found = {}
    for number, node in cell.numbered():
        depth[number] = 1 + max((depth[r.node] for r in node.inputs if not r.delayed), default=0)
        recurrent = "@" * any(ref.delayed for ref in node.inputs)
        kind = f"{recurrent}{node.operation} at {depth[number]}"
        found[number] = f"{kind}, {met[kind]}"
        met[kind] += 1
    return found


def _keyed(model: LanguageModel) -> Iterator[tuple[str, nn.Module, str, nn.Parameter]]:
    """Each weight of a model: its key in the store, its module and its name there."""
    layers = {name: part for name, part in model.named_modules() if isinstance(part, CellLayer)}
    for layer, part in layers.items():
        at = places(part.cell)
        for number, node in part.cell.numbered():
            if str(number) not in part.nodes:
                continue
            # A map is told by the place of its input among those delayed, or those not.
            inputs = [f"{'@' * ref.delayed}" for ref in node.inputs]
            ranks = [f"{kind}{inputs[:place].count(kind)}" for place, kind in enumerate(inputs)]
            for name, module in part.nodes[str(number)].named_modules():
                told = f"maps.{ranks[int(name[5:])]}" if name.startswith("maps.") else name
                for own, weight in module.named_parameters(recurse=False):
                    shape = "x".join(map(str, weight.shape))
                    yield f"{layer}: {at[number]}: {told}.{own} {shape}", module, own, weight
    inside = tuple(f"{layer}." for layer in layers)
    for name, module in model.named_modules():
        if name not in layers and not name.startswith(inside):
            for own, weight in module.named_parameters(recurse=False):
                yield f"{name}.{own}", module, own, weight
