"""NAS-Bench-NLP as a space with published results."""

from __future__ import annotations

import math
import os
import random

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.stats import kendalltau

from layerwise.core.errors import UsageError
from layerwise.encoders.search.protocols import Table
from layerwise.encoders.search.space.canonical import canonical
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.tables.nasbench_nlp import NasBenchNLP, nasbench_nlp

needs_data = pytest.mark.skipif(
    not os.environ.get("LAYERWISE_DATA"), reason="no real data; set LAYERWISE_DATA"
)


def test_an_unknown_corpus_is_met_with_the_known() -> None:
    with pytest.raises(UsageError, match="did you mean wt2"):
        nasbench_nlp("wt")


def test_runs_and_curves_are_told_as_given() -> None:
    cells = ["c1/L:0/t:1=2", "c1/L:0/s:1=2"]
    runs = {cell: [float(at), math.inf] for at, cell in enumerate(cells)}
    space = NasBenchNLP("two", runs, runs, {cells[0]: [2.0, 1.0]})
    assert isinstance(space, Table)
    assert space.runs(cells[1]) == (1.0, math.inf)
    assert space.curve(cells[0]) == (2.0, 1.0)
    assert space.curve(cells[1]) == ()


@needs_data
class TestPennTreebank:
    def test_all_runs_of_all_writings_are_there(self) -> None:
        space = nasbench_nlp()
        # 3,358 canonical cells were trained; the output of 2 depends on no word.
        assert len(space) == 3356
        losses = [loss for each in space.candidates for loss in space.runs(each)]
        table = pq.read_table(f"{os.environ['LAYERWISE_DATA']}/nas/ptb_runs.parquet")
        published = np.array(table["ptb_test_loss_final"].to_pylist(), dtype=float)
        left_out = set(published[np.isfinite(published)]) - set(losses)
        assert len(published) - len(losses) == len(left_out) == 2 * 3
        assert min(left_out) > 6  # a cell that sees no word learns the words' frequencies
        assert sum(loss < math.inf for loss in losses) == np.isfinite(published).sum() - 6

    def test_a_cell_has_the_mean_that_the_table_of_recipes_holds(self) -> None:
        space = nasbench_nlp()
        table = pq.read_table(f"{os.environ['LAYERWISE_DATA']}/nas/archs.parquet").to_pylist()
        checked = 0
        for row in random.Random(0).sample(table, 200):
            text = str(canonical(parse(row["cell"])))
            if row["ptb_finite"] and len(space.runs(text)) == row["ptb_runs"]:
                finite = [loss for loss in space.runs(text) if loss < math.inf]
                assert np.mean(finite) == pytest.approx(row["ptb_loss_mean"], abs=1e-9)
                checked += 1
        assert checked > 80

    def test_the_best_cell(self) -> None:
        space = nasbench_nlp()
        best = space.read("c1/L:0,@8/s:1/L:0,2/s:3/L:2,4/t:5/b:@4,@8,6/b:2,7,4=8")
        assert np.mean(space.runs(best)) == pytest.approx(4.436, abs=5e-4)

    def test_a_neighbour_is_worth_more_like_its_cell_than_any_other(self) -> None:
        # Else no strategy that walks could find anything.
        space, rng = nasbench_nlp(), random.Random(0)
        loss = {
            cell: float(np.mean(finite))
            for cell in space.candidates
            if (finite := [each for each in space.runs(cell) if each < math.inf])
        }
        pairs = [
            (loss[cell], loss[near]) for cell in loss if (near := space.mutate(cell, rng)) in loss
        ]
        cells, neighbours = zip(*pairs, strict=True)
        assert np.corrcoef(cells, neighbours)[0, 1] > 0.2


@needs_data
class TestWikiText:
    def test_losses_of_the_reference_cells(self) -> None:
        space = nasbench_nlp("wt2")
        assert len(space) == 260
        for name, final in {"rnn": 5.148, "nasbench_lstm": 4.521, "nasbench_gru": 4.647}.items():
            tested = space.test_runs(space.read(name))
            assert min(abs(loss - final) for loss in tested) < 5e-4

    def test_early_losses_rank_as_published(self) -> None:
        # Kendall's tau of the validation loss after some epochs with the final test loss.
        space = nasbench_nlp("wt2")
        sound = [cell for cell in space.candidates if space.curve(cell)[-1] < math.inf]
        finals = [
            float(np.mean([loss for loss in space.test_runs(cell) if loss < math.inf]))
            for cell in sound
        ]
        for epoch, expected in {1: 0.583, 5: 0.767, 10: 0.832, 25: 0.934}.items():
            early = [space.curve(cell)[epoch - 1] for cell in sound]
            assert kendalltau(early, finals).statistic == pytest.approx(expected, abs=0.03)

    def test_a_curve_ends_in_the_mean_of_the_runs(self) -> None:
        space = nasbench_nlp("wt2")
        diverged = 0
        for cell in space.candidates:
            curve, runs = space.curve(cell), space.runs(cell)
            finite = [loss for loss in runs if loss < math.inf]
            diverged += not finite
            assert len(curve) == 50
            assert curve[-1] == pytest.approx(np.mean(finite) if finite else math.inf)
        assert diverged
