"""The estimator ``renas`` over a table whose losses are planted."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from scipy.stats import kendalltau

from layerwise.core.errors import UsageError
from layerwise.core.registry import load
from layerwise.encoders.search.estimators.ranking import Ranking
from layerwise.encoders.search.protocols import Estimate, Setting, Trial
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.space.sampling import RECURRENT, Space, sample_distinct

CELLS = [str(cell) for cell in sample_distinct(Space(RECURRENT, 3, 8), random.Random(0), 60)]


class PlantedTable:
    """Cells whose loss is told by their operations; every run is the same."""

    name = "planted"

    def __init__(self, cells: Sequence[str] = CELLS) -> None:
        self.cells = cells
        self.genes = [len(cells)]
        self.asked: list[str] = []

    def sample(self, generator: random.Random) -> str:
        return generator.choice(self.cells)

    def mutate(self, candidate: str, generator: random.Random) -> str:
        return self.sample(generator)

    def cross(self, first: str, second: str, generator: random.Random) -> str:
        return first

    def decode(self, genes: Sequence[int]) -> str:
        return self.cells[genes[0]]

    def read(self, text: str) -> str:
        return text

    def describe(self, anonymous: bool = False) -> str:
        return ""

    def runs(self, candidate: str) -> Sequence[float]:
        self.asked.append(candidate)
        return [loss_of(candidate)]

    def curve(self, candidate: str) -> Sequence[float]:
        return [9.0, loss_of(candidate)]


def loss_of(candidate: str) -> float:
    letters = "".join(node.operation.letter for node in parse(candidate).nodes)
    return 4 + 0.2 * letters.count("s") + 0.1 * letters.count("m") + 0.01 * len(letters)


def answers(estimator: Ranking, cells: Sequence[str]) -> list[Estimate]:
    return [estimator.estimate(Trial(cell)) for cell in cells]


@pytest.fixture(scope="module")
def asked() -> tuple[PlantedTable, list[Estimate]]:
    """All cells, asked once."""
    table = PlantedTable()
    return table, answers(Ranking(Setting(table), first=20, batch=20), CELLS)


def test_it_is_an_entry_point() -> None:
    assert load("estimator", "renas") is Ranking


def test_the_first_are_measured_and_then_the_best(
    asked: tuple[PlantedTable, list[Estimate]],
) -> None:
    table, told = asked
    measured = [cell for cell, each in zip(CELLS, told, strict=True) if each.measured]
    assert measured[:20] == CELLS[:20] and measured == table.asked
    assert 22 <= len(measured) <= 40
    assert all(
        each.losses == (loss_of(c),) for c, each in zip(CELLS, told, strict=True) if each.measured
    )
    # What was thought worth a measurement after the first is better than what was not.
    later = [loss_of(cell) for cell in measured[20:]]
    left = [loss_of(cell) for cell in CELLS if cell not in measured]
    assert sum(later) / len(later) < sum(left) / len(left) - 0.1


def test_predictions_stand_on_the_scale_of_the_truth(
    asked: tuple[PlantedTable, list[Estimate]],
) -> None:
    _, told = asked
    predicted = [(e.losses[0], c, e) for c, e in zip(CELLS, told, strict=True) if not e.measured]
    truth = [loss_of(cell) for cell in CELLS]
    assert all(min(truth) <= loss <= max(truth) for loss, _, _ in predicted)
    assert kendalltau([p[0] for p in predicted], [loss_of(p[1]) for p in predicted])[0] > 0.2
    first_fit = [e for _, _, e in predicted if e.details["known"] == 20]
    scores = sorted((e.details["score"], e.losses[0]) for e in first_fit)
    losses = [loss for _, loss in scores]
    assert losses == sorted(losses)  # monotone in the score


def test_an_answer_stays_and_a_resumed_search_goes_on_as_it_was(
    asked: tuple[PlantedTable, list[Estimate]],
) -> None:
    _, told = asked
    table = PlantedTable()
    resumed = Ranking(Setting(table), first=20, batch=20)
    for cell, estimate in zip(CELLS[:45], told[:45], strict=True):
        resumed.remember(Trial(cell), Estimate((*estimate.losses, 1.5), estimate.measured))
    assert not table.asked
    assert answers(resumed, CELLS[45:]) == told[45:]
    assert resumed.estimate(Trial(CELLS[3])).losses == told[3].losses


def test_what_is_measured_is_measured_in_full() -> None:
    estimator = Ranking(Setting(PlantedTable()))
    assert estimator.estimate(Trial(CELLS[0], 0.5)).losses == (loss_of(CELLS[0]),)


def test_nothing_to_rank_by_is_measured_further() -> None:
    same = [f"c1/L:0/t:1/{'/'.join(f'L:{i}' for i in range(2, n))}={n}" for n in range(3, 16)]
    table = PlantedTable(same)
    table.runs = lambda candidate: [float("inf")]  # type: ignore[method-assign]
    told = answers(Ranking(Setting(table), first=10, batch=1), same)
    assert all(each.measured for each in told)


def test_what_cannot_be_served_is_told() -> None:
    with pytest.raises(UsageError, match="cannot measure"):
        Ranking(Setting(PlantedTable()), truth="renas")
    with pytest.raises(UsageError, match=r"first 5, batch 20 and share 0\.2 are not possible"):
        Ranking(Setting(PlantedTable()), first=5)
    with pytest.raises(UsageError, match="candidates of planted are no cells"):
        Ranking(Setting(PlantedTable(["012345"])))
