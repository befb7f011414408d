"""The scores by name: each takes a recording, and the higher it is, the better the cell."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from ....core.errors import UsageError, did_you_mean
from . import activation_codes, counts, hidden_covariance, jacobian, reservoir, synaptic_flow
from .rank_and_reach import rank_and_reach
from .recording import Recording

Score = Callable[[Recording], float]

SCORES: dict[str, Score] = {
    "naswot": activation_codes.published,
    "naswot-preactivation": activation_codes.preactivation,
    "hidden-covariance-1": partial(hidden_covariance.hidden_covariance, layer=0),
    "hidden-covariance-2": partial(hidden_covariance.hidden_covariance, layer=1),
    "hidden-covariance-3": partial(hidden_covariance.hidden_covariance, layer=2),
    "jacobian-covariance": jacobian.jacobian_covariance,
    "jacobian-cosine": jacobian.jacobian_cosine,
    "synaptic-flow": synaptic_flow.synaptic_flow,
    "synaptic-saliency": synaptic_flow.synaptic_saliency,
    "hidden-saliency": synaptic_flow.hidden_saliency,
    "weights": counts.weights,
    "nodes": counts.nodes,
    "sigmoids": counts.sigmoids,
    "blends": counts.blends,
    "memory": reservoir.memory,
    "next-word": reservoir.next_word,
    "rank-and-reach": rank_and_reach,
}


LAYERS = {"hidden-covariance-1": 1, "hidden-covariance-2": 2, "hidden-covariance-3": 3}
"""The layers that a score needs, for those that read a certain one."""


def find(name: str, layers: int) -> Score:
    """The score of a name. UsageError for none, and for one of a layer that is not there."""
    if name not in SCORES:
        raise UsageError(
            f"no such score: {name!r}", where="training-free", cure=did_you_mean(name, SCORES)
        )
    if layers < (needed := LAYERS.get(name, 1)):
        raise UsageError(
            f"{name} of {layers} layers", where="training-free", cure=f"take {needed} or more"
        )
    return SCORES[name]


def value(score: Score, recording: Recording) -> float:
    """The score; -inf where it is not finite, as for a cell whose states explode."""
    try:
        found = score(recording)
    except (ArithmeticError, ValueError):  # no eigenvalues, or no logarithm
        return -math.inf
    return found if math.isfinite(found) else -math.inf
