"""The bandit as a strategy: phases over a fixed draw, clipped gains, the same after a kill."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.encoders.search.federated.ledger import Release
from layerwise.encoders.search.federated.strategy import Federated
from layerwise.encoders.search.protocols import Estimate, Strategy, Trial


class Digits:
    """Ten candidates; the loss of one is its number."""

    name = "digits"
    genes: Sequence[int] = (10,)

    def sample(self, generator: random.Random) -> str:
        return str(int(generator.random() * 10))

    def mutate(self, candidate: str, generator: random.Random) -> str:
        return self.sample(generator)

    def cross(self, first: str, second: str, generator: random.Random) -> str:
        return first

    def decode(self, genes: Sequence[int]) -> str:
        return str(genes[0])

    def read(self, text: str) -> str:
        return text

    def describe(self, anonymous: bool = False) -> str:
        return "digits"


def _loss(trial: Trial) -> Estimate:
    return Estimate((float(trial.candidate),))


def _run(strategy: Strategy, questions: int) -> list[Trial]:
    asked = []
    for _ in range(questions):
        trial = strategy.ask()
        assert trial is not None
        asked.append(trial)
        strategy.tell(trial, _loss(trial))
    return asked


def test_it_asks_about_a_fixed_draw_and_comes_to_the_best() -> None:
    strategy = Federated(Digits(), seed=1, configurations=5, evaluations=200)
    assert len(set(strategy.candidates)) == 5
    asked = _run(strategy, 200)
    assert {trial.candidate for trial in asked} <= {*strategy.candidates}
    low, high = (sorted(strategy.candidates, key=int)[end] for end in (0, -1))
    counts = [sum(trial.candidate == each for trial in asked[50:]) for each in (low, high)]
    assert counts[0] > 2 * counts[1]


def test_the_same_seed_and_answers_give_the_same_questions() -> None:
    first, second = (Federated(Digits(), seed=3, gain_noise=1.0) for _ in range(2))
    assert _run(first, 60) == _run(second, 60)
    assert _run(Federated(Digits(), seed=4), 60) != _run(Federated(Digits(), seed=3), 60)


def test_with_less_effort_the_best_is_then_asked_in_full() -> None:
    strategy = Federated(Digits(), seed=0, configurations=4, length=2.0, effort=0.25)
    asked = _run(strategy, 60)
    full = [trial for trial in asked if trial.fidelity == 1]
    assert asked[0].fidelity == 0.25 and asked[round(2 * np.log(4))] in full
    assert len(full) == len({trial.candidate for trial in full}) <= 4


def test_gains_of_clients_are_clipped_weighed_and_booked() -> None:
    strategy = Federated(Digits(), configurations=2, length=0.1, memory=0.5, gain_noise=0.0)
    trial = strategy.ask()
    assert trial is not None
    clients = [
        {"before": [5.0, 5.0, 5.0], "after": [4.5, 4.5, 4.5]},
        {"before": 90.0, "after": 2.0},
    ]
    strategy.tell(trial, Estimate((1.0,), details={"clients": clients}))
    arm = strategy.candidates.index(trial.candidate)
    assert strategy.bandit.rewards[arm] == pytest.approx(0.5 * (3 * 0.5 + 1 * 1.0) / 4)
    assert strategy.ledger.releases == (Release("gain", 0.0),)


def test_reports_of_clients_get_noise_unasked_and_a_loss_does_not() -> None:
    strategy = Federated(Digits(), configurations=2, length=0.1)
    for _ in range(3):
        trial = strategy.ask()
        assert trial is not None
        strategy.tell(trial, Estimate((1.0,)))
    assert strategy.ledger.releases == ()
    assert not strategy.bandit.rewards.any()  # equal losses, no gain
    trial = strategy.ask()
    assert trial is not None
    report = {"clients": [{"before": [1.0], "after": [1.0]}]}
    strategy.tell(trial, Estimate((1.0,), details=report))
    assert strategy.ledger.releases == (Release("gain", 20.0),)
    assert strategy.bandit.rewards.any()  # the noise


def test_a_loss_of_inf_is_the_worst() -> None:
    strategy = Federated(Digits(), configurations=2, length=0.1, memory=0.5)
    trial = strategy.ask()
    assert trial is not None
    strategy.tell(trial, Estimate((float("inf"),)))
    assert strategy.bandit.rewards.min() == pytest.approx(-0.5)


def test_what_it_cannot_read_is_refused() -> None:
    strategy = Federated(Digits())
    trial = strategy.ask()
    assert trial is not None
    with pytest.raises(DataError, match="was not asked about"):
        strategy.tell(Trial("none"), Estimate((1.0,)))
    with pytest.raises(DataError, match="without the losses before and after"):
        strategy.tell(trial, Estimate((1.0,), details={"clients": [{"before": 1.0}]}))
    with pytest.raises(UsageError, match="effort 2"):
        Federated(Digits(), effort=2.0)
