"""The biLMs that ship with the package, all pretrained by us on the same words, as many of them.

Their cards, in ``pretrained/NAME/card.json``, say on which, for how long, and how well they predict
a book that they have not seen.
"""

from __future__ import annotations

from importlib.resources import files as package_files
from pathlib import Path

from ..core.errors import ModelError
from . import checkpoint
from .base import EncoderOptions
from .bilm_encoder import BiLMEncoder


def transformer(argument: str, options: EncoderOptions) -> BiLMEncoder:
    """Self-attention, 4 blocks a direction."""
    return _shipped("transformer", argument, options)


def lstm(argument: str, options: EncoderOptions) -> BiLMEncoder:
    """LSTMs with projection, 2 layers a direction."""
    return _shipped("lstm", argument, options)


def gated_cnn(argument: str, options: EncoderOptions) -> BiLMEncoder:
    """Gated convolutions, 6 blocks a direction."""
    return _shipped("gated_cnn", argument, options)


def searched(argument: str, options: EncoderOptions) -> BiLMEncoder:
    """The cell that a search found, 4 layers a direction; its card tells of the search."""
    return _shipped("searched", argument, options)


def _shipped(name: str, argument: str, options: EncoderOptions) -> BiLMEncoder:
    if argument:
        raise ModelError("takes no argument", where=f"--encoder {name}:{argument}")
    folder = Path(str(package_files(__package__).joinpath("pretrained", name)))
    return BiLMEncoder(name, checkpoint.load_encoder(folder), options)
