"""Every probe that is installed keeps the probe contract."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import re
from typing import Any

import numpy as np
import pytest
import torch

from layerwise.core import registry
from layerwise.results.records import Key

torch.set_num_threads(1)
NAMES = registry.names("probe")
CLASSES = 4
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 5)).astype(np.float32)
Y = np.where(X[:, 0] > 0, 0, np.where(X[:, 1] > 0, 1, 3))  # no row of class 2
X_DEV = RANDOM.normal(size=(20, 5)).astype(np.float32)
Y_DEV = np.where(X_DEV[:, 0] > 0, 0, np.where(X_DEV[:, 1] > 0, 1, -1))  # -1: unseen in train


def make(name: str) -> Any:
    return registry.load("probe", name)()


def fitted(name: str) -> Any:
    return make(name).fit(X, Y, X_DEV, Y_DEV, classes=CLASSES)


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is(name: str) -> None:
    probe = make(name)
    assert probe.name == name and re.fullmatch(r"v\d+", probe.version)


@pytest.mark.parametrize("name", NAMES)
def test_the_constructor_only_keeps_what_it_is_given_by_name(name: str) -> None:
    kind = registry.load("probe", name)
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in parameters)
    marks = {p.name: object() for p in parameters}
    assert vars(kind(**marks)) == marks


@pytest.mark.parametrize("name", NAMES)
def test_fit_gives_the_probe_itself_and_what_it_learns_ends_in_an_underscore(name: str) -> None:
    probe = make(name)
    before = copy.deepcopy(vars(probe))
    assert probe.fit(X, Y, X_DEV, Y_DEV, classes=CLASSES) is probe
    assert {key: vars(probe)[key] for key in before} == before
    learnt = vars(probe).keys() - before.keys()
    assert learnt and all(key.endswith("_") and not key.startswith("_") for key in learnt)


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_are_of_every_class_and_none_goes_to_what_train_lacks(name: str) -> None:
    probabilities = fitted(name).predict_proba(X_DEV)
    assert probabilities.shape == (20, CLASSES)
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert (probabilities[:, 2] == 0).all()
    assert (probabilities.argmax(axis=1) == Y_DEV)[Y_DEV >= 0].mean() > 0.7


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_same_every_time_and_forgets_an_earlier_fit(name: str) -> None:
    first = fitted(name).predict_proba(X_DEV)
    other = make(name).fit(X[:9, :3], Y[:9], X_DEV[:, :3], Y_DEV, classes=CLASSES)
    again = other.fit(X, Y, X_DEV, Y_DEV, classes=CLASSES).predict_proba(X_DEV)
    assert first.tobytes() == again.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_row_has_its_probabilities_whatever_stands_beside_it(name: str) -> None:
    probe = fitted(name)
    together = probe.predict_proba(X_DEV)
    alone = np.concatenate([probe.predict_proba(row[None]) for row in X_DEV])
    np.testing.assert_allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_settings_and_report_fit_into_a_record(name: str) -> None:
    probe = make(name)
    settings = dict(probe.settings())
    key = Key(
        encoder="e",
        fingerprint="f",
        task="t.v1",
        data="d",
        data_hash="h",
        layer=0,
        probe=f"{probe.name}.{probe.version}",
        seed=0,
        settings=settings,
    )
    assert key.settings == settings
    report = dict(fitted(name).fit_report())
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert fitted(name).settings() == settings


@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_sent_to_a_worker(name: str) -> None:
    sent = pickle.loads(pickle.dumps(make(name)))
    assert vars(sent) == vars(make(name))
