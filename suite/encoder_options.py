"""An encoder by name, with a run's options."""

from __future__ import annotations

from ..encoders.base import Encoder, EncoderOptions
from ..encoders.batch_tuning import DEFAULT
from ..encoders.loading import load_encoder
from .config import RunConfig

AUTO = "auto"


def encoder_of(config: RunConfig, name: str) -> Encoder:
    """The encoder of that name. Raises UsageError or ModelError where it cannot be had."""
    return load_encoder(
        name,
        EncoderOptions(
            device=config.device,
            batch_words=config.batch_words if isinstance(config.batch_words, int) else DEFAULT,
            subword_pooling=config.subword_pooling,
            context=config.context,
        ),
    )
