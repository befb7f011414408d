"""Pruning while a biLM goes on training: weights go in rounds, the others learn to do without.

After a share t of the rounds the share s(t) = s_f + (s_i - s_f) (1 - t)^3 of the weights is 0: many
go early, few late (Zhu and Gupta 2017, arXiv 1710.01878, section 3). Rounds fill the first three
quarters of the budget, the rest is for the last ones to heal. What is 0 stays 0: it has no
gradient and no momentum, so that no step and no decay moves it.

With rewinding each round is a training of its own: it prunes the weights that the one before
reached, sets those that stay back to what they were early in the encoder's own training, and the
learning rate with them (Renda et al. 2020, arXiv 2003.02389, section 3; Frankle et al. 2019, arXiv
1903.01611; from the first weights Frankle and Carbin 2019, arXiv 1803.03635). Data goes on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from ..core.errors import UsageError
from .bilm import BiLM
from .contextual_matrices import Matrix, contextual_matrices
from .gradient_scores import gradient_scores
from .language_model import LanguageModel, perplexity
from .processes import Processes
from .pruned_encoder import zeros_of
from .pruning import keep_masks, weight_scores
from .pruning_plan import Pruning
from .rewinding import Rewind
from .training_procedure import Procedure
from .training_settings import rate
from .training_step import Trainer
from .training_text import Text

_PRUNING = 0.75  # of the budget


def cubic(first: float, last: float, share: float) -> float:
    """The sparsity after a share of the rounds, from ``first`` to ``last``."""
    return last + (first - last) * (1 - share) ** 3


class GradualPruning(Procedure):
    """A training from an encoder's weights, in which ever more of them are 0.

    ``source`` is the encoder with its own softmax, or without one: then the softmax is drawn anew
    over the vocabulary of the text. ``identity`` and ``facts`` go into the card as they are.
    """

    def __init__(
        self,
        source: LanguageModel | BiLM,
        words: Sequence[str],
        pruning: Pruning,
        rounds: int,
        rewind: Rewind | None,
        identity: dict[str, Any],
        facts: dict[str, Any],
    ) -> None:
        self._source, self._words = source, list(words)
        self._pruning, self._rounds, self._rewind = pruning, rounds, rewind
        self._identity, self._facts = identity, facts
        bilm = source.bilm if isinstance(source, LanguageModel) else source
        dense = zeros_of(bilm)
        self._first = dense["zeros"] / dense["counted"]
        if self._first > pruning.sparsity:
            raise UsageError(
                f"{dense['zeros']:,} of {dense['counted']:,} weights are 0 already",
                where=f"--sparsity {pruning.sparsity:g}",
                cure="ask for more, or prune the dense encoder",
            )
        self._reached: float | None = None
        self._hooks: list[RemovableHandle] = []

    def describe(self) -> dict[str, Any]:
        """See ``Procedure``."""
        return {"pruning": self._identity}

    def vocabulary(self, text: Text, size: int) -> list[str]:
        """That of the source's softmax, or a new one for a new softmax."""
        self._words = self._words or super().vocabulary(text, size)
        return self._words

    def start(self, trainer: Trainer) -> None:
        """Begin with the source's weights."""
        if isinstance(self._source, LanguageModel):
            trainer.model.load_state_dict(self._source.state_dict())
        else:
            trainer.model.bilm.load_state_dict(self._source.state_dict())

    def target(self, done: float) -> float:
        """The sparsity that is due when a share of the budget is over."""
        if self._rewind is None:
            rounds = math.floor(min(done / _PRUNING, 1) * self._rounds)
        else:  # a round begins with its pruning
            rounds = min(math.floor(done * self._rounds) + 1, self._rounds)
        return cubic(self._first, self._pruning.sparsity, rounds / self._rounds)

    def before_step(self, trainer: Trainer, spent: float, total: int) -> float:
        """Prune where a round is due. See ``Procedure``."""
        target = self.target(spent / total)
        if target != self._reached:
            self._prune(trainer, target)
            self._reached = target
        warmup = trainer.settings.warmup
        if self._rewind is None:
            return rate(spent, total, warmup)
        of_round = (spent * self._rounds / total) % 1
        length = max(total // self._rounds, 1)
        begun = self._rewind.begun
        return rate((begun + (1 - begun) * of_round) * length, length, warmup)

    def card(
        self, trainer: Trainer, held_out: Text, vocabulary: Sequence[str], processes: Processes
    ) -> dict[str, Any]:
        """The zeros, and the perplexity of the source. Raises UsageError where too few are 0."""
        counts = zeros_of(trainer.model.bilm)
        if counts["zeros"] < round(self._pruning.sparsity * counts["counted"]):
            raise UsageError(
                "ended before the last weights went", where="--budget", cure="ask for more"
            )
        before = None
        if isinstance(self._source, LanguageModel):
            model = self._source.to(trainer.device)
            before = perplexity(model, held_out, vocabulary, trainer.device, processes)
        return {
            **self._facts,
            "identity": self._identity,
            "pruning": self._identity | counts,
            "softmax": "drawn anew" if before is None else "the encoder's own",
            "held_out_perplexity_before": before,
        }

    def _prune(self, trainer: Trainer, target: float) -> None:
        """Bring the weights to a sparsity, or find them there when a training goes on."""
        matrices = contextual_matrices(trainer.model.bilm)
        values = [matrix.values for matrix in matrices]
        zeros = sum(int((value == 0).sum()) for value in values)
        if zeros < round(target * sum(value.numel() for value in values)):
            kept = keep_masks(self._scores(trainer, values), self._pruning.scope, target)
            if self._rewind is not None:
                trainer.model.load_state_dict(self._rewind.weights)
                trainer.optimiser.state.clear()
            for matrix, mask in zip(matrices, kept, strict=True):
                matrix.zero(mask)
        else:
            kept = [value != 0 for value in values]
        self._hold(trainer.optimiser, matrices, kept)

    def _scores(self, trainer: Trainer, values: Sequence[Tensor]) -> list[Tensor]:
        how = self._pruning
        if how.score == "magnitude" or how.score == "random":
            scores = weight_scores([value.cpu() for value in values], how.score, how.seed)
            return [each.to(value.device) for each, value in zip(scores, values, strict=True)]
        return gradient_scores(
            trainer.model,
            self._words,
            how.text or trainer.text,
            how.score,
            how.windows,
            how.seed,
        )

    def _hold(
        self, optimiser: torch.optim.Optimizer, matrices: Sequence[Matrix], kept: Sequence[Tensor]
    ) -> None:
        """Keep at rest what is pruned: no gradient reaches it, and no momentum is left."""
        for hook in self._hooks:
            hook.remove()
        held = [
            pair
            for matrix, mask in zip(matrices, kept, strict=True)
            for pair in matrix.parameters(mask)
        ]
        self._hooks = []
        for parameter, mask in held:
            untyped: Any = parameter
            self._hooks.append(untyped.register_hook(lambda gradient, mask=mask: gradient * mask))
            _forget(optimiser, parameter, mask)


def _forget(optimiser: torch.optim.Optimizer, parameter: nn.Parameter, kept: Tensor) -> None:
    """Set AdamW's moments to 0 where nothing is kept."""
    state = optimiser.state.get(parameter, {})
    for moment in ("exp_avg", "exp_avg_sq"):
        if moment in state:
            state[moment].masked_fill_(~kept, 0)
