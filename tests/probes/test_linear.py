"""The linear probe against scikit-learn, against a refit of its grid, and on bad data."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from layerwise.probes import linear
from layerwise.probes.linear import LinearProbe

Array = NDArray[Any]


class Data(NamedTuple):
    X: Array
    y: Array
    X_dev: Array
    y_dev: Array


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def draw(
    rows: int = 300, dim: int = 12, classes: int = 4, noise: float = 1.5, seed: int = 0
) -> Data:
    """Gaussian features, and labels that depend on them linearly, with noise."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(2 * rows, dim))
    logits = X @ random.normal(size=(dim, classes)) + noise * random.gumbel(
        size=(2 * rows, classes)
    )
    y = logits.argmax(axis=1)
    y[:classes] = np.arange(classes)
    return Data(X[:rows].astype(np.float32), y[:rows], X[rows:].astype(np.float32), y[rows:])


def spoilt(data: Data, how: str) -> Data:
    """The data with features that make a solver's life hard."""
    random = np.random.default_rng(9)
    dim = data.X.shape[1]
    change = {
        "as drawn": lambda X: X,
        "scales from 1e-6 to 1e6": lambda X: X * np.logspace(-6, 6, dim),
        "far from 0": lambda X: X + 100 * np.arange(dim),
        "collinear": lambda X: np.hstack([X, X, X[:, :2] - X[:, 2:4]]),
        "nearly collinear": lambda X: np.hstack([X, X + 1e-3 * random.normal(size=X.shape)]),
        "constant": lambda X: np.hstack([X, np.full((len(X), 2), [0, 1234.5])]),
        "one giant direction": lambda X: X @ np.diag([1] * (dim - 1) + [0]) + 50 * X[:, -1:],
    }[how]
    return data._replace(
        X=change(data.X).astype(np.float32), X_dev=change(data.X_dev).astype(np.float32)
    )


HOW = [
    "as drawn",
    "scales from 1e-6 to 1e6",
    "far from 0",
    "collinear",
    "nearly collinear",
    "constant",
    "one giant direction",
]


def fit(data: Data, classes: int | None = None, **options: Any) -> LinearProbe:
    classes = int(data.y.max()) + 1 if classes is None else classes
    return LinearProbe(**options).fit(*data, classes=classes)


def log_loss(probabilities: Array, y: Array) -> float:
    return float(-np.log(probabilities[np.arange(len(y)), y]).mean())


def reference(data: Data, l2: float) -> Array:
    """scikit-learn's probabilities on dev."""
    scaler = StandardScaler().fit(data.X.astype(np.float64))
    model = LogisticRegression(C=1 / l2, tol=1e-8, max_iter=20_000)
    model.fit(scaler.transform(data.X.astype(np.float64)), data.y)
    return model.predict_proba(scaler.transform(data.X_dev.astype(np.float64)))


@pytest.mark.parametrize("l2", [0.1, 1.0, 30.0])
@pytest.mark.parametrize("how", HOW)
def test_it_finds_the_optimum_that_scikit_learn_finds(how: str, l2: float) -> None:
    data = spoilt(draw(), how)
    expected = reference(data, l2)
    probe = fit(data, l2=[l2])
    got = probe.predict_proba(data.X_dev)
    assert probe.converged_
    assert abs(log_loss(got, data.y_dev) - log_loss(expected, data.y_dev)) < 1e-3
    np.testing.assert_allclose(got, expected, atol=5e-3)
    best, second = np.sort(expected, axis=1)[:, :-3:-1].T
    clear = best - second > 0.01
    assert clear.mean() > 0.5
    np.testing.assert_array_equal(got.argmax(axis=1)[clear], expected.argmax(axis=1)[clear])


def test_two_classes_are_as_scikit_learn_has_them() -> None:
    """Which has one vector of weights there: half the penalty of our two."""
    data = draw(classes=2)
    np.testing.assert_allclose(
        fit(data, l2=[2.0]).predict_proba(data.X_dev), reference(data, 1.0), atol=5e-3
    )


def test_weaker_l2_never_fits_the_training_rows_worse() -> None:
    data = draw()
    grid = linear.HALF_DECADES
    losses = [log_loss(fit(data, l2=[l2]).predict_proba(data.X), data.y) for l2 in grid]
    assert losses[0] > losses[-1] + 0.1
    assert all(weaker <= stronger + 1e-6 for stronger, weaker in pairwise(losses))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rows, noise", [(40, 3.0), (40, 6.0), (200, 1.0)])
def test_the_chosen_l2_has_the_lowest_dev_loss_of_the_whole_grid(
    seed: int, rows: int, noise: float
) -> None:
    """To a thousandth of a nat, to which the path is walked."""
    data = draw(rows=rows, noise=noise, seed=seed)
    grid = linear.HALF_DECADES
    refits = {l2: fit(data, l2=[l2]) for l2 in grid}
    losses = {l2: log_loss(p.predict_proba(data.X_dev), data.y_dev) for l2, p in refits.items()}
    probe = fit(data)
    assert losses[probe.l2_] < min(losses.values()) + 1e-3
    assert probe.fit_report()["l2_is_at_the_edge"] == (probe.l2_ in (grid[0], grid[-1]))
    np.testing.assert_allclose(
        probe.predict_proba(data.X_dev), refits[probe.l2_].predict_proba(data.X_dev), atol=2e-3
    )


def test_the_path_ends_when_dev_gets_worse() -> None:
    data = draw(rows=40, noise=3.0)
    dev = [step["dev_cross_entropy"] for step in fit(data).path_]
    assert len(dev) < len(linear.HALF_DECADES)
    assert dev[-1] > min(dev) + 1e-3 > max(dev[dev.index(min(dev)) : -1])
    assert len(fit(data, patience=3).path_) == len(dev) + 2


def test_features_are_standardised_by_the_training_rows_alone() -> None:
    data = draw()
    probe, shifted = (
        fit(data._replace(X_dev=X_dev), l2=[1.0]) for X_dev in (data.X_dev, 50 * data.X_dev + 9)
    )
    np.testing.assert_allclose(probe.mean_, data.X.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(probe.scale_, data.X.std(axis=0), rtol=1e-5)
    for name in ("mean_", "scale_", "weights_"):
        np.testing.assert_array_equal(getattr(probe, name), getattr(shifted, name))


def test_the_scale_of_a_feature_changes_nothing() -> None:
    data = draw()
    small, large = (
        fit(data._replace(X=data.X * s, X_dev=data.X_dev * s)).predict_proba(data.X_dev * s)
        for s in (np.float32(2.0**-60), np.float32(2.0**60))
    )
    np.testing.assert_array_equal(small, large)


def test_a_constant_feature_that_varies_on_dev_has_no_say() -> None:
    data = draw()
    X = np.hstack([data.X, np.full((len(data.X), 1), 3, dtype=np.float32)])
    wild = np.hstack([data.X_dev, 1e9 * data.X_dev[:, :1]])
    calm = np.hstack([data.X_dev, np.full((len(data.X_dev), 1), 3, dtype=np.float32)])
    probe = fit(data._replace(X=X, X_dev=calm))
    np.testing.assert_array_equal(probe.predict_proba(wild), probe.predict_proba(calm))


def test_only_constant_features_give_the_shares_of_the_labels() -> None:
    data = draw()
    flat = data._replace(X=np.ones_like(data.X), X_dev=np.ones_like(data.X_dev))
    shares = np.bincount(data.y) / len(data.y)
    np.testing.assert_allclose(fit(flat).predict_proba(flat.X_dev)[0], shares, atol=1e-3)


def test_fewer_rows_than_classes() -> None:
    data = draw(rows=6, classes=6)
    few = Data(data.X[:4], np.array([0, 2, 4, 5]), data.X_dev, data.y_dev)
    probabilities = fit(few, classes=6).predict_proba(data.X_dev)
    assert np.isfinite(probabilities).all()
    assert (probabilities[:, [1, 3]] == 0).all() and (probabilities[:, [0, 2, 4, 5]] > 0).all()


def test_one_class_is_certain() -> None:
    data = draw(rows=20)
    probe = fit(data._replace(y=np.full(20, 2)), classes=4)
    assert probe.converged_
    assert probe.predict_proba(data.X_dev).tolist() == [[0, 0, 1, 0]] * 20


def test_a_class_that_train_lacks_changes_nothing_for_the_others() -> None:
    data = draw()
    gap = np.array([0, 2, 3, 5])  # classes 1 and 4 have no row
    got = fit(data._replace(y=gap[data.y], y_dev=gap[data.y_dev]), classes=6)
    plain = fit(data).predict_proba(data.X_dev)
    np.testing.assert_array_equal(got.predict_proba(data.X_dev)[:, gap], plain)
    assert (got.predict_proba(data.X_dev)[:, [1, 4]] == 0).all()


def test_dev_labels_that_train_lacks_do_not_count_in_the_choice() -> None:
    data = draw(rows=60, noise=3.0)
    half = len(data.y_dev) // 2
    unseen = data._replace(y_dev=np.where(np.arange(len(data.y_dev)) < half, -1, data.y_dev))
    only = data._replace(X_dev=data.X_dev[half:], y_dev=data.y_dev[half:])
    assert fit(unseen).l2_ == fit(only).l2_
    for one, other in zip(fit(unseen).path_, fit(only).path_, strict=True):
        assert one == pytest.approx(other)
    lost = fit(data._replace(y_dev=np.full(len(data.y_dev), -1)))
    assert np.isfinite(lost.predict_proba(data.X_dev)).all()


def test_separable_classes_are_told_apart_without_doubt() -> None:
    """A second softmax, or one over the wrong axis, could never reach this loss."""
    labels = np.arange(90) % 3
    X = 5 * np.eye(3, dtype=np.float32)[labels]
    probe = fit(Data(X, labels, X, labels), l2=[1e-4])
    assert log_loss(probe.predict_proba(X), labels) < 1e-3


def test_rows_of_probabilities_sum_to_one() -> None:
    data = draw(classes=7)
    probabilities = fit(data).predict_proba(data.X_dev)
    assert probabilities.shape == (len(data.X_dev), 7) and probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)


def test_it_is_the_same_to_the_last_bit_every_time() -> None:
    data = draw(rows=2500)  # more rows than are held at once
    once, again = (fit(data).predict_proba(data.X_dev) for _ in range(2))
    assert once.tobytes() == again.tobytes()


def test_the_number_of_threads_hardly_matters() -> None:
    data = draw(rows=2500, dim=40)
    one = fit(data, l2=[1.0]).predict_proba(data.X_dev)
    torch.set_num_threads(2)
    two = fit(data, l2=[1.0]).predict_proba(data.X_dev)
    np.testing.assert_allclose(two, one, atol=1e-6, rtol=0)


def test_a_width_beyond_the_principal_axes_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    data = spoilt(draw(), "nearly collinear")
    turned = fit(data)
    monkeypatch.setattr(linear, "_WIDEST", 5)
    straight = fit(data)
    assert turned.axes_ is not None and straight.axes_ is None
    assert turned.l2_ == straight.l2_
    np.testing.assert_allclose(
        turned.predict_proba(data.X_dev), straight.predict_proba(data.X_dev), atol=5e-3
    )


def test_too_few_iterations_are_reported_as_no_convergence() -> None:
    data = spoilt(draw(), "one giant direction")
    report = fit(data, max_iterations=2, l2=[0.1, 1.0]).fit_report()
    assert report["converged"] is False
    assert fit(data).fit_report()["converged"] is True


def test_the_arrays_that_it_is_given_stay_as_they_are() -> None:
    data = draw()
    before = [array.copy() for array in data]
    fit(data).predict_proba(data.X_dev)
    for array, copy in zip(data, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_whatever_decides_its_numbers_is_among_its_settings() -> None:
    plain = LinearProbe().settings()
    for change in ({"l2": (1.0,)}, {"patience": 2}, {"tolerance": 1e-3}, {"max_iterations": 5}):
        assert LinearProbe(**change).settings() != plain
