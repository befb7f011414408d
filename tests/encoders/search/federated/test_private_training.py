"""Gradients of single windows, clipping, noise by the settings, and what is protected unasked."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import kstest

from layerwise.core.errors import UsageError
from layerwise.encoders.language_model import LanguageModel
from layerwise.encoders.search.federated.ledger import Ledger, Release
from layerwise.encoders.search.federated.mixed_cell import language_model
from layerwise.encoders.search.federated.private_training import (
    Privacy,
    Trainer,
    parameters_of,
    window_gradients,
    window_losses,
)
from layerwise.encoders.search.federated.samples import Samples, cut

from .conftest import CELL, VOCABULARY, texts

pytest.importorskip("opacus")


def _model(cell: str | None = CELL) -> LanguageModel:
    return language_model(len(VOCABULARY), 4, 1, 4, 0, cell)


def _samples(model: LanguageModel, windows: int = 6) -> Samples:
    return cut(texts()["news"][: 4 * windows], VOCABULARY, 4, model.bilm.characters.codes)


@pytest.mark.parametrize("cell", [None, "gru", "c1/A2:0/a:0,1=2"])
def test_gradients_of_windows_are_those_of_one_at_a_time(cell: str | None) -> None:
    model = _model(cell)
    samples, named = _samples(model, 3), parameters_of(model)
    found = window_gradients(model, named, samples)
    for row in range(3):
        ahead, back = model.losses(samples.take(torch.tensor([row])).batch())
        expected = torch.autograd.grad((ahead + back) / 2, list(named.values()))
        for name, gradient in zip(named, expected, strict=True):
            assert torch.allclose(found[name][row], gradient, atol=1e-6), name


def test_losses_of_windows_average_to_that_of_the_batch() -> None:
    model = _model()
    samples = _samples(model)
    expected = sum(float(each.detach()) for each in model.losses(samples.batch())) / 2
    assert np.mean(window_losses(model, samples)) == pytest.approx(expected, rel=1e-5)


def _step(
    privacy: Privacy | None, rate: float = 1.0, samples: Samples | None = None
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor], Ledger]:
    """The weights' change in one step of SGD at rate 1, the gradients of windows, the ledger."""
    model, ledger = _model(), Ledger()
    named = parameters_of(model)
    samples = samples or _samples(model)
    before = {name: weight.detach().clone() for name, weight in named.items()}
    gradients = window_gradients(model, named, samples)
    trainer = Trainer(
        "weights",
        model,
        named,
        torch.optim.SGD(named.values(), lr=1.0),
        samples,
        rate=rate,
        privacy=privacy,
        norm=math.inf,
        generator=torch.Generator().manual_seed(3),
        ledger=ledger,
    )
    trainer.step()
    return {n: before[n] - w.detach() for n, w in named.items()}, gradients, ledger


def test_each_window_is_clipped_by_itself() -> None:
    change, gradients, _ = _step(Privacy(noise_multiplier=1e-9, clip=0.05))
    squares = sum(each.flatten(1).square().sum(dim=1) for each in gradients.values())
    assert isinstance(squares, torch.Tensor)
    norms = squares.sqrt()
    assert norms.min() > 0.05  # or this would test nothing
    for name, each in gradients.items():
        shrunk = each * (0.05 / norms).reshape(-1, *[1] * (each.dim() - 1))
        assert torch.allclose(change[name], shrunk.mean(dim=0), atol=1e-6)


@pytest.mark.parametrize("noise", [0.5, 1.5])
def test_the_noise_is_what_the_settings_say_and_what_is_booked(noise: float) -> None:
    # A sample that is empty for sure shows the noise alone.
    change, _, ledger = _step(Privacy(noise_multiplier=noise, clip=0.2), rate=1e-9)
    everything = torch.cat([each.flatten() for each in change.values()]).numpy()
    scaled = everything * (1e-9 * 6) / (noise * 0.2)
    assert len(scaled) > 1000
    assert kstest(scaled, "norm").pvalue > 0.01
    assert ledger.releases == (Release("weights", noise, 1e-9),)


def test_without_privacy_it_is_the_plain_gradient_and_the_ledger_says_so() -> None:
    change, gradients, ledger = _step(None)
    for name, each in gradients.items():
        assert torch.allclose(change[name], each.mean(dim=0), atol=1e-6)
    assert not ledger.is_private


def test_a_window_whose_gradient_is_not_finite_does_not_count() -> None:
    model = _model()
    samples = _samples(model, 2)
    with torch.no_grad():
        model.softmax.bias[samples.targets[1, 0]] = math.nan  # type: ignore[union-attr]
    found = window_gradients(model, parameters_of(model), samples)
    assert all(bool(each.isfinite().all()) for each in found.values())


def test_windows_are_drawn_each_by_itself() -> None:
    model = _model()
    samples, sizes = _samples(model, 20), []
    named = {"softmax.bias": model.softmax.get_parameter("bias")}
    trainer = Trainer(
        "weights",
        model,
        named,
        torch.optim.SGD(named.values(), lr=0.0),
        samples,
        rate=0.3,
        privacy=None,
        generator=torch.Generator().manual_seed(0),
        ledger=Ledger(),
    )
    trainer._step = lambda drawn: sizes.append(len(drawn))  # type: ignore[method-assign]
    for _ in range(2000):
        trainer.step()
    # A binomial number, not a fixed one: 6 on average with a variance of 4.2.
    assert np.mean(sizes) == pytest.approx(6, abs=0.2)
    assert np.var(sizes) == pytest.approx(4.2, abs=0.6)


@pytest.mark.parametrize("field", ["noise_multiplier", "clip", "gain_noise", "gain_clip", "delta"])
def test_privacy_without_noise_is_refused(field: str) -> None:
    with pytest.raises(UsageError, match="or no privacy at all"):
        Privacy(**{field: 0.0})
