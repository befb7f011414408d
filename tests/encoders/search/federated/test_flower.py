"""The same weights over a network; and what the adapter does without ``flwr``."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from layerwise.core.errors import UsageError
from layerwise.encoders.search.federated.client import Order, Report
from layerwise.encoders.search.federated.flower import (
    arrays_of,
    join,
    order_of,
    report_of,
    scalars_of,
    scalars_of_order,
    serve,
)
from layerwise.encoders.search.federated.gains import Gain
from layerwise.encoders.search.federated.hyperparameters import Hyperparameters
from layerwise.encoders.search.federated.simulation import make_clients, make_server, simulate

from .conftest import CELL, VOCABULARY, texts, wanted

INSTALLED = importlib.util.find_spec("flwr") is not None
NAMES = ("bio", "news")


def test_orders_and_reports_survive_the_way() -> None:
    weights = {"b": torch.ones(2), "a": torch.tensor([0.1, 0.2])}
    order = Order(weights, Hyperparameters(learning_rate=0.25, momentum=0.5), explore=True)
    arrived = order_of(dict(zip("ab", arrays_of(weights), strict=True)), scalars_of_order(order))
    assert arrived.hyperparameters == order.hyperparameters and arrived.explore
    trained = Report("bio", 7, weights)
    again = report_of(arrays_of(weights), 7, scalars_of(trained), ["a", "b"])
    for sent, received in ((weights, arrived.weights), (weights, again.weights)):
        assert received is not None
        assert {n: w.tolist() for n, w in received.items()} == {
            n: w.tolist() for n, w in sent.items()
        }
    told = Report("bio", 7, gain=Gain(0.5, 3))
    assert report_of([], 7, scalars_of(told), ["a", "b"]) == told


def test_beyond_this_machine_certificates_are_required() -> None:
    server = make_server(VOCABULARY, wanted(), CELL)
    client = make_clients({"bio": texts()["bio"]}, VOCABULARY, wanted(), CELL)[0]
    for address in ("0.0.0.0:9400", "[::]:9400", "example.org:9400"):
        with pytest.raises(UsageError, match="no certificate"):
            serve(server, 2, address)
        with pytest.raises(UsageError, match="no certificate"):
            join(client, address)


@pytest.mark.skipif(INSTALLED, reason="flwr is installed")
def test_without_flwr_the_cure_is_told() -> None:
    with pytest.raises(UsageError, match="an environment of its own"):
        serve(make_server(VOCABULARY, wanted(), CELL), 2, "127.0.0.1:9400")


@pytest.mark.skipif(not INSTALLED, reason="flwr is not installed")
def test_a_server_and_two_clients_on_the_loopback_get_the_weights_of_the_simulation(
    tmp_path: Path,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    script, output = str(Path(__file__).with_name("loopback.py")), tmp_path / "weights.npz"
    server = subprocess.Popen([sys.executable, script, "serve", address, str(output), *NAMES])
    clients = [subprocess.Popen([sys.executable, script, name, address]) for name in NAMES]
    try:
        assert [process.wait(timeout=240) for process in (server, *clients)] == [0, 0, 0]
    finally:
        for process in (server, *clients):
            process.kill()
            process.wait()
    here = make_clients({name: texts()[name] for name in NAMES}, VOCABULARY, wanted(), CELL)
    expected = simulate(make_server(VOCABULARY, wanted(), CELL), here).weights
    with np.load(output) as arrived:
        assert {*arrived} == {*expected}
        for name, weight in expected.items():
            assert np.array_equal(arrived[name], weight.numpy()), name
