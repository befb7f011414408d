"""Choice by similarity: the candidate whose vector is most like the target's, its context removed.

Nothing is learnt. The vectors of words that stand together are alike; what is left of a target's
vector without the mean of its context tells more of what the target stands for.

Source: Peters et al. 2018 (EMNLP, arXiv 1808.08949), the section on unsupervised coreference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError

NAME = "context_similarity"
VERSION = "v1"

TIED = 1e-9
"""Cosines this close to the highest are as high: that far may rounding take equal ones apart."""

_ROUNDING = 1e-12  # of a vector's length: what float64 may leave of two equal means

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Vectors = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Choices:
    """Targets and their candidates as arrays; spans are half-open over the words.

    ``targets`` and ``contexts`` are (targets, 2); an empty context takes nothing away.
    ``candidates`` is (candidates, 2), those of target i from ``starts[i]`` to ``starts[i + 1]``,
    so that ``starts`` is (targets + 1,). ``right`` is (candidates,).
    """

    targets: Ints
    contexts: Ints
    candidates: Ints
    starts: Ints
    right: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.targets)


def similarities(vectors: Vectors, choices: Choices, centre: Floats | None = None) -> Floats:
    """The cosine of each candidate with its target less the target's context, (candidates,).

    ``vectors`` is (words, dim). A span of several words has their mean. ``centre``, (dim,), is
    taken from every word first: in a layer whose words all point one way (anisotropy), cosines
    with anything are about that way. It cancels out of target less context, and moves candidates.

    A vector of no length has the cosine 0 with everything. Raises DataError where a vector is not
    finite.
    """
    shift = np.zeros(vectors.shape[1]) if centre is None else centre
    found = np.empty(len(choices.candidates))
    for i, (target, context) in enumerate(zip(choices.targets, choices.contexts, strict=True)):
        own = slice(choices.starts[i], choices.starts[i + 1])
        taken = _mean(vectors, context) if context[1] > context[0] else shift
        query = _less(_mean(vectors, target), taken)  # (dim,)
        for j in range(own.start, own.stop):
            found[j] = _cosine(query, _less(_mean(vectors, choices.candidates[j]), shift))
    return found


def credits(scores: Floats, choices: Choices) -> Floats:
    """How far each target's best candidates are right, (targets,).

    1 or 0 where one candidate has the highest score. Where several have it (``TIED``), the share
    of them that is right: what choosing among them at random gives on average, so that no order of
    candidates helps a tie. 0 where there is no candidate.
    """
    found = np.zeros(len(choices))
    for i, (start, end) in enumerate(zip(choices.starts, choices.starts[1:], strict=False)):
        if end > start:
            best = scores[start:end] >= scores[start:end].max() - TIED
            found[i] = choices.right[start:end][best].mean()
    return found


def _mean(vectors: Vectors, span: Ints) -> Floats:
    words = vectors[span[0] : span[1]]
    if not np.isfinite(words).all():
        raise DataError("a vector is not finite, so that its cosines are undefined")
    mean: Floats = words.mean(axis=0, dtype=np.float64)
    return mean


def _less(vector: Floats, taken: Floats) -> Floats:
    """The difference; nothing at all where only rounding is left of it."""
    left = vector - taken
    return left if np.linalg.norm(left) > _ROUNDING * np.linalg.norm(vector) else left * 0.0


def _cosine(one: Floats, other: Floats) -> float:
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / lengths if lengths else 0.0
