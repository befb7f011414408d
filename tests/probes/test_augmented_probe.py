"""The probe on augmented rows: scikit-learn finds the same, and nothing but training is touched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from layerwise.probes import augmented_probe as module
from layerwise.probes.augmentation import KINDS, Kind, augment
from layerwise.probes.augmented_probe import PROBES
from layerwise.probes.linear import LinearProbe

random = np.random.default_rng(3)
CENTRES = random.normal(size=(3, 6))


def sample(rows: int) -> tuple[Any, Any]:
    labels = random.integers(0, 3, rows)
    scale = random.uniform(0.5, 2, size=(rows, 1))
    return (CENTRES[labels] + random.normal(size=(rows, 6))) * scale, labels


X, Y = sample(120)
DEV, DEV_Y = sample(60)
TEST, _ = sample(40)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_scikit_learns_optimum_on_the_augmented_rows(kind: Kind) -> None:
    probe = PROBES[kind](probability=0.6, own=0.7, copies=2, seed=4, l2=1.0)
    probe.fit(X, Y, DEV, DEV_Y)
    made = augment(X, Y, kind, probability=0.6, own=0.7, copies=2, seed=4)
    mean = np.average(made.features, axis=0, weights=made.weights)
    spread = np.sqrt(np.average((made.features - mean) ** 2, axis=0, weights=made.weights))
    peer = LogisticRegression(C=1.0, tol=1e-8, max_iter=5000).fit(
        (made.features - mean) / spread, made.labels, sample_weight=made.weights
    )
    expected = peer.predict_proba((TEST - mean) / spread)
    np.testing.assert_allclose(probe.predict_proba(TEST), expected, atol=2e-3)
    assert probe.predict(TEST).tolist() == expected.argmax(axis=1).tolist()
    plain = LinearProbe(l2=1.0).fit(X, Y, DEV, DEV_Y)
    assert np.abs(plain.predict_proba(TEST) - expected).max() > 0.02


@pytest.mark.parametrize("kind", KINDS)
def test_with_probability_0_it_is_the_linear_probe_to_the_bit(kind: Kind) -> None:
    plain = LinearProbe().fit(X, Y, DEV, DEV_Y, classes=3)
    probe = PROBES[kind](probability=0.0).fit(X, Y, DEV, DEV_Y, classes=3)
    assert np.array_equal(probe.predict_proba(TEST), plain.predict_proba(TEST))
    assert probe.fit_report() == plain.fit_report()


@pytest.mark.parametrize("kind", KINDS)
def test_dev_rows_and_predictions_are_of_the_features_as_they_are(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []

    def noted(features: Any, labels: Any, *rest: Any, **settings: Any) -> Any:
        given.append(len(features))
        return augment(features, labels, *rest, **settings)

    monkeypatch.setattr(module, "augment", noted)
    probe = PROBES[kind](l2=(10.0, 1.0)).fit(X, Y, DEV, DEV_Y)
    whole = probe.predict_proba(TEST)
    alone = np.concatenate([probe.predict_proba(TEST[i : i + 1]) for i in range(len(TEST))])
    np.testing.assert_allclose(whole, alone, rtol=1e-12)
    # The held-out loss on the path is that of the dev rows themselves.
    p = probe.predict_proba(DEV)[np.arange(len(DEV)), DEV_Y]
    chosen = min(step.held_out for step in probe.probe_.path_)
    assert chosen == pytest.approx(-np.log(p).mean(), rel=1e-5)
    assert given == [len(X)]


def test_its_names_and_settings_tell_it_from_others() -> None:
    probes = [PROBES[kind]() for kind in KINDS]
    assert [probe.name for probe in probes] == ["linear-moex", "linear-mixup", "linear-dropout"]
    settings = probes[0].settings()
    assert settings["augment_probability"] == 0.5 and settings["augment_own"] == 0.9
    assert settings != PROBES["moex"](own=0.5).settings()
