"""The scalar mix: allennlp-light's module, the linear probe and brute force as oracles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest
import torch
from allennlp_light.modules.scalar_mix import ScalarMix as AllenScalarMix
from numpy.typing import NDArray
from torch import Tensor

from layerwise.probes.layer_stack import LayerStack, spread
from layerwise.probes.linear import LinearProbe
from layerwise.probes.scalar_mix import GAP, Mixed, ScalarMix
from layerwise.probes.spans import pair_features

Rows = NDArray[np.float64]

torch.set_num_threads(1)


class Task(NamedTuple):
    train: LayerStack
    labels: NDArray[np.int64]
    dev: LayerStack
    dev_labels: NDArray[np.int64]
    classes: int


def planted(
    strengths: Sequence[float],
    *,
    classes: int = 3,
    pairs: bool = False,
    items: int = 400,
    dim: int = 6,
    seed: int = 0,
) -> Task:
    """Layers that show a hidden class through noise, each as clearly as its strength tells.

    The label of a pair is whether both have one class.
    """
    random = np.random.default_rng(seed)
    means = random.normal(size=(len(strengths), classes if not pairs else 2, dim))

    def part(count: int) -> tuple[LayerStack, NDArray[np.int64]]:
        hidden = random.integers(0, means.shape[1], count)
        layers = [
            random.normal(1, 1, size=(count, dim)) + strength * mean[hidden]
            for strength, mean in zip(strengths, means, strict=True)
        ]
        if not pairs:
            return LayerStack(layers, np.arange(count)), hidden
        rows = random.integers(0, count, size=(2 * count, 2))
        return LayerStack(layers, rows), (hidden[rows[:, 0]] == hidden[rows[:, 1]]).astype(int)

    train, labels = part(items)
    dev, dev_labels = part(items // 2)
    return Task(train, labels, dev, dev_labels, 2 if pairs else classes)


def fitted(task: Task, **options: object) -> ScalarMix:
    probe = ScalarMix(**options)  # type: ignore[arg-type]
    return probe.fit(task.train, task.labels, task.dev, task.dev_labels, classes=task.classes)


def features(stack: LayerStack, mixed: Tensor) -> Tensor:
    if stack.rows.ndim == 1:
        return mixed[torch.from_numpy(stack.rows)]
    a, b = (mixed[torch.from_numpy(stack.rows[:, side])] for side in (0, 1))
    return torch.cat([a, b, a * b, (a - b).abs()], dim=1)


def objective_of(task: Task, found: Mixed, module: AllenScalarMix, scales: Rows) -> Tensor:
    """The whole objective in torch, at the classifier that was found, through allennlp's mix."""
    layers = [
        torch.tensor(layer) / scale for layer, scale in zip(task.train.layers, scales, strict=True)
    ]
    x = features(task.train, module(layers))  # (targets, dim)
    x = (x - x.mean(dim=0)) / x.std(dim=0, correction=0)
    weights = torch.tensor(found.fit.weights())  # (vectors, dim + 1)
    logits = x @ weights[:, :-1].T + weights[:, -1]
    if len(weights) == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(task.labels))
    penalty = found.fit.solution.l2 / 2 / len(x) * (weights[:, :-1] ** 2).sum()
    return loss + penalty


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("pairs", [False, True])
def test_objective_and_gradient_are_those_through_allennlps_mix(classes: int, pairs: bool) -> None:
    task = planted([0.3, 1.0, 0.6], classes=classes, pairs=pairs)
    probe = fitted(task, l2=3.0, starts=4)
    for found in probe.starts_:
        # A softmax reaches no 0: shares that are one get a weight near it.
        shares = np.maximum(found.shares, 1e-12)
        module = AllenScalarMix(3, initial_scalar_parameters=np.log(shares).tolist()).double()
        value = objective_of(task, found, module, probe.scales_)
        value.backward()
        assert value.item() == pytest.approx(found.value, rel=1e-5)
        by_w = torch.cat([parameter.grad for parameter in module.scalar_parameters])
        own = found.shares * (found.slope - found.shares @ found.slope)
        np.testing.assert_allclose(by_w.numpy(), own, atol=1e-6)
        # The scale of the mixture is nothing that could be learnt.
        assert abs(module.gamma.grad.item()) < 1e-8


def test_the_gradient_away_from_the_optimum() -> None:
    """At equal shares it is large; fits at shares nearby tell it too (the envelope theorem)."""
    task = planted([0.2, 1.0, 0.6])
    at_optimum = fitted(task, l2=3.0, starts=1)
    from layerwise.probes.scalar_mix import _Search

    search = _Search(task.train, task.labels, 3, at_optimum.scales_, "cpu")
    near = at_optimum.best_.fit
    shares = np.array([0.4, 0.35, 0.25])
    found = search._at(shares, near)
    module = AllenScalarMix(3, initial_scalar_parameters=np.log(shares).tolist()).double()
    objective_of(task, found, module, at_optimum.scales_).backward()
    by_w = torch.cat([parameter.grad for parameter in module.scalar_parameters]).numpy()
    assert np.abs(by_w).max() > 0.01
    np.testing.assert_allclose(by_w, shares * (found.slope - shares @ found.slope), atol=1e-6)
    for layer in range(3):
        step = np.eye(3)[layer] * 1e-3
        ends = [search._at(shares + sign * step, near).value for sign in (1, -1)]
        assert (ends[0] - ends[1]) / 2e-3 == pytest.approx(found.slope[layer], abs=2e-4)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("pairs", [False, True])
def test_the_mixture_is_allennlps(pairs: bool, dtype: type) -> None:
    task = planted([1.0, 1.0, 1.0], pairs=pairs)
    stack = LayerStack([layer.astype(dtype) for layer in task.train.layers], task.train.rows)
    module = AllenScalarMix(3, initial_scalar_parameters=[0.3, -1.0, 0.5])
    module.gamma.data[:] = 1.7
    with torch.no_grad():
        expected = module([torch.tensor(layer, dtype=torch.float32) for layer in stack.layers])
    shares = torch.tensor([0.3, -1.0, 0.5]).softmax(0).double().numpy()
    np.testing.assert_allclose(stack.mix(1.7 * shares), expected.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("pairs", [False, True])
def test_a_mix_of_one_layer_is_the_linear_probe(classes: int, pairs: bool) -> None:
    task = planted([0.7], classes=classes, pairs=pairs)
    mix = fitted(task)

    def rows(stack: LayerStack) -> NDArray[np.float64]:
        own = stack.layers[0]
        if stack.rows.ndim == 1:
            return own[stack.rows]
        return pair_features(own[stack.rows[:, 0]], own[stack.rows[:, 1]])

    linear = LinearProbe().fit(
        rows(task.train), task.labels, rows(task.dev), task.dev_labels, classes=task.classes
    )
    assert mix.l2_ == linear.l2_ and mix.shares_.tolist() == [1.0] and mix.converged_
    np.testing.assert_allclose(
        mix.predict_proba(task.dev), linear.predict_proba(rows(task.dev)), atol=2e-5
    )


@pytest.mark.parametrize("pairs", [False, True])
def test_no_shares_are_better_by_brute_force(pairs: bool) -> None:
    task = planted([0.6, 0.8], pairs=pairs)
    found = fitted(task, l2=10.0)
    values = []
    for share in np.linspace(0, 1, 11):
        mixed = task.train.mix(np.array([share, 1 - share]) / found.scales_)
        x = features(task.train, torch.from_numpy(mixed)).numpy()
        probe = LinearProbe(l2=10.0).fit(x, task.labels, classes=task.classes)
        p = probe.predict_proba(x)[np.arange(len(x)), task.labels]
        norm = (probe.vectors_[:, :-1] ** 2).sum()
        values.append(-np.log(p).mean() + 10.0 / 2 / len(x) * norm)
    assert found.best_.value <= min(values) + 1e-5
    assert found.best_.value >= min(values) - 5e-3
    assert abs(found.shares_[0] - np.argmin(values) / 10) <= 0.1
    assert pairs or 0.1 < found.shares_[0] < 0.9  # neither layer says all


def test_the_layer_that_knows_gets_the_weight() -> None:
    for strong in range(3):
        strengths = [0.0, 0.0, 0.0]
        strengths[strong] = 2.0
        probe = fitted(planted(strengths, items=600))
        assert probe.shares_[strong] > 0.9 and probe.converged_
        assert probe.best_.gap <= GAP


def test_a_mix_knows_what_its_layers_know_together() -> None:
    """Of four classes each layer tells two halves apart, and only both layers all of them."""
    random = np.random.default_rng(0)

    def part(count: int) -> tuple[LayerStack, NDArray[np.int64]]:
        hidden = random.integers(0, 4, count)
        layers = [random.normal(size=(count, 5)) for _ in range(2)]
        layers[0][:, 0] += 8 * (hidden % 2)
        layers[1][:, 1] += 8 * (hidden // 2)
        return LayerStack(layers, np.arange(count)), hidden

    task = Task(*part(600), *part(300), 4)
    mix = fitted(task)
    assert (mix.predict_proba(task.dev).argmax(axis=1) == task.dev_labels).mean() > 0.95
    np.testing.assert_allclose(mix.shares_, 0.5, atol=0.05)
    for layer in range(2):
        train, dev = (LayerStack([s.layers[layer]], s.rows) for s in (task.train, task.dev))
        alone = fitted(task._replace(train=train, dev=dev))
        assert (alone.predict_proba(dev).argmax(axis=1) == task.dev_labels).mean() < 0.6


@pytest.mark.parametrize("pairs", [False, True])
def test_how_large_the_values_of_a_layer_are_does_not_matter(pairs: bool) -> None:
    task = planted([0.6, 0.8, 0.3], pairs=pairs)
    plain = fitted(task, starts=1)
    sizes = (1000.0, 1.0, 0.001)

    def louder(stack: LayerStack) -> LayerStack:
        scaled = [size * own for size, own in zip(sizes, stack.layers, strict=True)]
        return LayerStack(scaled, stack.rows)

    loud = fitted(task._replace(train=louder(task.train), dev=louder(task.dev)), starts=1)
    np.testing.assert_allclose(loud.scales_, plain.scales_ * sizes, rtol=1e-6)
    np.testing.assert_allclose(loud.shares_, plain.shares_, atol=0.02)
    np.testing.assert_allclose(
        loud.predict_proba(louder(task.dev)), plain.predict_proba(task.dev), atol=0.01
    )


def test_several_starts_and_the_lowest_is_kept() -> None:
    probe = fitted(planted([0.6, 0.8, 0.3]), starts=4)
    values = [start.value for start in probe.starts_]
    assert len(values) == 4 and probe.best_.value == min(values)
    assert len({tuple(start.shares) for start in probe.starts_}) == 4
    assert all(start.converged for start in probe.starts_)
    assert max(values) / min(values) - 1 < 1e-3


def test_labels_that_are_missing_or_new_on_dev() -> None:
    task = planted([0.5, 1.0])
    labels = np.where(task.labels == 1, 3, task.labels)  # of 5 classes, 1 and 4 have no target
    dev_labels = np.where(task.dev_labels == 1, -1, task.dev_labels)
    dev_labels[0] = 4
    probe = ScalarMix().fit(task.train, labels, task.dev, dev_labels, classes=5)
    p = probe.predict_proba(task.dev)
    assert p.shape == (200, 5) and (p[:, [1, 4]] == 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1)


def test_a_constant_layer_does_no_harm() -> None:
    task = planted([1.0])

    def beside(stack: LayerStack) -> LayerStack:
        return LayerStack([np.ones_like(stack.layers[0]), *stack.layers], stack.rows)

    both = fitted(task._replace(train=beside(task.train), dev=beside(task.dev)))
    np.testing.assert_allclose(
        both.predict_proba(beside(task.dev)), fitted(task).predict_proba(task.dev), atol=1e-3
    )


def test_the_report() -> None:
    task = planted([0.5, 1.0])
    probe = fitted(task)
    report = probe.fit_report()
    assert report["weights"] == probe.shares_.tolist() and sum(report["weights"]) == 1
    assert report["converged"] and report["mix_gap"] <= GAP
    assert report["l2_is_at_the_edge"] == (report["l2"] in (1e6, 1e-3))
    factors = np.array(report["weights"]) / report["scales"]
    assert report["gamma"] == pytest.approx(1 / spread(task.train.mix(factors)))
