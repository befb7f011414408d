"""Federated search in one process: the cell first, then its weights.

(Seng et al. 2022, arXiv 2206.12342.) The first stage trains a mixed cell whose logits choose the
operations; the second trains a biLM of the chosen cell. In both a bandit chooses the optimisers'
hyperparameters.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...language_model import LanguageModel
from .accountants import Epsilon, epsilon
from .averaging import Weights
from .client import LOGITS, Client, LocalTraining
from .hyperparameters import Hyperparameters, Ranges
from .ledger import Ledger
from .mixed_cell import derive, language_model
from .private_training import Privacy, parameters_of, window_losses
from .samples import Samples, cut, split
from .server import Round, Server


@dataclass(frozen=True)
class Federation:
    """The size of the model and of the search. ``privacy`` is on unless it is set to None.

    ``configurations`` are drawn from ``ranges``; one given in ``fixed`` is used in their place.
    """

    dim: int = 32
    layers: int = 1
    window: int = 16
    rounds: int = 30
    period: int = 15
    configurations: int = 120
    length: float = 4.0
    memory: float = 0.3
    ranges: Ranges = field(default_factory=Ranges)
    fixed: Hyperparameters | None = None
    training: LocalTraining = field(default_factory=LocalTraining)
    privacy: Privacy | None = field(default_factory=Privacy)
    seed: int = 0

    def drawn(self) -> list[Hyperparameters]:
        """The configurations of the bandit."""
        if self.fixed is not None:
            return [self.fixed]
        generator = random.Random(self.seed)
        return [self.ranges.draw(generator) for _ in range(self.configurations)]


@dataclass(frozen=True)
class Outcome:
    """What a federated run ends with; ``ledgers`` are those of the clients by name."""

    weights: Weights
    history: list[Round]
    ledgers: Mapping[str, Ledger]

    def claim(self, delta: float) -> Epsilon:
        """The epsilon of the client that has spent most.

        Clients hold different windows, so a window is touched by the ledger of its client alone.
        """
        different = {ledger.releases: ledger for ledger in self.ledgers.values()}
        return max((epsilon(one, delta) for one in different.values()), key=lambda e: e.claim)


@dataclass(frozen=True)
class Searched:
    """The cell, the run that chose it and the one that trained it (with the first one's ledger)."""

    cell: str
    choice: Outcome
    training: Outcome


def make_clients(
    texts: Mapping[str, Sequence[str]],
    vocabulary: Sequence[str],
    wanted: Federation,
    cell: str | None = None,
) -> list[Client]:
    """A client for each text, whose words are given in their order. See ``samples.cut``."""
    clients = []
    for name in sorted(texts):
        model = _model(vocabulary, wanted, cell)
        train, validation = split(
            cut(texts[name], vocabulary, wanted.window, model.bilm.characters.codes)
        )
        clients.append(
            Client(name, model, train, validation, wanted.training, wanted.privacy, wanted.seed)
        )
    return clients


def make_server(vocabulary: Sequence[str], wanted: Federation, cell: str | None = None) -> Server:
    """The server with the first weights, drawn from the seed."""
    model = _model(vocabulary, wanted, cell)
    weights = {name: weight.detach().clone() for name, weight in parameters_of(model).items()}
    return Server(
        weights,
        wanted.drawn(),
        wanted.rounds,
        wanted.period,
        wanted.length,
        wanted.memory,
        wanted.seed,
    )


def simulate(server: Server, clients: Sequence[Client]) -> Outcome:
    """All rounds, one client after the other."""
    while (order := server.next_order()) is not None:
        server.receive([client.run(order) for client in clients])
    return Outcome(server.weights, server.history, {c.name: c.ledger for c in clients})


def search(
    texts: Mapping[str, Sequence[str]], vocabulary: Sequence[str], wanted: Federation
) -> Searched:
    """Choose a cell and train it, ``wanted.rounds`` rounds each.

    ``texts`` are the words of each client, ``vocabulary`` that of a public text, the unknown word
    first. The ledgers of the second stage go on from those of the first.
    """
    first = make_clients(texts, vocabulary, wanted)
    choice = simulate(make_server(vocabulary, wanted), first)
    cell = derive(choice.weights[LOGITS])
    second = make_clients(texts, vocabulary, _second_stage(wanted), cell)
    for client in second:
        for release in choice.ledgers[client.name].releases:
            client.ledger.add(release)
    training = simulate(make_server(vocabulary, wanted, cell), second)
    return Searched(cell, choice, training)


def perplexity(
    weights: Weights,
    text: Sequence[str],
    vocabulary: Sequence[str],
    wanted: Federation,
    cell: str | None = None,
) -> float:
    """Of a text's windows, by the mean cross-entropy of both directions."""
    model = _model(vocabulary, wanted, cell)
    model.load_state_dict(dict(weights), strict=False)
    samples: Samples = cut(text, vocabulary, wanted.window, model.bilm.characters.codes)
    losses = window_losses(model, samples)
    return math.exp(sum(losses) / len(losses))


def _model(vocabulary: Sequence[str], wanted: Federation, cell: str | None) -> LanguageModel:
    return language_model(
        len(vocabulary), wanted.dim, wanted.layers, wanted.window, wanted.seed, cell
    )


def _second_stage(wanted: Federation) -> Federation:
    """The same with other noise: what is used twice can be subtracted."""
    if wanted.privacy is None or wanted.privacy.noise_seed is None:
        return wanted
    privacy = replace(wanted.privacy, noise_seed=wanted.privacy.noise_seed + 1)
    return replace(wanted, privacy=privacy)
