"""The ranking predictor and its rival on losses that are planted in cells."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import kendalltau

from layerwise.core.errors import UsageError
from layerwise.encoders.search.predictor.fit import Model, RankingPredictor
from layerwise.encoders.search.predictor.forest import ForestPredictor
from layerwise.encoders.search.predictor.path_costs import NAMES, path_costs
from layerwise.encoders.search.space.grammar import Cell


def planted(cells: list[Cell]) -> list[float]:
    """How often the cheapest way squashes over four words, and a little for each node."""
    index = NAMES.index("squashes lag 4")
    return [float(path_costs(cell)[index]) + 0.01 * len(cell.nodes) for cell in cells]


def test_trees_find_a_planted_ranking_and_the_forest_is_behind(cells: list[Cell]) -> None:
    losses = planted(cells)
    known, rest, truth = cells[:80], cells[80:], losses[80:]
    ours = RankingPredictor(members=1).fit(known, losses[:80]).predict(rest)
    rival = ForestPredictor(trees=30).fit(known, losses[:80]).predict(rest)
    tau = kendalltau(ours, truth)[0]
    assert tau > 0.7
    assert tau > kendalltau(rival, truth)[0] > 0.1


@pytest.mark.parametrize("model", ["trees", "graph"])
def test_another_writing_has_the_same_score(
    model: Model, cells: list[Cell], rewrite: Callable[[Cell, int], Cell]
) -> None:
    predictor = RankingPredictor(model, members=1).fit(cells[:12], planted(cells[:12]))
    others = [rewrite(cell, seed) for seed, cell in enumerate(cells[20:30])]
    np.testing.assert_allclose(predictor.predict(cells[20:30]), predictor.predict(others))


@pytest.mark.slow
def test_the_convolution_reads_cells_of_other_sizes_than_it_was_fitted_to(
    cells: list[Cell],
) -> None:
    small = sorted(cells, key=lambda cell: len(cell.nodes))
    predictor = RankingPredictor("convolution", members=1).fit(small[:10], planted(small[:10]))
    assert np.isfinite(predictor.predict(small[-2:])).all()


def test_what_diverged_ranks_last(cells: list[Cell]) -> None:
    losses = [math.inf if loss > 3 else loss for loss in planted(cells)]
    assert 10 < sum(map(math.isinf, losses)) < 110
    predictor = RankingPredictor(members=1).fit(cells[:60], losses[:60])
    scores = predictor.predict(cells[80:])
    diverged = np.isinf(losses[80:])
    assert np.median(scores[diverged]) > np.median(scores[~diverged])
    # Where all that diverged would be is no matter, only that they are last.
    far = [1e9 if math.isinf(loss) else loss for loss in losses]
    again = RankingPredictor(members=1).fit(cells[:60], far[:60]).predict(cells[80:])
    np.testing.assert_array_equal(scores, again)


def test_each_member_scores_what_it_left_out(cells: list[Cell]) -> None:
    losses = planted(cells[:30])
    predictor = RankingPredictor(members=2).fit(cells[:30], losses)
    scored = np.isfinite(predictor.held_out)
    assert scored.sum() == 12  # two fifths
    assert np.isfinite(RankingPredictor().fit(cells[:30], losses).held_out).all()
    assert kendalltau(predictor.held_out[scored], np.array(losses)[scored])[0] > 0.2


def test_propagation_adds_columns_that_stay_the_same(cells: list[Cell]) -> None:
    fits = [
        RankingPredictor(members=1, features="propagation", seed=3).fit(
            cells[:12], planted(cells[:12])
        )
        for _ in range(2)
    ]
    first, second = (fit.predict(cells[12:14]) for fit in fits)
    np.testing.assert_array_equal(first, second)


def test_what_cannot_be_fitted_is_told(cells: list[Cell]) -> None:
    with pytest.raises(UsageError, match="did you mean trees"):
        RankingPredictor("tree")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="5 cells and 5 losses"):
        RankingPredictor().fit(cells[:5], [1, 2, 3, 4, 5])
    with pytest.raises(UsageError, match="nan"):
        RankingPredictor().fit(cells[:12], [math.nan] * 12)
    with pytest.raises(UsageError, match="all losses are 1;"):
        RankingPredictor().fit(cells[:12], [1.0] * 12)
    with pytest.raises(UsageError, match="call fit first"):
        RankingPredictor().predict(cells[:2])
