"""How to train a biLM, and how the learning rate goes."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PlainSerializer,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
)

from ..core.moment_exchange import check_moments
from .budget import Budget
from .output_layer import FULL_UP_TO, Softmax

AugmentationKind = Literal["moex", "mixup", "dropout"]
"""What is done to the word vectors: see ``augmentation``."""


def _budget(given: Any) -> Any:
    return Budget.parse(given) if isinstance(given, str) else given


class TrainingSettings(BaseModel):
    """A step reads ``accumulate`` times ``batch`` windows, whatever the number of processes.

    ``vocabulary`` counts the words that can be predicted, ``samples`` the draws of the sampled
    softmax. ``warmup`` is a share of the budget, ``clip`` the largest norm of the gradients.

    ``augment`` is done in a share ``augment_probability`` of the steps; ``augment_lambda`` is what
    is kept of a window's own. Raises UsageError for moments that would not be causal.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    budget: Annotated[Budget, BeforeValidator(_budget), PlainSerializer(str)] = Budget(
        4000, "steps"
    )
    batch: PositiveInt = 16
    accumulate: PositiveInt = 1
    vocabulary: int = Field(8000, ge=2)
    softmax: Softmax | None = None
    samples: PositiveInt = 8192
    learning_rate: PositiveFloat = 2e-3
    warmup: float = Field(0.05, ge=0, le=1)
    weight_decay: NonNegativeFloat = 0.01
    clip: PositiveFloat = 1.0
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: int = Field(0, ge=0)
    evaluate_every: PositiveInt = 1000
    augment: AugmentationKind | None = None
    augment_probability: float = Field(1.0, ge=0, le=1)
    augment_lambda: float = Field(0.9, gt=0, le=1)
    augment_moments: str = "channels"

    @field_validator("augment_probability", "augment_lambda", "augment_moments")
    @classmethod
    def _of_an_augmentation(cls, value: Any, info: ValidationInfo) -> Any:
        name = str(info.field_name)
        if name == "augment_moments":
            check_moments(value, "--augment-moments")
        elif info.data.get("augment") is None and value != cls.model_fields[name].default:
            raise ValueError("has no effect without --augment")
        return value

    @property
    def output_layer(self) -> Softmax:
        """The softmax that was asked for, or the one that suits the vocabulary."""
        return self.softmax or ("full" if self.vocabulary <= FULL_UP_TO else "adaptive")

    @property
    def windows(self) -> int:
        """The windows of a step."""
        return self.batch * self.accumulate

    def describe(self) -> dict[str, Any]:
        """All settings as they act; those of an augmentation where there is one."""
        found = self.model_dump() | {"softmax": self.output_layer}
        if self.augment != "moex":
            del found["augment_moments"]
        if self.augment is None:
            # A training that began before there were any goes on under its old identity.
            del found["augment"], found["augment_probability"], found["augment_lambda"]
        return found


def rate(spent: float, total: int, warmup: float) -> float:
    """The share of the full learning rate after ``spent`` of ``total`` steps or seconds.

    A straight rise over the first share of the budget, then half a cosine down to a twentieth.
    """
    warm = max(int(total * warmup), 1)
    if spent < warm:
        return min((spent + 1) / warm, 1.0)
    done = min((spent - warm) / max(total - warm, 1), 1.0)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))
