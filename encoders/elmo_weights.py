"""ELMo on disk: the options and weights that bilm-tf writes, as a biLM of ours.

The format is that of ``dump_weights`` in https://github.com/allenai/bilm-tf. It holds TensorFlow's
weights as they are: matrices as (inputs, outputs); the gates of an LSTM in the order input, new,
forget, output, without the 1 that its cell adds to the forget gate; a highway whose gate lets the
transformed value through, where ours lets the carried one through.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import (
    BaseModel,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    model_validator,
)
from torch import Tensor

from ..core import files
from ..core.errors import DataError, ModelError
from .bilm import BiLM, BiLMSettings, initialise
from .character_cnn import CODES, CharacterSettings
from .elmo_characters import Activation, ElmoCharacters
from .hdf5 import open_weights
from .lstm import LSTM

_OPTIONS, _WEIGHTS = "*options*.json", "*weights*.hdf5"
_NO_WINDOW = 2**31  # a sentence of any length is read whole

Read = Callable[..., Tensor]
"""A dataset's name and the shape that it must have to its values, in float32."""


class _LSTMOptions(BaseModel):
    dim: PositiveInt
    projection_dim: PositiveInt
    n_layers: PositiveInt
    cell_clip: NonNegativeFloat | None = None
    proj_clip: NonNegativeFloat | None = None
    use_skip_connections: bool | None = None


class _Embedding(BaseModel):
    dim: PositiveInt


class _CharacterOptions(BaseModel):
    embedding: _Embedding
    filters: Annotated[tuple[tuple[PositiveInt, PositiveInt], ...], Field(min_length=1)]
    # 261 in training; the published files count the unused code 0 too.
    n_characters: Literal[261, 262]
    max_characters_per_token: Annotated[int, Field(ge=3)]
    n_highway: NonNegativeInt | None = None
    activation: Activation = "relu"

    @model_validator(mode="after")
    def _filters_fit_a_word(self) -> _CharacterOptions:
        widest = max(width for width, _ in self.filters)
        if widest > self.max_characters_per_token:
            raise ValueError(
                f"a filter of width {widest} does not fit into the "
                f"{self.max_characters_per_token} characters of a word"
            )
        return self


class _Options(BaseModel):
    """Of the options of a training run, those that the encoder needs."""

    lstm: _LSTMOptions
    char_cnn: _CharacterOptions


def load_elmo(folder: Path) -> BiLM:
    """The biLM of a folder, in float32 and eval mode. Raises ModelError naming what is wrong.

    The folder holds one ``*options*.json`` and one ``*weights*.hdf5``, as AllenAI published them.
    """
    if not folder.is_dir():
        raise ModelError("no such folder", where=str(folder))
    paths = [_only(folder, pattern) for pattern in (_OPTIONS, _WEIGHTS)]
    settings, activation = _settings(paths[0])
    weights = _read_file(paths[1], settings)
    model = build(settings, activation)
    model.load_state_dict(weights)
    return model.eval().requires_grad_(False)


def build(settings: BiLMSettings, activation: Activation) -> BiLM:
    """An ELMo with weights as before pretraining."""
    model = BiLM(settings)
    model.characters = ElmoCharacters(settings.characters, model.dim, activation)
    initialise(model)
    return model


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise ModelError(
            f"{len(found) or 'no'} files {pattern} in the folder",
            where=str(folder),
            cure=f"an ELMo's folder holds one {_OPTIONS} and one {_WEIGHTS}, written by bilm-tf",
        )
    return found[0]


def _settings(path: Path) -> tuple[BiLMSettings, Activation]:
    try:
        options = _Options.model_validate(files.read_json(path))
        lstm, characters = options.lstm, options.char_cnn
        stack = LSTM(
            dim=lstm.projection_dim,
            hidden=lstm.dim,
            layers=lstm.n_layers,
            skip=bool(lstm.use_skip_connections),
            cell_clip=lstm.cell_clip or 0.0,
            projection_clip=lstm.proj_clip or 0.0,
        )
    except DataError as error:
        raise ModelError(error.what, where=str(path)) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise ModelError(
            f"{'.'.join(map(str, first['loc'])) or 'options'}: {first['msg']}",
            where=str(path),
            cure="it must be the options of a character model that bilm-tf trained",
        ) from error
    settings = BiLMSettings(
        architecture="lstm",
        stack=stack.model_dump(),
        characters=CharacterSettings(
            embedding=characters.embedding.dim,
            filters=characters.filters,
            highways=characters.n_highway or 0,
            longest=characters.max_characters_per_token,
        ),
        window=_NO_WINDOW,
    )
    return settings, characters.activation


def _read_file(path: Path, settings: BiLMSettings) -> dict[str, Tensor]:
    with open_weights(path) as file:
        weights = _character_weights(file.read, settings) | _lstm_weights(file.read, settings)
        unread = file.unread()
    # A model with more layers than its options say would be read without an error.
    odd = [name for name in unread if name.startswith(("CNN", "RNN"))]
    if odd:
        raise ModelError(
            f"holds {odd[0]}, of which the options say nothing",
            where=str(path),
            cure="put the options of this very model beside it",
        )
    return weights


def _character_weights(read: Read, settings: BiLMSettings) -> dict[str, Tensor]:
    characters, dim = settings.characters, int(settings.stack["dim"])
    width = characters.embedding
    rows = read("char_embed", CODES - 1, width)
    weights = {"embedding.weight": torch.cat([rows.new_zeros(1, width), rows])}
    for i, (size, number) in enumerate(characters.filters):
        kernel = read(f"CNN/W_cnn_{i}", 1, size, width, number)[0]  # (size, width, number)
        weights[f"convolutions.{i}.weight"] = kernel.permute(2, 1, 0)  # (number, width, size)
        weights[f"convolutions.{i}.bias"] = read(f"CNN/b_cnn_{i}", number)
    channels = sum(number for _, number in characters.filters)
    for i in range(characters.highways):
        new, gate = (
            read(f"CNN_high_{i}/W_{part}", channels, channels).t()  # (channels, channels)
            for part in ("transform", "carry")
        )
        new_bias, gate_bias = (
            read(f"CNN_high_{i}/b_{part}", channels) for part in ("transform", "carry")
        )
        # sigmoid(-x) = 1 - sigmoid(x) turns the gate round
        weights[f"highways._layers.{i}.weight"] = torch.cat([new, -gate])  # (2 * channels, ...)
        weights[f"highways._layers.{i}.bias"] = torch.cat([new_bias, -gate_bias])
    if channels == dim:  # then bilm-tf projects nothing
        weights["projection.weight"], weights["projection.bias"] = torch.eye(dim), torch.zeros(dim)
    else:
        weights["projection.weight"] = read("CNN_proj/W_proj", channels, dim).t()
        weights["projection.bias"] = read("CNN_proj/b_proj", dim)
    return {f"characters.{name}": value for name, value in weights.items()}


def _lstm_weights(read: Read, settings: BiLMSettings) -> dict[str, Tensor]:
    dim, hidden, layers = (int(settings.stack[name]) for name in ("dim", "hidden", "layers"))
    weights = {}
    for number, stack in enumerate(("forward_stack", "backward_stack")):
        for layer in range(layers):
            place = f"RNN_{number}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
            both = _reorder(read(f"{place}/W_0", 2 * dim, 4 * hidden).t())  # (4 * hidden, 2 * dim)
            bias = _reorder(read(f"{place}/B", 4 * hidden))  # (4 * hidden,)
            bias[hidden : 2 * hidden] += 1.0
            # The input's rows stand before those of the state.
            name = f"{stack}.blocks.{layer}.lstm"
            weights[f"{name}.weight_ih_l0"], weights[f"{name}.weight_hh_l0"] = both.chunk(2, dim=1)
            weights[f"{name}.bias_ih_l0"] = bias
            weights[f"{name}.weight_hr_l0"] = read(f"{place}/W_P_0", hidden, dim).t()
    return weights


def _reorder(gates: Tensor) -> Tensor:
    """Input, new, forget, output along the first axis to torch's input, forget, new, output."""
    enter, new, forget, leave = gates.chunk(4)
    return torch.cat([enter, forget, new, leave])
