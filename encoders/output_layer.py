"""From a state to the next word: the full softmax, and two that cost less for large vocabularies.

Entry 0 of a vocabulary is the unknown word, then words go from frequent to rare; the cheap ones
rely on it. Each gives a loss to train with and the surprisal by a distribution over all words,
which is what perplexity is made of: a sampled loss is no such thing and never compared.
"""

from __future__ import annotations

from typing import Literal, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..core.errors import UsageError

Softmax = Literal["full", "sampled", "adaptive"]

FULL_UP_TO = 20_000
"""The largest vocabulary for which the full softmax is the default."""


class OutputLayer(Protocol):
    """States of shape (words, dim) and targets of shape (words,) to sums over words, in nats."""

    def loss(self, states: Tensor, targets: Tensor) -> Tensor:
        """What training lowers."""
        ...

    def mixed_loss(self, states: Tensor, targets: Tensor, others: Tensor, own: float) -> Tensor:
        """``own`` of the loss for the targets and the rest of that for others, (words,) as well."""
        ...

    def surprisal(self, states: Tensor, targets: Tensor) -> Tensor:
        """The negative log probabilities by a distribution over the whole vocabulary."""
        ...


def build(kind: Softmax, dim: int, vocabulary: int, samples: int) -> FullSoftmax | AdaptiveSoftmax:
    """The output layer of a kind. ``samples`` is for the sampled one alone.

    Raises UsageError for an adaptive one of too few words or too narrow states.
    """
    if kind == "adaptive":
        return AdaptiveSoftmax(dim, vocabulary)
    return (
        SampledSoftmax(dim, vocabulary, samples)
        if kind == "sampled"
        else FullSoftmax(dim, vocabulary)
    )


class FullSoftmax(nn.Linear):
    """One linear map and the softmax over all of the vocabulary."""

    def __init__(self, dim: int, vocabulary: int) -> None:
        super().__init__(dim, vocabulary)

    def start(self) -> None:
        """Draw the weights: small ones, for a first guess that is nearly uniform."""
        nn.init.normal_(self.weight, std=0.02)
        nn.init.zeros_(self.bias)

    def loss(self, states: Tensor, targets: Tensor) -> Tensor:
        """See ``OutputLayer``."""
        return self.surprisal(states, targets)

    def mixed_loss(self, states: Tensor, targets: Tensor, others: Tensor, own: float) -> Tensor:
        """See ``OutputLayer``; both for the price of one product with the weights."""
        rows = _rows(states)
        pieces = zip(*(torch.split(each, rows) for each in (states, targets, others)), strict=True)
        losses = []
        for part, aim, other in pieces:
            log_p = F.log_softmax(self(part).float(), dim=1)  # (rows, vocabulary)
            losses.append(own * F.nll_loss(log_p, aim, reduction="sum"))
            losses.append((1 - own) * F.nll_loss(log_p, other, reduction="sum"))
        return torch.stack(losses).sum()

    def surprisal(self, states: Tensor, targets: Tensor) -> Tensor:
        """See ``OutputLayer``."""
        rows = _rows(states)
        pieces = zip(torch.split(states, rows), torch.split(targets, rows), strict=True)
        losses = [
            F.cross_entropy(self(part).float(), aim, reduction="sum")  # (rows, vocabulary)
            for part, aim in pieces
        ]
        return torch.stack(losses).sum()


class SampledSoftmax(FullSoftmax):
    """A softmax over the target and words that are drawn anew for every batch.

    Words are drawn with replacement from a log-uniform distribution over their ranks, once for all
    of a batch. A word that came is weighed by the chance that it came at all, a target by its own
    (Jean et al. 2015, arXiv 1412.2007, section 3; TensorFlow's ``sampled_softmax_loss``, whose
    number of draws is not fixed, that of different words is).
    """

    def __init__(self, dim: int, vocabulary: int, samples: int) -> None:
        super().__init__(dim, vocabulary)
        self.samples = samples

    def loss(self, states: Tensor, targets: Tensor) -> Tensor:
        """See ``OutputLayer``; lower than the surprisal, the more so the fewer the samples."""
        return self.loss_against(self.draw(states.device), states, targets)

    def mixed_loss(self, states: Tensor, targets: Tensor, others: Tensor, own: float) -> Tensor:
        """See ``OutputLayer``; both against the same draws."""
        drawn = self.draw(states.device)
        loss = self.loss_against(drawn, states, targets)
        return own * loss + (1 - own) * self.loss_against(drawn, states, others)

    def draw(self, device: torch.device) -> Tensor:
        """Different words, of shape (drawn,), sorted."""
        # The inverse of the cumulative distribution log(rank + 1) / log(vocabulary + 1).
        uniform = torch.rand(self.samples, device=device)
        ranks = ((self.out_features + 1.0) ** uniform).long() - 1
        different: Tensor = torch.unique(ranks.clamp(max=self.out_features - 1))
        return different

    def log_chance(self, words: Tensor) -> Tensor:
        """The log of the chance that a word is among the drawn, of the shape of ``words``."""
        rank = words.float() + 1
        once = torch.log1p(1 / rank) / torch.log(rank.new_tensor(self.out_features + 1.0))
        return torch.log(-torch.expm1(self.samples * torch.log1p(-once)))

    def loss_against(self, drawn: Tensor, states: Tensor, targets: Tensor) -> Tensor:
        """The loss for words that were drawn."""
        of_target = (states * self.weight[targets]).sum(dim=1).float() + self.bias[targets]
        of_target = of_target - self.log_chance(targets)  # (words,)
        others = F.linear(states, self.weight[drawn], self.bias[drawn]).float()
        others = others - self.log_chance(drawn)  # (words, drawn)
        others = others.masked_fill(drawn[None, :] == targets[:, None], -torch.inf)
        logits = torch.cat([of_target[:, None], others], dim=1)  # (words, 1 + drawn)
        return F.cross_entropy(logits, torch.zeros_like(targets), reduction="sum")


class AdaptiveSoftmax(nn.Module):
    """torch's adaptive softmax: frequent words in a head, rarer ones in narrower clusters.

    It is a distribution over the whole vocabulary, so its loss is the surprisal (Grave et al.
    2017, arXiv 1609.04309, section 4). The head has a twentieth of the words, the first cluster
    the rest of the first fifth.
    """

    def __init__(self, dim: int, vocabulary: int) -> None:
        super().__init__()
        cutoffs = sorted({max(vocabulary // 20, 1), max(vocabulary // 5, 2)})
        # So much narrower is each cluster than the one before: narrow states have little to spare.
        narrower = 4 if dim >= 512 else 2
        if dim < narrower ** len(cutoffs) or vocabulary <= cutoffs[-1]:
            raise UsageError(
                f"a width of {dim} and a vocabulary of {vocabulary:,} are too small for it",
                where="--softmax adaptive",
                cure="take --softmax full",
            )
        self.adaptive = nn.AdaptiveLogSoftmaxWithLoss(dim, vocabulary, cutoffs, narrower)

    def start(self) -> None:
        """The weights are drawn as those of any linear map."""

    def loss(self, states: Tensor, targets: Tensor) -> Tensor:
        """See ``OutputLayer``."""
        return self.surprisal(states, targets)

    def mixed_loss(self, states: Tensor, targets: Tensor, others: Tensor, own: float) -> Tensor:
        """See ``OutputLayer``."""
        return own * self.surprisal(states, targets) + (1 - own) * self.surprisal(states, others)

    def surprisal(self, states: Tensor, targets: Tensor) -> Tensor:
        """See ``OutputLayer``."""
        # In full precision: torch's module mixes that of its input with that of its products.
        with torch.autocast(states.device.type, enabled=False):
            total: Tensor = -self.adaptive(states.float(), targets).output.sum()
        return total


def _rows(states: Tensor) -> int:
    """How many words have their logits at once."""
    # Few: the logits are by far the largest tensors, and small ones stay in the cache.
    return 128 if states.device.type == "cpu" else 4096
