"""A client: one text domain, which trains on its own words and tells as little as it can."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

import numpy as np
import torch

from ....core.errors import UsageError
from ...language_model import LanguageModel
from .averaging import Weights
from .gains import Gain, release_gain
from .hyperparameters import Hyperparameters
from .ledger import Ledger, Release
from .private_training import Privacy, Trainer, parameters_of, window_losses
from .samples import Samples

LOGITS = "logits"
"""The name of the architecture parameter; a model without one is trained for its weights alone."""


@dataclass(frozen=True)
class Order:
    """What the server asks of every client in a round.

    When ``explore`` is set, the training is a trial: the client tells its gain and keeps the
    weights, which nobody would use.
    """

    weights: Weights
    hyperparameters: Hyperparameters
    explore: bool = False


@dataclass(frozen=True)
class Report:
    """What a client answers: its weights, or the gain of a trial. ``windows`` is public."""

    client: str
    windows: int
    weights: Weights | None = None
    gain: Gain | None = None


@dataclass(frozen=True)
class LocalTraining:
    """A client's ``steps`` in a round, each on windows drawn with the chance ``rate``.

    ``norm`` clips the whole gradient of a training without privacy.
    """

    steps: int = 5
    rate: float = 0.1
    norm: float = 5.0

    def __post_init__(self) -> None:
        if self.steps < 1 or not 0 < self.rate <= 1 or not self.norm > 0:
            raise UsageError(
                f"{self.steps} steps, rate {self.rate:g}, norm {self.norm:g}",
                where="a client's training",
                cure="take 1 step or more, a rate above 0 and up to 1, a norm above 0",
            )


class Client:
    """One domain's windows and a model of its own to train on them.

    The same seed gives the same samples and, without privacy, the same weights. With privacy, the
    samples and the noise are as ``Privacy.noise_seed`` says.
    """

    def __init__(
        self,
        name: str,
        model: LanguageModel,
        train: Samples,
        validation: Samples,
        training: LocalTraining,
        privacy: Privacy | None,
        seed: int = 0,
    ) -> None:
        self.name, self.model, self.train, self.validation = name, model, train, validation
        self.training, self.privacy = training, privacy
        self.ledger = Ledger()
        if privacy is not None and privacy.noise_seed is None:
            own_seed = secrets.randbits(63)
        else:
            own_seed = _seed_of(name, seed if privacy is None else privacy.noise_seed)
        generator = torch.Generator().manual_seed(own_seed)
        self._noise = np.random.default_rng([own_seed, 1])
        everything = parameters_of(model)
        weights = {name: weight for name, weight in everything.items() if name != LOGITS}

        def trainer(what: str, optimiser: torch.optim.Optimizer, samples: Samples) -> Trainer:
            return Trainer(
                what,
                model,
                weights if what == "weights" else {LOGITS: everything[LOGITS]},
                optimiser,
                samples,
                rate=training.rate,
                privacy=privacy,
                norm=training.norm,
                generator=generator,
                ledger=self.ledger,
            )

        self._weights = trainer("weights", torch.optim.SGD(weights.values(), lr=0.0), train)
        self._architecture = None
        if LOGITS in everything:
            adam = torch.optim.Adam([everything[LOGITS]], lr=0.0, betas=(0.5, 0.999))
            self._architecture = trainer("architecture", adam, validation)

    def run(self, order: Order) -> Report:
        """Train as the server asks, each architecture step before a weight step.

        (Liu et al. 2019, arXiv 1806.09055, algorithm 1, first order.) Optimisers begin anew: what
        a client keeps between rounds is its data and its ledger.
        """
        self._load(order.weights)
        wanted = order.hyperparameters
        self._weights.restart(
            lr=wanted.learning_rate, weight_decay=wanted.weight_decay, momentum=wanted.momentum
        )
        if self._architecture is not None:
            self._architecture.restart(
                lr=wanted.architecture_rate, weight_decay=wanted.architecture_decay
            )
        before = window_losses(self.model, self.validation) if order.explore else []
        for _ in range(self.training.steps):
            if self._architecture is not None:
                self._architecture.step()
            self._weights.step()
        if not order.explore:
            kept = {n: w.detach().clone() for n, w in parameters_of(self.model).items()}
            return Report(self.name, len(self.train), weights=kept)
        gain = self._gain(before, window_losses(self.model, self.validation))
        return Report(self.name, len(self.train), gain=gain)

    def _gain(self, before: list[float], after: list[float]) -> Gain:
        noise = self.privacy.gain_noise if self.privacy else 0.0
        clip = (self.privacy or Privacy()).gain_clip
        self.ledger.add(Release("gain", noise))
        return release_gain(before, after, clip, noise, self._noise)

    def _load(self, weights: Weights) -> None:
        with torch.no_grad():
            for name, weight in parameters_of(self.model).items():
                weight.copy_(weights[name])


def _seed_of(name: str, seed: int | None) -> int:
    """63 bits that differ from client to client."""
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8], "big") >> 1
