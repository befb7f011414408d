"""What a user asks for: one strict, frozen description of a run, from flags or a TOML file."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)

from ..core import files
from ..core.errors import DataError, UsageError, did_you_mean


class RunConfig(BaseModel):
    """A run: every encoder on every task, layer by layer. Field names are those of the flags.

    ``batch_words`` of ``auto`` is found by ``probe run`` as it encodes; elsewhere it is 1024.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoder: tuple[str, ...] = Field(min_length=1)
    task: tuple[str, ...] = Field(min_length=1)
    data: str = "builtin"
    split: Literal["given", "document", "sentence"] = "given"
    disjoint: Literal["", "type", "lemma"] = ""
    layers: str = "all"
    probe: str = "linear"
    controls: int = Field(default=1, ge=0)
    control_encoders: bool = True
    codelength: int = Field(default=0, ge=0)
    refits: int = Field(default=0, ge=0)
    train_targets: int = Field(default=0, ge=0)
    span_pooling: Literal["mean", "max", "first", "last", "endpoints", "attentive"] = "mean"
    subword_pooling: Literal["first", "last", "mean"] = "mean"
    context: Literal["document", "sentence"] = "document"
    device: str = "cpu"
    batch_words: Annotated[int, Field(ge=1)] | Literal["auto"] = 1024
    workers: int = Field(default=0, ge=0)
    engine: Literal["processes", "threads", "ray"] = "processes"
    output: Path | None = None

    @field_validator("batch_words", mode="wrap")
    @classmethod
    def _words_or_auto(cls, given: Any, known: ValidatorFunctionWrapHandler) -> Any:
        try:
            return known(given)
        except ValidationError:
            raise ValueError("write a number of words from 1, or auto") from None

    @field_validator("refits")
    @classmethod
    def _no_spread_of_one(cls, refits: int) -> int:
        if refits == 1:
            raise ValueError("one refit has no spread: ask for two or more")
        return refits

    @field_validator("span_pooling")
    @classmethod
    def _no_code_with_attention(cls, pooling: str, info: ValidationInfo) -> str:
        if pooling == "attentive" and info.data.get("codelength"):
            raise ValueError("attention has seen the labels that --codelength would code")
        return pooling

    @field_validator("encoder", "task")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(names))

    @property
    def split_settings(self) -> dict[str, str]:
        """How the text is split, where it is split anew: part of a record's key."""
        asked = {"split": self.split, "disjoint": self.disjoint}
        return {name: value for name, value in asked.items() if value not in ("given", "")}

    def folder(self) -> Path:
        """Where the records go: ``--output``, or a folder named for the data."""
        return self.output or Path("runs") / files.safe_name(Path(self.data).name or self.data)


def build(given: dict[str, Any], file: Path | None = None) -> RunConfig:
    """The configuration of a run: the file's values, with what was given as flags over them."""
    values = _read(file) if file else {}
    values |= {name: value for name, value in given.items() if value not in (None, ())}
    unknown = sorted(values.keys() - RunConfig.model_fields.keys())
    if unknown:
        raise UsageError(
            f"no such setting: {unknown[0]!r}",
            where=str(file or "the run's settings"),
            cure=did_you_mean(unknown[0], RunConfig.model_fields),
        )
    try:
        return RunConfig(**values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]).replace("_", "-")
        if first["type"] in ("missing", "too_short"):
            raise UsageError(
                "is missing", where=f"--{name}", cure=f"`probe list {name}s` tells the names"
            ) from error
        if first["type"] == "literal_error":
            known = [each for each in re.findall("'(.*?)'", first["ctx"]["expected"]) if each]
            raise UsageError(
                f"no such choice: {first['input']!r}",
                where=f"--{name}",
                cure=did_you_mean(str(first["input"]), known),
            ) from error
        raise UsageError(first["msg"].removeprefix("Value error, "), where=f"--{name}") from error


def select_layers(asked: str, layers: int) -> list[int]:
    """``all``, or numbers and ranges (``0,4,8-12``) and negative ones (``-1`` is the last)."""
    if asked == "all":
        return list(range(layers))
    chosen: set[int] = set()
    for part in asked.split(","):
        match = re.fullmatch(r"\s*(-?\d{1,9})(?:-(\d{1,9}))?\s*", part)
        if not match:
            raise UsageError(f"{part!r} is no layer", where="--layers", cure="write 0,4,8-12 or -1")
        first = int(match[1])
        first = first + layers if first < 0 else first
        last = int(match[2]) if match[2] else first
        if not 0 <= first <= last < layers:
            raise UsageError(
                f"{part.strip()!r} is outside the layers 0 to {layers - 1}", where="--layers"
            )
        chosen.update(range(first, last + 1))
    return sorted(chosen)


def _read(file: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError("no such file", where=str(file)) from error
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read as TOML ({error})", where=str(file)) from error
    for name in ("encoder", "task"):
        if isinstance(values.get(name), str):
            values[name] = (values[name],)
    return values
