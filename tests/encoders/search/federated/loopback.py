"""A server or a client of the tests' small federation, run as a process of its own.

python loopback.py serve ADDRESS WEIGHTS.npz NAME...    or    python loopback.py NAME ADDRESS
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent))
from conftest import CELL, VOCABULARY, texts, wanted  # type: ignore[import-not-found]

from layerwise.encoders.search.federated.flower import join, serve
from layerwise.encoders.search.federated.simulation import make_clients, make_server

if __name__ == "__main__":
    torch.set_num_threads(1)
    role, address, *rest = sys.argv[1:]
    if role == "serve":
        output, *names = rest
        server = make_server(VOCABULARY, wanted(), CELL)
        serve(server, len(names), address)
        np.savez(output, **{name: weight.numpy() for name, weight in server.weights.items()})
    else:
        join(make_clients({role: texts()[role]}, VOCABULARY, wanted(), CELL)[0], address)
