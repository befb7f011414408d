"""Steps of an optimiser on Poisson samples of windows, with differential privacy or without.

The clipping and the noise are those of opacus' DPOptimizer (Abadi et al. 2016, arXiv 1607.00133,
algorithm 1). The gradients of single windows are made here, by ``torch.func``: opacus' hooks sit
on modules and take the first dimension for the samples, but the character CNN reads types of words
and a cell in a loop uses its weights without calling the modules that hold them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from ....core.errors import UsageError
from ...language_model import LanguageModel
from ...training_text import Batch
from .ledger import Ledger, Release
from .samples import Samples

_CHUNK = 64  # windows whose gradients are made at once


@dataclass(frozen=True)
class Privacy:
    """How a client protects its windows. The default is protection; None stands for none.

    ``noise_multiplier`` is the noise on a step over ``clip``, the largest norm of one window's
    gradient; ``gain_noise`` is the noise on a released gain over its sensitivity, ``gain_clip`` in
    nats a word. ``noise_seed`` makes noise and samples repeatable for tests and experiments: who
    knows it can take them out again. Without one they are drawn from the system's entropy. Raises
    UsageError for no noise.
    """

    noise_multiplier: float = 1.0
    clip: float = 1.0
    gain_noise: float = 20.0
    gain_clip: float = 1.0
    delta: float = 1e-5
    noise_seed: int | None = None

    def __post_init__(self) -> None:
        positive = (self.noise_multiplier, self.clip, self.gain_noise, self.gain_clip)
        if not all(math.isfinite(x) and x > 0 for x in positive) or not 0 < self.delta < 1:
            raise UsageError(
                f"noise {self.noise_multiplier:g} and {self.gain_noise:g}, "
                f"clips {self.clip:g} and {self.gain_clip:g}, delta {self.delta:g}",
                where="privacy",
                cure="take numbers above 0 (delta below 1), or no privacy at all",
            )


class WindowLoss(nn.Module):
    """A language model's loss on one window, in nats a word, the mean of both directions."""

    def __init__(self, model: LanguageModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, codes: Tensor, targets: Tensor) -> Tensor:
        """``codes`` is (2 + time, characters), ``targets`` (time,); the result has no dimension."""
        words = torch.arange(2, codes.shape[0])  # after the marks
        ahead, back = self.model.losses(Batch(codes, words[None], targets[None]))
        return (ahead + back) / 2


def window_losses(model: LanguageModel, samples: Samples) -> list[float]:
    """The loss on each window in nats a word."""
    loss = WindowLoss(model)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        found: Tensor = vmap(loss, chunk_size=_CHUNK)(samples.spelt(), samples.targets)
    return [float(each) for each in found]


def window_gradients(
    model: LanguageModel, parameters: Mapping[str, nn.Parameter], samples: Samples
) -> dict[str, Tensor]:
    """The gradient of each window's loss, (windows, *shape) for each parameter by its name.

    A window whose gradient is not finite counts as one without: it could not be clipped.
    """
    if not len(samples):
        return {name: weight.new_zeros(0, *weight.shape) for name, weight in parameters.items()}
    loss = WindowLoss(model)

    def of_window(weights: Mapping[str, Tensor], codes: Tensor, targets: Tensor) -> Tensor:
        named = {f"model.{name}": weight for name, weight in weights.items()}
        found: Tensor = functional_call(loss, named, (codes, targets))
        return found

    weights = {name: weight.detach() for name, weight in parameters.items()}
    of_windows = vmap(grad(of_window), in_dims=(None, 0, 0), chunk_size=_CHUNK)
    with sdpa_kernel(SDPBackend.MATH):  # the others have no rule for vmap
        gradients: dict[str, Tensor] = of_windows(weights, samples.spelt(), samples.targets)
    finite = torch.stack([each.flatten(1).isfinite().all(dim=1) for each in gradients.values()])
    for each in gradients.values():
        each[~finite.all(dim=0)] = 0
    return gradients


class Trainer:
    """One optimiser of some parameters of a model on a client's samples, made once for all rounds.

    Each step draws every window with the chance ``rate`` and books its release in the ledger.
    Gradients are divided by the expected number of windows, not by that drawn, which is private.
    Without privacy the norm of the whole gradient is clipped, and the ledger says so: noise 0.
    """

    def __init__(
        self,
        what: str,
        model: LanguageModel,
        parameters: Mapping[str, nn.Parameter],
        optimiser: torch.optim.Optimizer,
        samples: Samples,
        *,
        rate: float,
        privacy: Privacy | None,
        norm: float = 5.0,
        generator: torch.Generator,
        ledger: Ledger,
    ) -> None:
        self.what, self.model, self.parameters = what, model, parameters
        self.samples, self.rate, self.norm = samples, rate, norm
        self.generator, self.ledger = generator, ledger
        self.optimiser = optimiser
        self.private = (
            _private(optimiser, privacy, rate * len(samples), generator) if privacy else None
        )

    def restart(self, **settings: Any) -> None:
        """Forget momenta and set the optimiser anew, such as its ``lr``."""
        self.optimiser.state.clear()
        for group in self.optimiser.param_groups:
            group.update(settings)

    def step(self) -> None:
        """One step on one Poisson sample, which may be empty."""
        draws = torch.rand(len(self.samples), generator=self.generator)
        drawn = self.samples.take(draws < self.rate)
        if self.private is None:
            self._step(drawn)
        else:
            self.private.zero_grad()
            gradients = window_gradients(self.model, self.parameters, drawn)
            for name, weight in self.parameters.items():
                weight.grad_sample = gradients[name]  # type: ignore[attr-defined]
            self.private.step()
            self.private.zero_grad(set_to_none=True)  # gradients of single windows are large
        noise = self.private.noise_multiplier if self.private is not None else 0.0
        self.ledger.add(Release(self.what, noise, self.rate))

    def _step(self, drawn: Samples) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        weights = list(self.parameters.values())
        if len(drawn):
            ahead, back = self.model.losses(drawn.batch())
            share = len(drawn) / (self.rate * len(self.samples))
            gradients = torch.autograd.grad((ahead + back) / 2 * share, weights)
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.grad = gradient
            nn.utils.clip_grad_norm_(weights, self.norm)
        self.optimiser.step()


def _private(
    optimiser: torch.optim.Optimizer, privacy: Privacy, expected: float, generator: torch.Generator
) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of what it imports
            from opacus.optimizers import DPOptimizer
    except ImportError as error:
        raise UsageError(
            "opacus is not installed",
            where="federated search with privacy",
            cure='pip install "layerwise[search]"',
        ) from error
    return DPOptimizer(
        optimiser,
        noise_multiplier=privacy.noise_multiplier,
        max_grad_norm=privacy.clip,
        expected_batch_size=expected,
        generator=generator,
    )


def parameters_of(model: nn.Module, names: Sequence[str] | None = None) -> dict[str, nn.Parameter]:
    """The parameters by name, each once; all of them or the named."""
    return {
        name: weight for name, weight in model.named_parameters() if names is None or name in names
    }
