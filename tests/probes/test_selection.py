"""The choice of L2 against scikit-learn's fits of the whole grid, one problem after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from layerwise.probes.design import DenseDesign, Moments
from layerwise.probes.selection import Fit, choose

Array = NDArray[Any]

GRID = (1000.0, 100.0, 10.0, 1.0, 0.1)


def drawn(
    rows: int = 120, dim: int = 10, classes: int = 3, noise: float = 3.0, seed: int = 0
) -> tuple[Array, Array, Array, Array]:
    """Rows and labels, those of the fit and those held out."""
    random = np.random.default_rng(seed)
    X = random.normal(2, 3, size=(2 * rows, dim))
    logits = standard(X, X) @ random.normal(size=(dim, classes))
    y = (logits + noise * random.gumbel(size=logits.shape)).argmax(axis=1)
    return X[:rows], y[:rows], X[rows:], y[rows:]


def standard(X: Array, by: Array) -> Array:
    return (X - by.mean(axis=0)) / by.std(axis=0)


def chosen(X: Array, y: Array, X_dev: Array, y_dev: Array, **options: Any) -> list[Fit]:
    moments = Moments.of([X])
    train, dev = DenseDesign(X, moments, part=50), DenseDesign(X_dev, moments, part=30)
    asked: dict[str, Any] = {"classes": 3, "l2": GRID, **options}
    return choose(train, np.atleast_2d(y), dev, np.atleast_2d(y_dev), **asked)


def probabilities(fit: Fit, X: Array, by: Array) -> Array:
    return fit.predict_proba(DenseDesign(X, Moments.of([by]), part=30))


def refit(X: Array, y: Array, X_dev: Array, l2: float, weights: Array | None = None) -> Array:
    """scikit-learn's probabilities."""
    model = LogisticRegression(C=1 / l2, tol=1e-10, max_iter=10_000)
    model.fit(standard(X, X), y, sample_weight=weights)
    return model.predict_proba(standard(X_dev, X))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("classes", [2, 3])
def test_the_path_and_the_choice_are_those_of_refits(classes: int, seed: int) -> None:
    data = drawn(classes=classes, seed=seed)
    (fit,) = chosen(*data, classes=classes, patience=None)
    losses = [log_loss(data[3], refit(*data[:3], l2)) for l2 in GRID]
    assert [step.l2 for step in fit.path] == list(GRID)
    np.testing.assert_allclose([step.held_out for step in fit.path], losses, atol=1e-5)
    assert fit.solution.l2 == GRID[int(np.argmin(losses))]
    assert all(step.converged and step.passes > 0 for step in fit.path)
    np.testing.assert_allclose(
        probabilities(fit, data[2], data[0]), refit(*data[:3], fit.solution.l2), atol=1e-5
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_one_feature_is_enough(classes: int) -> None:
    data = drawn(dim=1, classes=classes)
    (fit,) = chosen(*data, classes=classes)
    np.testing.assert_allclose(
        probabilities(fit, data[2], data[0]), refit(*data[:3], fit.solution.l2), atol=1e-5
    )


def test_on_images_of_digits_it_predicts_as_scikit_learn_does() -> None:
    X, y = load_digits(return_X_y=True)
    X = X[:, X[:900].std(axis=0) > 0]  # those of refit must vary
    data = X[:900], y[:900], X[900:], y[900:]
    (fit,) = chosen(*data, classes=10)
    got = probabilities(fit, data[2], data[0])
    expected = refit(*data[:3], fit.solution.l2)
    assert log_loss(data[3], got) == pytest.approx(log_loss(data[3], expected), abs=1e-4)
    best, second = np.sort(expected, axis=1)[:, :-3:-1].T
    clear = best - second > 1e-3
    assert clear.mean() > 0.98
    np.testing.assert_array_equal(got.argmax(axis=1)[clear], expected.argmax(axis=1)[clear])


@pytest.mark.parametrize("patience", [1, 2])
def test_the_path_ends_after_as_many_worse_values_as_it_has_patience(patience: int) -> None:
    data = drawn(rows=40)
    whole = [step.held_out for step in chosen(*data, patience=None)[0].path]
    lowest = int(np.argmin(whole))
    assert lowest + 2 < len(whole) and whole[lowest] < min(whole[lowest + 1 :]) - 0.01
    (fit,) = chosen(*data, patience=patience)
    assert len(fit.path) == lowest + 1 + patience
    assert fit.solution.l2 == GRID[lowest]


def test_every_problem_chooses_for_itself() -> None:
    X, y, X_dev, y_dev = drawn()
    random = np.random.default_rng(1)
    noise = random.integers(0, 3, size=(2, 120))  # nothing to learn: strong L2 is best
    labels = np.stack([y, noise[0], (y + 1) % 3])
    dev_labels = np.stack([y_dev, noise[1], (y_dev + 1) % 3])
    together = chosen(X, labels, X_dev, dev_labels)
    assert together[1].solution.l2 > together[0].solution.l2
    for fit, own, own_dev in zip(together, labels, dev_labels, strict=True):
        (alone,) = chosen(X, own, X_dev, own_dev)
        assert fit.solution.l2 == alone.solution.l2
        np.testing.assert_allclose(
            probabilities(fit, X_dev, X), probabilities(alone, X_dev, X), atol=1e-6
        )


class TestHeldOutRows:
    @pytest.mark.parametrize("unknown", [-1, 3])
    def test_those_whose_label_no_training_row_has_do_not_count(self, unknown: int) -> None:
        X, y, X_dev, y_dev = drawn()
        odd = np.where(np.arange(len(y_dev)) % 3 == 0, unknown, y_dev)
        (fit,) = chosen(X, y, X_dev, odd, classes=4)
        (only,) = chosen(X, y, X_dev[odd != unknown], y_dev[odd != unknown], classes=4)
        assert fit.solution.l2 == only.solution.l2
        np.testing.assert_allclose(
            [step.held_out for step in fit.path], [step.held_out for step in only.path]
        )

    def test_where_none_counts_the_strongest_l2_is_kept(self) -> None:
        X, y, X_dev, y_dev = drawn()
        (fit,) = chosen(X, y, X_dev, np.full_like(y_dev, -1), patience=None)
        assert fit.solution.l2 == max(GRID)
        assert all(step.held_out == np.inf for step in fit.path)

    def test_a_weight_of_n_is_n_rows(self) -> None:
        X, y, X_dev, y_dev = drawn()
        times = np.arange(len(y_dev)) % 3
        (fit,) = chosen(X, y, X_dev, y_dev, held_out_weights=times[None].astype(float))
        (again,) = chosen(X, y, np.repeat(X_dev, times, axis=0), np.repeat(y_dev, times))
        assert fit.solution.l2 == again.solution.l2
        np.testing.assert_allclose(
            [step.held_out for step in fit.path], [step.held_out for step in again.path]
        )

    @pytest.mark.parametrize("classes", [2, 3])
    def test_a_loss_is_exact_where_probabilities_are_rounded_to_0(self, classes: int) -> None:
        X, y, X_dev, _ = drawn(classes=classes, noise=0.0)
        worst = refit(X, y, 1e4 * X_dev, GRID[-1]).argmin(axis=1)
        (fit,) = chosen(X, y, 1e4 * X_dev, worst, classes=classes, l2=(GRID[-1],))
        scores = standard(1e4 * X_dev, X) @ fit.weights()[:, :-1].T + fit.weights()[:, -1]
        if classes == 2:
            scores = np.hstack([np.zeros_like(scores), scores])
        expected = (scores.max(axis=1) - scores[np.arange(len(worst)), worst]).mean()
        assert expected > 1000
        assert fit.path[0].held_out == pytest.approx(expected, rel=1e-6)


class TestWeights:
    def test_bootstrap_replicates_are_weighted_problems(self) -> None:
        X, y, X_dev, y_dev = drawn(rows=300)
        random = np.random.default_rng(2)
        picks = random.integers(0, 300, size=(4, 300))
        counts = np.stack([np.bincount(pick, minlength=300) for pick in picks]).astype(float)
        fits = chosen(X, np.stack([y] * 4), X_dev, np.stack([y_dev] * 4), weights=counts, l2=(3.0,))
        Z, Z_dev = standard(X, X), standard(X_dev, X)
        for fit, pick in zip(fits, picks, strict=True):
            model = LogisticRegression(C=1 / 3, tol=1e-10, max_iter=10_000).fit(Z[pick], y[pick])
            np.testing.assert_allclose(
                probabilities(fit, X_dev, X), model.predict_proba(Z_dev), atol=1e-5
            )

    def test_a_class_of_rows_without_weight_is_unseen(self) -> None:
        X, y, X_dev, y_dev = drawn()
        (fit,) = chosen(X, y, X_dev, y_dev, weights=(y != 1)[None].astype(float))
        found = probabilities(fit, X_dev, X)
        assert fit.seen.tolist() == [0, 2]
        assert (found[:, 1] == 0).all() and (found[:, [0, 2]] > 0).all()

    def test_a_class_that_some_problems_lack_has_no_probability_there(self) -> None:
        X, y, X_dev, y_dev = drawn()
        weights = np.stack([np.ones(len(y)), y != 1]).astype(float)
        fits = chosen(X, [y, y], X_dev, [y_dev, y_dev], weights=weights, l2=(1.0,))
        full, part = (probabilities(fit, X_dev, X) for fit in fits)
        assert (full > 0).all() and (part[:, 1] == 0).all()
        # Three vectors hold two classes apart, in place of scikit-learn's one: half the penalty.
        Z = standard(X, X)
        model = LogisticRegression(C=2, tol=1e-10, max_iter=10_000).fit(Z[y != 1], y[y != 1])
        expected = model.predict_proba(standard(X_dev, X))
        np.testing.assert_allclose(part[:, [0, 2]], expected, atol=1e-5)


class TestFit:
    @pytest.mark.parametrize("classes, seen", [(2, 2), (3, 3), (6, 3), (6, 2)])
    @pytest.mark.parametrize("turned", [False, True])
    def test_its_weights_give_its_probabilities(
        self, classes: int, seen: int, turned: bool
    ) -> None:
        X, y, X_dev, y_dev = drawn(classes=seen)
        y = seen - 1 - y if turned else y  # whichever class is the most frequent
        (fit,) = chosen(X, y, X_dev, y_dev, classes=classes)
        weights, Z = fit.weights(), standard(X_dev, X)
        assert weights.shape == (1 if seen == 2 else seen, 11)
        scores = Z @ weights[:, :-1].T + weights[:, -1]
        found = probabilities(fit, X_dev, X)
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
        assert (found[:, seen:] == 0).all() and found.shape == (len(Z), classes)
        if seen == 2:
            np.testing.assert_allclose(found[:, 1], expit(scores[:, 0]), atol=1e-9)
        else:
            np.testing.assert_allclose(found[:, :seen], softmax(scores, axis=1), atol=1e-9)

    @pytest.mark.parametrize("only", [0, 1])
    def test_two_classes_of_which_one_has_rows(self, only: int) -> None:
        X, _, X_dev, _ = drawn()
        labels, dev_labels = np.full(len(X), only), np.full(len(X_dev), only)
        (fit,) = chosen(X, labels, X_dev, dev_labels, classes=2)
        np.testing.assert_array_equal(probabilities(fit, X_dev, X)[:, only], 1)
        assert fit.weights()[0, -1] == (np.inf if only == 1 else -np.inf)

    def test_one_class_of_many(self) -> None:
        X, _, X_dev, _ = drawn()
        (fit,) = chosen(X, np.full(len(X), 4), X_dev, np.full(len(X_dev), 4), classes=6)
        np.testing.assert_array_equal(probabilities(fit, X_dev, X), np.eye(6)[[4] * len(X_dev)])
        assert fit.report()["converged"] and fit.report()["gap"] == 0
        assert np.isfinite(fit.weights()).all()

    def test_its_report_is_that_of_the_chosen_l2(self) -> None:
        data = drawn()
        (fit,) = chosen(*data)
        report = fit.report()
        (step,) = (step for step in fit.path if step.l2 == report["l2"])
        assert (report["gap"], report["converged"]) == (step.gap, step.converged)
        assert report["passes"] == sum(step.passes for step in fit.path)
        assert report["unconverged_on_the_path"] == 0 and not report["l2_is_at_the_edge"]

    @pytest.mark.parametrize("grid, edge", [((1000.0, 300.0), True), ((1000.0,), False)])
    def test_the_end_of_a_grid_is_an_edge(self, grid: tuple[float, ...], edge: bool) -> None:
        (fit,) = chosen(*drawn(), l2=grid)
        assert fit.report()["l2_is_at_the_edge"] is edge

    def test_a_limit_that_is_too_small_is_reported_for_every_l2(self) -> None:
        (fit,) = chosen(*drawn(), limit=1, tolerance=1e-9, patience=None)
        assert fit.report()["unconverged_on_the_path"] == len(GRID)
        assert not fit.report()["converged"] and fit.report()["gap"] > 1e-9
