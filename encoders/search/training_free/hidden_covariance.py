"""Hidden covariance: how far the channels of an untrained layer's states are independent.

(Serianni and Kalita 2023, arXiv 2306.00288, section 4.) As in their code, a channel is a variable
and each step of each text a sample, with the state before the first word among them and that after
the last one not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...cell_operations import delay
from .recording import Recording
from .spectrum import correlations, independence


def states(recording: Recording, layer: int) -> NDArray[np.float64]:
    """The states that a layer reads, (dim, batch * time)."""
    before = delay(recording.outputs[layer].detach())  # (batch, time, dim)
    return np.asarray(before.flatten(0, 1).T.double().numpy())


def hidden_covariance(recording: Recording, layer: int) -> float:
    """The independence of the channels of a layer, counted from 0."""
    return independence(correlations(states(recording, layer)))
