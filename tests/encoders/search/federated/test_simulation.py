"""Federated training in one process: equal to a central step, private by default, all booked."""

from __future__ import annotations

import math

import pytest
import torch

from layerwise.core.errors import DataError
from layerwise.encoders.search.federated.accountants import by_opacus
from layerwise.encoders.search.federated.client import Client, LocalTraining, Order
from layerwise.encoders.search.federated.hyperparameters import Hyperparameters
from layerwise.encoders.search.federated.ledger import Release
from layerwise.encoders.search.federated.mixed_cell import language_model
from layerwise.encoders.search.federated.private_training import parameters_of
from layerwise.encoders.search.federated.samples import cut
from layerwise.encoders.search.federated.server import Server
from layerwise.encoders.search.federated.simulation import (
    Federation,
    make_clients,
    make_server,
    perplexity,
    search,
    simulate,
)

from .conftest import CELL, VOCABULARY, texts, wanted

pytest.importorskip("opacus")

TWO = {name: text for name, text in texts(40).items() if name != "voyage"}
FULL = LocalTraining(steps=1, rate=1.0, norm=math.inf)


def test_a_round_of_equal_shards_is_the_step_of_all_data_at_once() -> None:
    words = texts(96)["news"]
    plain = Hyperparameters(learning_rate=0.5, weight_decay=0.01, momentum=0.0)

    def client(name: str, text: list[str]) -> Client:
        model = language_model(len(VOCABULARY), 4, 1, 4, 0, CELL)
        samples = cut(text, VOCABULARY, 4, model.bilm.characters.codes)
        return Client(name, model, samples, samples, FULL, None)

    together = client("all", words)
    start = {n: w.detach().clone() for n, w in parameters_of(together.model).items()}
    central = together.run(Order(start, plain)).weights
    assert central is not None
    server = Server(start, [plain], rounds=1)
    shards = [client(str(part), words[32 * part : 32 * (part + 1)]) for part in range(3)]
    simulate(server, shards)
    moved = 0.0
    for name, weight in central.items():
        assert torch.abs(server.weights[name] - weight).max() < 1e-6
        moved = max(moved, float(torch.abs(weight - start[name]).max()))
    assert moved > 1e-2


def test_every_step_and_every_gain_is_booked() -> None:
    federation = wanted(rounds=1)
    clients = make_clients(TWO, VOCABULARY, federation)
    server = make_server(VOCABULARY, federation)
    outcome = simulate(server, clients)
    trials = sum(one.gain is not None for one in outcome.history)
    assert trials == 1  # the entropy of three arms in nats, rounded
    for ledger in outcome.ledgers.values():
        assert ledger.releases == (
            Release("architecture", 0.7, 0.5, trials + 1),
            Release("weights", 0.7, 0.5, trials + 1),
            Release("gain", 20.0, 1.0, trials),
        )


def test_trials_leave_no_trace_in_the_weights() -> None:
    federation = wanted(privacy=None)
    client = make_clients(texts(), VOCABULARY, federation, CELL)[0]
    server = make_server(VOCABULARY, federation, CELL)
    order = server.next_order()
    assert order is not None and order.explore
    kept = {name: weight.clone() for name, weight in order.weights.items()}
    report = client.run(order)
    assert report.weights is None and report.gain is not None
    for name, weight in order.weights.items():
        assert torch.equal(weight, kept[name])


def _trained(federation: Federation) -> dict[str, torch.Tensor]:
    fixed = wanted(fixed=Hyperparameters(learning_rate=0.3), privacy=federation.privacy, rounds=1)
    clients = make_clients(texts(40), VOCABULARY, fixed, CELL)
    return dict(simulate(make_server(VOCABULARY, fixed, CELL), clients).weights)


def test_the_default_is_private_and_its_noise_cannot_be_repeated() -> None:
    assert Federation().privacy is not None
    hidden = wanted(privacy=Federation().privacy)
    assert not torch.equal(_trained(hidden)["softmax.bias"], _trained(hidden)["softmax.bias"])
    seeded, again = _trained(wanted()), _trained(wanted())
    assert all(torch.equal(weight, again[name]) for name, weight in seeded.items())


def test_a_search_gives_a_cell_and_its_weights_and_adds_both_stages_up() -> None:
    federation = wanted(rounds=1)
    found = search(TWO, VOCABULARY, federation)
    assert found.cell.startswith("c1/")
    counts = {one.what: one.count for one in found.training.ledgers["bio"].releases}
    assert counts == {"architecture": 2, "weights": 4, "gain": 2}
    reached = perplexity(
        found.training.weights, texts()["news"], VOCABULARY, federation, found.cell
    )
    assert 1 < reached < 50
    stages = [by_opacus(stage.ledgers["bio"], 1e-3) for stage in (found.choice, found.training)]
    assert 0 < stages[0] < stages[1]


def test_training_without_privacy_learns() -> None:
    federation = wanted(
        privacy=None,
        rounds=15,
        fixed=Hyperparameters(learning_rate=0.5),
        training=LocalTraining(steps=2, rate=0.5),
    )
    same = {name: ["w1", "w2", "w3"] * 20 for name in ("a", "b")}
    server = make_server(VOCABULARY, federation, CELL)
    start = perplexity(server.weights, same["a"], VOCABULARY, federation, CELL)
    outcome = simulate(server, make_clients(same, VOCABULARY, federation, CELL))
    end = perplexity(outcome.weights, same["a"], VOCABULARY, federation, CELL)
    assert end < 0.5 * start
    assert outcome.claim(1e-5).claim == math.inf


def test_a_client_with_too_little_text_is_told() -> None:
    with pytest.raises(DataError, match="3 words make no window of 4"):
        make_clients({"a": ["w1"] * 3}, VOCABULARY, wanted(), CELL)
    with pytest.raises(DataError, match="2 windows"):
        make_clients({"a": ["w1"] * 8}, VOCABULARY, wanted(), CELL)
