"""From names to encoders: suffixes, folders with a plus, errors that name the clause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from layerwise.core import registry
from layerwise.core.errors import ModelError, UsageError
from layerwise.core.types import Document
from layerwise.encoders.base import EncoderOptions
from layerwise.encoders.loading import contract_faults, load_encoder, split_random

OPTIONS = EncoderOptions()


class Plain:
    def __init__(self, argument: str = "", seed: int | None = None) -> None:
        self.name, self.layer_names, self.dim = "plain", ["one"], 2
        self.parameters, self.fingerprint, self.final_norm = 0, "0" * 64, False
        self.argument, self.seed = argument, seed

    def encode(self, documents: Sequence[Document]) -> Iterator[Any]:
        for document in documents:
            yield np.zeros((1, len(document), 2), dtype=np.float32)


class Drawable(Plain):
    def randomised(self, seed: int) -> Plain:
        return Drawable(self.argument, seed)


FACTORIES: dict[str, Any] = {
    "plain": lambda argument, options: Plain(argument),
    "drawable": lambda argument, options: Drawable(argument),
    "raises": lambda argument, options: 1 / 0,
    "greedy": lambda argument: None,
}


@pytest.fixture(autouse=True)
def entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(kind: str, name: str) -> Any:
        assert kind == "encoder"
        if name not in FACTORIES:
            raise UsageError(f"no such encoder: {name!r}")
        return FACTORIES[name]

    monkeypatch.setattr(registry, "load", load)
    monkeypatch.setattr(registry, "owner", lambda kind, name: "some-plugin")


@pytest.mark.parametrize(
    ("name", "argument", "seed"),
    [
        ("drawable", "", None),
        ("drawable+random", "", 0),
        ("drawable+random7", "", 7),
        ("drawable:a:b", "a:b", None),
        ("drawable:ORG/NAME@main+random12", "ORG/NAME@main", 12),
        ("drawable:a+b", "a+b", None),
        ("drawable:a+randomly", "a+randomly", None),
        ("drawable:a+random/b", "a+random/b", None),
    ],
)
def test_names_are_taken_apart(name: str, argument: str, seed: int | None) -> None:
    encoder: Any = load_encoder(name, OPTIONS)
    assert (encoder.argument, encoder.seed, encoder.name) == (argument, seed, name)


def test_a_folder_whose_name_ends_in_random_is_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m+random").mkdir()
    assert split_random("hf:./m+random") == ("hf:./m+random", None)
    assert split_random("hf:m+random") == ("hf:m+random", None)
    assert split_random("hf:./m+random+random3") == ("hf:./m+random", 3)
    assert split_random("hf:./other+random") == ("hf:./other", 0)
    Path("m").mkdir()
    with pytest.raises(UsageError, match="both") as caught:
        split_random("hf:./m+random")
    assert "hf:./m/+random" in caught.value.cure and "hf:./m+random/" in caught.value.cure
    # What the cure says works.
    assert split_random("hf:./m/+random") == ("hf:./m/", 0)
    assert split_random("hf:./m+random/") == ("hf:./m+random/", None)


def test_random_weights_of_an_encoder_without_weights_are_an_error() -> None:
    with pytest.raises(ModelError, match="cannot be had with random weights") as caught:
        load_encoder("plain+random", OPTIONS)
    assert caught.value.cure == "leave +random away"


def test_unknown_names_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="no such encoder"):
        load_encoder("nothing+random", OPTIONS)


@pytest.mark.parametrize(
    ("name", "text"), [("raises", "ZeroDivisionError"), ("greedy", "TypeError")]
)
def test_a_factory_that_raises_is_a_model_error_that_names_the_package(
    name: str, text: str
) -> None:
    with pytest.raises(ModelError, match=text) as caught:
        load_encoder(name, OPTIONS)
    assert "some-plugin" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("name", 3),
        ("layer_names", []),
        ("layer_names", "layers"),
        ("layer_names", [1]),
        ("dim", 0),
        ("dim", True),
        ("dim", 2.0),
        ("parameters", -1),
        ("fingerprint", "v1"),
        ("final_norm", None),
        ("encode", "no method"),
    ],
)
def test_each_broken_attribute_is_named(
    attribute: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(argument: str, options: EncoderOptions) -> Plain:
        encoder = Plain()
        setattr(encoder, attribute, value)
        return encoder

    monkeypatch.setitem(FACTORIES, "broken", broken)
    with pytest.raises(ModelError, match=f"`{attribute}`"):
        load_encoder("broken", OPTIONS)


def test_missing_attributes_are_named_all() -> None:
    faults = contract_faults(SimpleNamespace(name="x"))
    assert len(faults) == 6 and all("is missing" in fault for fault in faults)
    assert contract_faults(Plain()) == []


def test_a_name_that_cannot_be_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fixed(Plain):
        def __setattr__(self, key: str, value: object) -> None:
            if key == "name" and hasattr(self, "name"):
                raise AttributeError("read only")
            super().__setattr__(key, value)

    monkeypatch.setitem(FACTORIES, "fixed", lambda argument, options: Fixed())
    with pytest.raises(ModelError, match="settable"):
        load_encoder("fixed", OPTIONS)
