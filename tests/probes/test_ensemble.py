"""Ensembles of probes: their members against scikit-learn, and what each arm has to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from layerwise.probes import hyper_batch
from layerwise.probes.design import DenseDesign, Design, Moments
from layerwise.probes.ensemble import ARMS, Arms, Ensemble, HyperDeep
from layerwise.probes.ensemble_members import Learner, Setting, mixes, replicate, subspace_of

torch.set_num_threads(1)
Array = NDArray[Any]
GRID = (100.0, 31.6, 10.0, 3.16, 1.0)
CLASSES, DIM = 3, 12


class Data:
    """Two layers that each know half of what makes the label."""

    def __init__(self, seed: int = 0, train: int = 240, held_out: int = 500) -> None:
        random = np.random.default_rng(seed)
        sizes = {"train": train, "choose": held_out, "test": held_out}
        of_label = random.normal(size=(2, DIM, CLASSES))
        self.layers: dict[str, Array] = {}
        self.labels: dict[str, Array] = {}
        for name, size in sizes.items():
            layers = random.normal(size=(2, size, DIM))
            logits = sum(layers[i] @ of_label[i] for i in range(2)) / 2
            self.layers[name] = layers
            self.labels[name] = (logits + random.gumbel(size=logits.shape)).argmax(axis=1)
        self.clusters = np.arange(train) // 6

    def __call__(self, source: int, subspace: int) -> Mapping[str, Design]:
        columns = subspace_of(DIM, subspace)
        of = {name: layers[source][:, columns] for name, layers in self.layers.items()}
        moments = Moments.of([of["train"]])
        return {name: DenseDesign(rows, moments) for name, rows in of.items()}

    def learner(self, **changes: Any) -> Learner:
        plain = Learner(
            self, self.labels["train"], self.clusters, self.labels["choose"], CLASSES, GRID
        )
        return replace(plain, **changes)

    def sklearn(
        self, source: int, l2: float, weights: Any = None, columns: Any = slice(None)
    ) -> Array:
        train = self.layers["train"][source][:, columns]
        moments = Moments.of([train])
        model = LogisticRegression(C=1 / l2, tol=1e-10, max_iter=10_000)
        model.fit(moments.standardise(train), self.labels["train"], sample_weight=weights)
        test = moments.standardise(self.layers["test"][source][:, columns])
        return np.asarray(model.predict_proba(test))


@pytest.fixture(scope="module")
def data() -> Data:
    return Data()


@pytest.fixture(scope="module")
def arms(data: Data) -> Arms:
    return Arms(HyperDeep(l2=GRID, draws=2), data.learner(), layers=2, sources=2)


@pytest.fixture(scope="module")
def made(arms: Arms) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hyper_batch, "_STEPS", (60, 60))
        return {name: make() for name, make in arms}


def test_members_are_scikit_learns_optima(data: Data) -> None:
    learner = data.learner()
    settings = [Setting(1), Setting(1, replicate=3), Setting(0, subspace=5)]
    members = learner.fit(settings, dict.fromkeys(settings, 10.0))
    found = learner.predict(members, "test")
    weights = replicate(data.clusters, 3)
    theirs = [
        data.sklearn(1, 10.0),
        data.sklearn(1, 10.0, weights),
        data.sklearn(0, 10.0, columns=subspace_of(DIM, 5)),
    ]
    for one, other, member in zip(found, theirs, members, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)
        assert member.converged and member.l2 == 10.0


def test_what_a_member_says_of_the_targets_to_choose_on(data: Data) -> None:
    (member,) = data.learner().fit([Setting(0, 0.1)], {Setting(0, 0.1): 10.0})
    p = data.learner().predict([member], "choose")[0]
    theirs = log_loss(data.labels["choose"], p, labels=range(CLASSES))
    assert member.loss == pytest.approx(theirs, rel=1e-9)


def test_a_path_gives_a_candidate_for_each_l2_until_it_gets_worse(data: Data) -> None:
    members = data.learner(patience=1).fit([Setting(0), Setting(1)])
    for source in (0, 1):
        losses = [m.loss for m in members if m.setting.source == source]
        assert len(losses) <= len(GRID) and losses[:-1] == sorted(losses[:-1], reverse=True)


def test_replicates_are_of_whole_clusters_and_as_heavy_as_all() -> None:
    clusters = np.repeat([4, 9, 11], [1, 5, 2])
    for seed in range(1, 20):
        weights = replicate(clusters, seed)
        assert weights.sum() == pytest.approx(8)
        assert all(len(set(weights[clusters == c])) == 1 for c in (4, 9, 11))
    assert (replicate(clusters, 0) == 1).all()


def test_sources_are_layers_and_then_mixes() -> None:
    weights = mixes(3, 5, 0)
    assert (weights[:3] == np.eye(3)).all() and weights.shape == (8, 3)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert mixes(1, 5, 0).tolist() == [[1.0]]


def test_a_deep_ensemble_of_a_convex_probe_is_its_member(made: dict[str, Any]) -> None:
    assert len({m["seed"] for m in made["seeds"].report()["members"]}) == 4
    ensemble, member = (made[name].predict_proba("test") for name in ("seeds", "single"))
    np.testing.assert_allclose(ensemble, member, atol=1e-4)


def test_all_arms_have_at_most_as_many_members_and_probabilities(made: dict[str, Any]) -> None:
    assert tuple(made) == ARMS
    for name, arm in made.items():
        p = arm.predict_proba("test")
        np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)
        assert len(arm.report()["members"]) <= 4, name
        assert len(arm.report()["members"]) == (1 if name.startswith("single") else 4) or (
            name.startswith("hyper-deep")
        )


def test_layers_that_know_different_things_make_a_better_ensemble(
    made: dict[str, Any], data: Data
) -> None:
    gold = data.labels["test"]
    loss = {n: log_loss(gold, arm.predict_proba("test")) for n, arm in made.items()}
    assert loss["hyper-deep"] < 0.98 * loss["single"]
    assert loss["hyper-deep"] < 0.98 * loss["hyper-deep-one-source"]
    assert {m["source"] for m in made["hyper-deep"].report()["members"]} == {0, 1}


def test_no_choice_made_it_worse_where_it_was_made(arms: Arms, made: dict[str, Any]) -> None:
    gold = arms.learner.chosen_by
    chosen = log_loss(gold, made["hyper-deep"].predict_proba("choose"))
    assert chosen <= arms.best.loss
    assert arms.best.loss == min(member.loss for member in arms.pool)


def test_an_ensemble_is_the_weighted_mean_of_its_members(data: Data) -> None:
    learner = data.learner()
    members = learner.fit([Setting(0), Setting(1)], {Setting(0): 10.0, Setting(1): 10.0})
    first, second = learner.predict(members, "test")
    mean = Ensemble(learner, members, [3, 1]).predict_proba("test")
    np.testing.assert_allclose(mean, (3 * first + second) / 4, rtol=1e-12)


@pytest.mark.parametrize("classes", [2, 3])
def test_as_a_probe_of_one_matrix(classes: int, data: Data) -> None:
    X, y = data.layers["train"][0], np.minimum(data.labels["train"], classes - 1)
    X_dev, y_dev = data.layers["choose"][0], np.minimum(data.labels["choose"], classes - 1)
    probe = HyperDeep(l2=GRID, members=2, draws=2).fit(X, y, X_dev, y_dev, classes=classes + 1)
    p = probe.predict_proba(data.layers["test"][0])
    assert p.shape == (500, classes + 1) and (p[:, classes] == 0).all()
    assert 1 <= len(probe.fit_report()["members"]) <= 2
