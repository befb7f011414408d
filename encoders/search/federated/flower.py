"""The same server and clients over a network, by Flower (``flwr``).

Flower wants another rich than a dependency of this package does, so the two cannot be installed
together. An environment with Flower alone that looks into this package's own behind it serves::

    python -m venv federated
    federated/bin/pip install flwr
    echo "import site; site.addsitedir('.../site-packages of this package')" \\
        > federated/lib/python3.11/site-packages/zz_layerwise.pth

Then one process there calls ``serve``, and each client's machine ``join``. Flower only carries
orders and reports: what they say is the same as in ``simulation``, and so are the weights, to the
last bit. It uses ``start_server`` and ``start_client`` of flwr 1.42, which are deprecated there in
favour of Flower's own command-line programs.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ....core.errors import DataError, UsageError
from .averaging import Weights
from .client import Client, Order, Report
from .gains import Gain
from .hyperparameters import Hyperparameters
from .server import Server

Scalars = dict[str, Any]
"""What Flower sends beside arrays: texts and numbers."""

_PATIENCE = 600.0  # seconds that a client waits for its server

Certificates = tuple[Path, Path, Path]
"""Files of the authority's certificate, the server's, and the server's private key."""


def serve(
    server: Server, clients: int, address: str, certificates: Certificates | None = None
) -> None:
    """Run all rounds with so many clients; their weights are then ``server.weights``.

    ``address`` is such as ``127.0.0.1:9400``. Beyond this machine, certificates are required: what
    clients send, and who they are, would lie open. Raises UsageError without them, and without
    ``flwr``.
    """
    _require_secrecy(address, certificates)
    flwr = _flwr()
    config = flwr.server.ServerConfig(num_rounds=server.most_orders)
    flwr.server.start_server(
        server_address=address,
        config=config,
        strategy=_strategy(server, clients),
        certificates=tuple(path.read_bytes() for path in certificates) if certificates else None,
    )
    if server.next_order() is not None:
        raise DataError("a client was lost", where=address, cure="start the server and all anew")


def join(client: Client, address: str, authority: Path | None = None) -> None:
    """Take part until the server ends. ``authority`` is the file of its certificate.

    Raises UsageError as ``serve`` does, and for a server that does not come within ten minutes.
    """
    _require_secrecy(address, authority)
    flwr = _flwr()
    _wait_for(address)
    names = sorted(name for name, _ in client.model.named_parameters())
    base: Any = flwr.client.NumPyClient

    class Carrier(base):  # type: ignore[misc]
        def fit(self, parameters: list[NDArray[Any]], config: Scalars) -> tuple[Any, int, Scalars]:
            report = client.run(order_of(dict(zip(names, parameters, strict=True)), config))
            arrays = [] if report.weights is None else arrays_of(report.weights)
            return arrays, report.windows, scalars_of(report)

    flwr.client.start_client(
        server_address=address,
        client=Carrier().to_client(),
        insecure=authority is None,
        root_certificates=authority.read_bytes() if authority else None,
    )


def arrays_of(weights: Weights) -> list[NDArray[Any]]:
    """The weights without their names, in the order of these."""
    return [weights[name].numpy() for name in sorted(weights)]


def scalars_of_order(order: Order) -> Scalars:
    """What an order says beside its weights."""
    return {**asdict(order.hyperparameters), "explore": order.explore}


def order_of(arrays: Mapping[str, NDArray[Any]], scalars: Scalars) -> Order:
    """The order that came over the network."""
    return Order(
        {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()},
        Hyperparameters(
            **{each.name: float(scalars[each.name]) for each in fields(Hyperparameters)}
        ),
        bool(scalars["explore"]),
    )


def scalars_of(report: Report) -> Scalars:
    """What a report says beside its weights."""
    gain = {} if report.gain is None else {"gain": report.gain.value, "of": report.gain.windows}
    return {"client": report.client, **gain}


def report_of(
    arrays: Sequence[NDArray[Any]], windows: int, scalars: Scalars, names: Sequence[str]
) -> Report:
    """The report that came over the network."""
    weights = {
        name: torch.from_numpy(np.array(array))
        for name, array in zip(names, arrays, strict=bool(arrays))
    }
    gain = Gain(float(scalars["gain"]), int(scalars["of"])) if "gain" in scalars else None
    return Report(str(scalars["client"]), windows, weights or None, gain)


def _strategy(server: Server, clients: int) -> Any:
    flwr = _flwr()
    names = sorted(server.weights)
    base: Any = flwr.server.strategy.Strategy

    class Carrier(base):  # type: ignore[misc]
        def initialize_parameters(self, client_manager: Any) -> Any:
            return flwr.common.ndarrays_to_parameters(arrays_of(server.weights))

        def configure_fit(self, server_round: int, parameters: Any, client_manager: Any) -> Any:
            order = server.next_order()
            if order is None:
                return []
            sent = flwr.common.ndarrays_to_parameters(arrays_of(order.weights))
            config = scalars_of_order(order)
            there = client_manager.sample(num_clients=clients, min_num_clients=clients)
            return [(each, flwr.common.FitIns(sent, config)) for each in there]

        def aggregate_fit(self, server_round: int, results: Any, failures: Any) -> Any:
            if failures or len(results) != clients:
                raise DataError(
                    f"{len(results)} of {clients} clients answered",
                    where="federated round",
                    cure="start the server and all clients anew",
                )
            server.receive(
                [
                    report_of(
                        flwr.common.parameters_to_ndarrays(result.parameters),
                        result.num_examples,
                        result.metrics,
                        names,
                    )
                    for _, result in results
                ]
            )
            return flwr.common.ndarrays_to_parameters(arrays_of(server.weights)), {}

        def configure_evaluate(
            self, server_round: int, parameters: Any, client_manager: Any
        ) -> Any:
            return []  # clients tell nothing that the ledger does not hold

        def aggregate_evaluate(self, server_round: int, results: Any, failures: Any) -> Any:
            return None, {}

        def evaluate(self, server_round: int, parameters: Any) -> Any:
            return None

    return Carrier()


def _wait_for(address: str) -> None:
    """Flower's client ends at once where nobody listens yet."""
    host, _, port = address.rpartition(":")
    last = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
            return
        except (OSError, ValueError) as error:
            if isinstance(error, ValueError) or time.monotonic() > last:
                raise UsageError(
                    "no server listens", where=address, cure="start it, and name HOST:PORT"
                ) from error
        time.sleep(0.2)


def _require_secrecy(address: str, certificate: object) -> None:
    host = address.rpartition(":")[0].strip("[]")
    if certificate is None and host not in ("127.0.0.1", "::1", "localhost"):
        raise UsageError(
            "is another machine's, and no certificate is given",
            where=address,
            cure="give certificates, or stay on 127.0.0.1",
        )


def _flwr() -> Any:
    # Flower tells its makers of every start unless it is told not to before it is imported.
    os.environ["FLWR_TELEMETRY_ENABLED"] = "0"
    try:
        import flwr.client
        import flwr.common
        import flwr.server
        import flwr.server.strategy
    except ImportError as error:
        raise UsageError(
            "flwr is not installed",
            where="federated search over a network",
            cure="install it into an environment of its own: pip install flwr",
        ) from error
    return flwr
