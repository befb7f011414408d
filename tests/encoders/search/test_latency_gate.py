"""A latency budget: who is skipped, what that costs, and that a resumed search knows it."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from layerwise.core.errors import LayerwiseError, UsageError
from layerwise.encoders.search import loop
from layerwise.encoders.search.cell_space import cell_space
from layerwise.encoders.search.confirmation import winner
from layerwise.encoders.search.cost_features import Shape, cell_features
from layerwise.encoders.search.cost_model import CostModel
from layerwise.encoders.search.journal import JOURNAL, SKIPPED, Evaluation, Journal
from layerwise.encoders.search.latency_gate import LatencyGate, milliseconds
from layerwise.encoders.search.loop import search
from layerwise.encoders.search.protocols import Estimate, Setting, Trial
from layerwise.encoders.search.search_budget import SearchBudget
from layerwise.encoders.search.space.aliases import NAMES, read_cell
from layerwise.encoders.search.space.canonical import canonical
from layerwise.encoders.search.space.grammar import parse

SPACE = cell_space("small")
SETTING = Setting(SPACE, dim=32, layers=2)
SHAPE = Shape(dim=32, layers=2)


def true_cost(text: str) -> float:
    """A millisecond, and one more for each of the calls that wait for one another."""
    return 1 + 0.01 * cell_features(parse(text), SHAPE).get("serial depth", 0)


@pytest.fixture(scope="module")
def model() -> CostModel:
    rng = random.Random(0)
    cells = [SPACE.sample(rng) for _ in range(15)] + [str(canonical(read_cell(n))) for n in NAMES]
    features = [cell_features(parse(cell), SHAPE) for cell in cells]
    fitted = CostModel().fit(features, [true_cost(cell) for cell in cells])
    fitted.facts = {"kind": "cells", "cost": "latency", "unit": "ms"}
    return fitted


class Counted:
    """An estimator that knows what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.remembered: list[str] = []

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        self.asked.append(trial.candidate)
        return Estimate((float(len(trial.candidate)),))

    def remember(self, trial: Trial, estimate: Estimate, seed: int = 0) -> None:
        self.remembered.append(trial.candidate)


class InOrder:
    """A strategy that asks about a list of cells."""

    def __init__(self, cells: Sequence[str]) -> None:
        self.left = list(cells)
        self.told: list[Estimate] = []

    def ask(self) -> Trial | None:
        return Trial(self.left.pop(0)) if self.left else None

    def tell(self, trial: Trial, estimate: Estimate) -> None:
        self.told.append(estimate)


def test_exactly_those_whose_lower_bound_is_above_the_budget_are_skipped(model: CostModel) -> None:
    rng, inner = random.Random(1), Counted()
    gate = LatencyGate(inner, model, 3.0, SETTING)
    cells = list(dict.fromkeys(SPACE.sample(rng) for _ in range(30)))
    answers = {cell: gate.estimate(Trial(cell)) for cell in cells}
    features = [cell_features(parse(cell), SHAPE) for cell in cells]
    low, high = model.interval(features)
    for cell, bound, above in zip(cells, low, high, strict=True):
        details = answers[cell].details
        assert (SKIPPED in details) == (bound > 3.0) == (cell not in inner.asked)
        if SKIPPED in details:
            assert answers[cell].losses == (math.inf,) and not answers[cell].measured
            assert details[SKIPPED]["interval"] == pytest.approx([bound, above])
    # What is truly fast is asked about, by the rule that made the times.
    assert all(cell in inner.asked for cell in cells if true_cost(cell) < 2.5)
    skipped = [cell for cell in cells if cell not in inner.asked]
    assert 1 < len(skipped) < len(cells) and all(true_cost(cell) > 3 for cell in skipped)


def test_the_layers_are_those_of_the_setting(model: CostModel) -> None:
    text = str(canonical(read_cell("lstm")))
    deep = Setting(SPACE, dim=32, layers=8)
    budget = 1.05 * true_cost(text)
    assert (
        SKIPPED not in LatencyGate(Counted(), model, budget, SETTING).estimate(Trial(text)).details
    )
    told = LatencyGate(Counted(), model, budget, deep).estimate(Trial(text)).details[SKIPPED]
    assert told["beyond"]  # no stack of eight layers was timed


def test_a_skipped_one_costs_no_evaluation_and_never_wins(model: CostModel, tmp_path: Path) -> None:
    slow, fast = str(canonical(read_cell("lstm"))), ["c1/K3:0=1", "c1/t:0=1", "c1/L:0=1"]
    cells = [slow, fast[0], slow, fast[1], fast[2]]
    inner, strategy = Counted(), InOrder(cells)
    gate = LatencyGate(inner, model, 3.0, SETTING)
    journal = Journal(tmp_path / JOURNAL, {})
    done = search(strategy, gate, SearchBudget(evaluations=2), journal)
    assert inner.asked == fast[:2]
    assert [each.skipped for each in done] == [True, False, True, False]
    assert [estimate.losses[0] < math.inf for estimate in strategy.told] == [False, True] * 2
    assert winner(done).candidate == fast[1]

    again, resumed = Counted(), InOrder(cells)
    gate = LatencyGate(again, model, 3.0, SETTING)
    read = Journal(tmp_path / JOURNAL, {})
    done = search(resumed, gate, SearchBudget(evaluations=3), read)
    assert again.remembered == fast[:2] and again.asked == fast[2:] and len(done) == 5


def test_a_loss_that_was_predicted_wins_over_a_skipped_one_of_more_effort() -> None:
    skipped = Evaluation(
        "search", 0, 1, "a", (math.inf,), fidelity=1.0, measured=False, details={SKIPPED: {}}
    )
    predicted = Evaluation("search", 0, 2, "b", (3.0,), fidelity=0.5, measured=False)
    assert winner([skipped, predicted]) == predicted


def test_a_budget_that_nothing_keeps_ends(
    model: CostModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_SKIPPED", 20)
    gate = LatencyGate(Counted(), model, 0.01, SETTING)
    with pytest.raises(LayerwiseError, match="20 candidates in a row were skipped"):
        search(InOrder(["c1/K3:0=1"] * 50), gate, SearchBudget(evaluations=2), Journal(None, {}))


@pytest.mark.parametrize(("text", "value"), [("5ms", 5), ("0.2s", 200), (" 1.5 ms ", 1.5)])
def test_times(text: str, value: float) -> None:
    assert milliseconds(text) == value


@pytest.mark.parametrize("text", ["5", "0ms", "-1ms", "ms", "5m", "1e3ms"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(UsageError, match=r"--latency-budget: .* is no time; such as 5ms"):
        milliseconds(text)


def test_models_that_cannot_tell_are_refused(model: CostModel) -> None:
    few = CostModel().fit([cell_features(parse("c1/t:0=1"), SHAPE)] * 4, [1.0] * 4)
    few.facts = dict(model.facts)
    with pytest.raises(UsageError, match="too few measurements for intervals"):
        LatencyGate(Counted(), few, 1.0, SETTING)
    few.facts = {"kind": "encoders", "cost": "latency", "unit": "ms"}
    with pytest.raises(UsageError, match="--cost-model: is a model of latency of encoders"):
        LatencyGate(Counted(), few, 1.0, SETTING)
