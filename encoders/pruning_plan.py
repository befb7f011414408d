"""How an encoder is to be pruned, and what of that decides the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from .gradient_scores import GradientScore
from .pruning import Scope, Score
from .training_text import Text

Structure = Literal["weights", "neurons", "heads", "neurons,heads", "2:4"]

SHRINKING = ("neurons", "heads", "neurons,heads")
"""The structures whose removal makes matrices smaller."""


@dataclass(frozen=True)
class Pruning:
    """How an encoder is pruned; ``sparsity`` is the share that goes of weights, neurons or heads.

    The scores ``movement`` and ``obd`` read ``windows`` windows of ``text``. Of ``held_out`` the
    perplexity is measured, where the encoder has a softmax.
    """

    score: Score | GradientScore = "magnitude"
    structure: Structure = "weights"
    scope: Scope = "global"
    sparsity: float = 0.5
    seed: int = 0
    windows: int = 64
    text: Text | None = None
    held_out: Text | None = None

    def describe(self) -> dict[str, Any]:
        """What decides the result and nothing else: magnitudes are not drawn from a seed."""
        facts: dict[str, Any] = {
            "score": self.score,
            "structure": self.structure,
            "scope": self.scope,
            "sparsity": self.sparsity,
            "seed": self.seed,
        }
        if self.text is not None and self.score in ("movement", "obd"):
            facts |= {"windows": self.windows, "text": self.text.sources}
        if self.score == "magnitude":
            del facts["seed"]
        if self.structure != "weights":
            del facts["scope"]
        if self.held_out is not None:
            facts["held_out"] = self.held_out.sources
        return facts
