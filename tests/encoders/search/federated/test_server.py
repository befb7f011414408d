"""The server's orders: phases of trials, then averaging with the best, and what it refuses."""

from __future__ import annotations

import pytest
import torch

from layerwise.core.errors import DataError, UsageError
from layerwise.encoders.search.federated.client import Order, Report
from layerwise.encoders.search.federated.gains import Gain
from layerwise.encoders.search.federated.hyperparameters import Hyperparameters
from layerwise.encoders.search.federated.server import Server

ARMS = [Hyperparameters(learning_rate=rate) for rate in (0.1, 0.2, 0.3)]


def _answer(order: Order, clients: int = 2) -> list[Report]:
    """Rates of 0.2 gain most; weights grow by one a round."""
    rate = order.hyperparameters.learning_rate
    if order.explore:
        gain = Gain(1 - abs(rate - 0.2), 4)
        return [Report(str(each), 8, gain=gain) for each in range(clients)]
    return [Report(str(each), 8, weights={"w": order.weights["w"] + 1}) for each in range(clients)]


def test_trials_come_first_in_each_period_and_change_no_weight() -> None:
    server = Server({"w": torch.zeros(2)}, ARMS, rounds=5, period=2, length=3.0, seed=1)
    kinds = ""
    while (order := server.next_order()) is not None:
        kinds += "t" if order.explore else "r"
        before = server.weights["w"]
        server.receive(_answer(order))
        assert torch.equal(server.weights["w"], before + (not order.explore))
    phases = [part for part in kinds.split("r") if part]
    assert len(phases) == 3  # before rounds 1, 3 and 5
    assert kinds.count("r") == 5
    assert server.bandit.best() == 1
    assert len(kinds) <= server.most_orders
    assert float(server.weights["w"][0]) == 5


def test_one_configuration_needs_no_trial() -> None:
    server = Server({"w": torch.zeros(1)}, ARMS[:1], rounds=3, period=1)
    for _ in range(3):
        order = server.next_order()
        assert order is not None and not order.explore
        server.receive(_answer(order))
    assert server.next_order() is None
    assert server.most_orders == 3


def test_weights_that_are_not_finite_are_not_taken() -> None:
    server = Server({"w": torch.ones(1)}, ARMS[:1], rounds=1)
    server.next_order()
    server.receive([Report("a", 1, weights={"w": torch.tensor([float("nan")])})])
    assert server.weights["w"] == torch.ones(1)
    assert not server.history[0].taken


def test_reports_that_do_not_answer_are_refused() -> None:
    server = Server({"w": torch.zeros(1)}, ARMS, rounds=1)
    server.next_order()
    with pytest.raises(DataError, match="told no gain"):
        server.receive([Report("a", 1, weights={"w": torch.zeros(1)})])
    server = Server({"w": torch.zeros(1)}, ARMS[:1], rounds=1)
    server.next_order()
    with pytest.raises(DataError, match="sent no weights"):
        server.receive([Report("a", 1, gain=Gain(0.0, 1))])
    with pytest.raises(UsageError, match="0 rounds"):
        Server({}, ARMS, rounds=0)
