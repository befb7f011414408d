"""Boosted trees on rankings that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau
from sklearn.ensemble import GradientBoostingRegressor

from layerwise.encoders.search.predictor.boosting import BoostedTrees, Loss


@pytest.mark.parametrize("loss", ["pairwise", "squared"])
def test_a_planted_order_is_found(loss: Loss) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 4))
    targets = features[:, 0] + features[:, 1] * (features[:, 2] > 0)
    model = BoostedTrees(loss, trees=60, columns=1.0, rows=1.0).fit(features[:140], targets[:140])
    assert kendalltau(model.predict(features[140:]), targets[140:])[0] > 0.7


def test_squared_error_is_the_boosting_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(80, 3)).astype(np.float32)
    targets = rng.normal(size=80)
    targets = (targets - targets.mean()) / targets.std()
    ours = BoostedTrees("squared", trees=20, depth=3, columns=1.0, rows=1.0, leaf=4)
    theirs = GradientBoostingRegressor(n_estimators=20, max_depth=3, min_samples_leaf=4)
    scores = ours.fit(features, targets).predict(features)
    np.testing.assert_allclose(scores, theirs.fit(features, targets).predict(features), atol=1e-6)


def test_only_the_order_matters_to_pairs() -> None:
    rng = np.random.default_rng(2)
    features, targets = rng.normal(size=(60, 3)), rng.normal(size=60)
    plain = BoostedTrees(trees=10).fit(features, targets).predict(features)
    bent = BoostedTrees(trees=10).fit(features, np.exp(3 * targets)).predict(features)
    np.testing.assert_array_equal(plain, bent)
