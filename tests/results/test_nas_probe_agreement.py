"""What NAS-Probe tells, on invented tables whose answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau, rankdata

from layerwise.results import nas_probe_agreement as agreement
from layerwise.results.nas_probe_agreement import ALL, BEST, LAST
from layerwise.results.nas_probe_table import ProbedCells

CELLS = 60


@pytest.fixture
def table() -> ProbedCells:
    """Perplexity tells ``pos`` well and ``coref`` not; ``score_good`` tells both."""
    random = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for number in range(CELLS):
        quality, other = random.normal(size=2)
        pos, coref = quality + 0.1 * random.normal(), other
        row: dict[str, Any] = {"id": str(number), "status": "ok", "milliseconds": random.random()}
        row["perplexity"] = 50 - 5 * quality
        for task, score in (("pos", pos), ("coref", coref)):
            for layer in range(3):
                row[f"{task}_test_{layer}"] = score if layer == 1 + number % 2 else -9.0 - layer
                row[f"{task}_dev_{layer}"] = row[f"{task}_test_{layer}"]
                row[f"{task}_edge_{layer}"] = layer == 0
        row["score_good"] = None if number == 0 else pos + coref
        row["score_bad"] = random.normal()
        row["score_never"] = None
        rows.append(row)
    rows.append({"id": "failed", "status": "failed"} | dict.fromkeys(list(rows[0])[2:]))
    settings = {"tasks": ["pos", "coref"], "layers": 2, "unigram_perplexity": 50 / 0.95}
    return ProbedCells(rows, settings)


def test_the_best_layer_is_chosen_on_dev_above_the_characters(table: ProbedCells) -> None:
    row = table.rows[0] | {"pos_dev_0": 9.0, "pos_dev_1": 1.0, "pos_dev_2": 2.0, "pos_test_2": 0.3}
    assert agreement.probed(table, row, "pos", BEST) == 0.3
    assert agreement.probed(table, row | {"pos_dev_1": 2.0}, "pos", BEST) == row["pos_test_1"]
    assert agreement.probed(table, row, "pos", LAST) == 0.3


def test_perplexity_tells_what_it_tells(table: ProbedCells) -> None:
    found = agreement.as_language_model(table, table.good)
    low = [-row["perplexity"] for row in table.good]
    best = [agreement.probed(table, row, "pos", BEST) for row in table.good]
    assert found["pos"][BEST].value == pytest.approx(kendalltau(low, best).statistic)
    assert found["pos"][BEST].low > 0.8
    assert not found["coref"][BEST].is_told
    first = [row["pos_test_1"] for row in table.good]
    assert found["pos"][1].value == pytest.approx(kendalltau(low, first).statistic)
    both = agreement.between_tasks(table, table.good)
    assert list(both) == [("pos", "coref")]
    again = agreement.dev_with_test(table, table.good)
    assert again["pos"].value == again["coref"].value == 1  # they are the same numbers


def test_rivals_stand_in_the_order_of_what_they_tell(table: ProbedCells) -> None:
    found = agreement.rivals(table, table.good)
    assert [rival.name for rival in found[:2]] == ["good", "perplexity"]
    assert {rival.name for rival in found[2:]} == {"bad", "milliseconds"}
    scores = [[agreement.probed(table, r, t, BEST) for r in table.good] for t in ("pos", "coref")]
    places = np.mean([rankdata(each) for each in scores], axis=0)
    good = [-99.0, *(row["score_good"] for row in table.good[1:])]
    assert found[0].by_target[ALL].value == pytest.approx(kendalltau(good, places).statistic)
    assert found[0].behind.value == found[0].behind.low == 0
    bad = next(rival for rival in found if rival.name == "bad")
    gap = bad.by_target[ALL].value - found[0].by_target[ALL].value
    assert bad.behind.value == pytest.approx(gap) and bad.behind.high < 0


def test_those_that_learnt_are_told_by_word_frequencies(table: ProbedCells) -> None:
    assert [row["id"] for row in agreement.learnt(table)] == [
        row["id"] for row in table.good if row["perplexity"] < 50
    ]
    assert agreement.at_edge(table, table.good) == {0: 1.0, 1: 0.0, 2: 0.0}
