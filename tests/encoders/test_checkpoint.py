"""Checkpoints: what goes in comes out, and nothing unsound gets in."""

from __future__ import annotations

import json
import pickle
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

from layerwise.core import files
from layerwise.core.errors import ModelError
from layerwise.encoders.bilm import BiLM, BiLMSettings
from layerwise.encoders.character_cnn import CharacterSettings
from layerwise.encoders.checkpoint import (
    CARD,
    SETTINGS,
    WEIGHTS,
    load_encoder,
    load_tensors,
    save_encoder,
    save_tensors,
)

torch.set_num_threads(1)


@pytest.fixture
def model() -> BiLM:
    torch.manual_seed(0)
    settings = BiLMSettings(
        architecture="transformer",
        stack={"dim": 4, "layers": 1, "heads": 2, "feed_forward": 4},
        characters=CharacterSettings(embedding=2, filters=((1, 2), (2, 3))),
        window=9,
    )
    return BiLM(settings)


@pytest.fixture
def folder(tmp_path: Path, model: BiLM) -> Path:
    save_encoder(tmp_path, model, {"text": "none"})
    return tmp_path


def test_float32_comes_back_bit_for_bit(folder: Path, model: BiLM) -> None:
    loaded = load_encoder(folder)
    assert loaded.settings == model.settings
    assert loaded.state_dict().keys() == model.state_dict().keys()
    for name, weight in loaded.state_dict().items():
        assert weight.dtype == torch.float32 and torch.equal(weight, model.state_dict()[name])
    assert files.read_json(folder / CARD) == {"text": "none"}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_comes_back_rounded_once_in_float32(
    tmp_path: Path, model: BiLM, dtype: torch.dtype
) -> None:
    save_encoder(tmp_path, model, {}, dtype)
    assert {w.dtype for w in load_tensors(tmp_path / WEIGHTS)[0].values()} == {dtype}
    for name, weight in load_encoder(tmp_path).state_dict().items():
        assert weight.dtype == torch.float32
        assert torch.equal(weight, model.state_dict()[name].to(dtype).float())


def test_the_loaded_one_is_frozen(folder: Path) -> None:
    loaded = load_encoder(folder)
    assert not loaded.training
    assert not any(weight.requires_grad for weight in loaded.parameters())


def test_loading_draws_no_weights_over_the_loaded(folder: Path) -> None:
    torch.manual_seed(1)
    one = load_encoder(folder).state_dict()
    torch.manual_seed(2)
    assert all(torch.equal(one[name], w) for name, w in load_encoder(folder).state_dict().items())


def refused(folder: Path, *parts: str) -> None:
    began = time.perf_counter()
    with pytest.raises(ModelError) as caught:
        load_encoder(folder)
    assert time.perf_counter() - began < 1
    for part in (*parts, str(folder)):
        assert part in str(caught.value)


def test_a_missing_folder_or_file_is_told(folder: Path) -> None:
    refused(folder / "none", "no such folder")
    for name in (WEIGHTS, SETTINGS):
        (folder / name).rename(folder / "kept")
        refused(folder, name, "no such file")
        (folder / "kept").rename(folder / name)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "3",
        "null",
        "{}",
        '{"architecture": "transformer"}',
        '{"architecture": "transformer", "stack": {"dim": "wide"}, "window": 9}',
        '{"architecture": "transformer", "stack": {}, "odd": 1}',
        '{"architecture": "transformer", "stack": {}, "window": 0}',
        '{"architecture": "no_such", "stack": {}}',
        '{"architecture": "transformer", "stack": {"dim": 4000000000000}}',
        '{"architecture": "transformer", "stack": {"dim": 9223372036854775800}}',
        '{"architecture": "transformer", "stack": {}, "characters": {"filters": []}}',
    ],
)
def test_settings_that_make_no_model_are_told(folder: Path, content: str) -> None:
    (folder / SETTINGS).write_text(content)
    with pytest.raises(ModelError):
        load_encoder(folder)


def test_an_unknown_key_is_told_by_name(folder: Path) -> None:
    settings = files.read_json(folder / SETTINGS)
    settings["stack"]["odd"] = 1
    files.write_json(folder / SETTINGS, settings)
    with pytest.raises(ModelError, match="odd"):
        load_encoder(folder)


def test_a_size_beyond_all_memory_is_refused_before_it_is_built(folder: Path) -> None:
    settings = files.read_json(folder / SETTINGS)
    settings["stack"] |= {"dim": 400_000, "feed_forward": 400_000}
    files.write_json(folder / SETTINGS, settings)
    refused(folder, "has the shape")


Change = Callable[[dict[str, Tensor]], Any]
NAME = "forward_stack.norm.bias"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda w: w.pop(NAME), f"missing or superfluous weights: {NAME}"),
        (lambda w: w.update(odd=torch.zeros(1)), "missing or superfluous weights: odd"),
        (lambda w: w.update({NAME: torch.zeros(5)}), f"{NAME} has the shape (5,), not (4,)"),
        (lambda w: w.update({NAME: torch.zeros(())}), "has the shape ()"),
        (lambda w: w.update({NAME: torch.full((4,), torch.nan)}), "not finite"),
        (lambda w: w.update({NAME: torch.full((4,), torch.inf)}), "not finite"),
        (lambda w: w.update({NAME: torch.zeros(4, dtype=torch.int64)}), "torch.int64"),
        (lambda w: w.update({NAME: torch.zeros(4, dtype=torch.complex64)}), "torch.complex64"),
        (lambda w: w.update({NAME: torch.zeros(4).to(torch.float8_e4m3fn)}), "float8"),
    ],
)
def test_wrong_weights_are_told_by_name(folder: Path, change: Change, fault: str) -> None:
    weights = safetensors.torch.load_file(folder / WEIGHTS)
    change(weights)
    safetensors.torch.save_file(weights, folder / WEIGHTS)
    refused(folder, fault, WEIGHTS)


def packed(header: object, body: bytes = b"") -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + body


def tensor(start: int, end: int, dtype: str = "F32", shape: tuple[int, ...] = (2,)) -> object:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


HOSTILE = {
    "empty": b"",
    "header of 2^63": struct.pack("<Q", 2**63) + b"{}",
    "header of 2^64-1": struct.pack("<Q", 2**64 - 1) + b"{}",
    "header of 100 MB + 1": struct.pack("<Q", 100_000_001) + b"{}",
    "header beyond the file": struct.pack("<Q", 100) + b"{}",
    "header of no JSON": packed(b"[[[["),
    "header of bad UTF-8": packed(b'{"\xff": 1}'),
    "overlapping offsets": packed({"a": tensor(0, 8), "b": tensor(4, 12)}, bytes(12)),
    "offsets beyond the file": packed({"a": tensor(0, 8)}, bytes(4)),
    "offsets turned round": packed({"a": tensor(8, 0)}, bytes(8)),
    "a hole": packed({"a": tensor(0, 8), "b": tensor(16, 24)}, bytes(24)),
    "more than told": packed({"a": tensor(0, 8)}, bytes(99)),
    "a lie about the type": packed({"a": tensor(0, 8, "F64")}, bytes(8)),
    "an unknown type": packed({"a": tensor(0, 8, "X32")}, bytes(8)),
    "a shape beyond all memory": packed({"a": tensor(0, 8, shape=(2**40, 2**40))}, bytes(8)),
    "a zip": b"PK\x03\x04" + bytes(60),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_at_once(folder: Path, kind: str) -> None:
    (folder / WEIGHTS).write_bytes(HOSTILE[kind])
    refused(folder, WEIGHTS, "not a sound safetensors file")


@pytest.mark.parametrize("share", [0.01, 0.3, 0.999])
def test_a_truncated_file_is_refused(folder: Path, share: float) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: int(len(data) * share)])
    refused(folder, WEIGHTS)


class _Payload:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.canary,))


def test_a_pickle_is_never_opened(folder: Path) -> None:
    canary = folder / "canary"
    payload = pickle.dumps(_Payload(canary))
    pickle.loads(payload)
    assert canary.exists()  # the payload works
    canary.unlink()
    (folder / WEIGHTS).write_bytes(payload)
    refused(folder, WEIGHTS)
    torch.save({"a": _Payload(canary)}, folder / WEIGHTS)
    refused(folder, WEIGHTS)
    assert not canary.exists()


def test_tensors_and_their_note_come_back(tmp_path: Path) -> None:
    whole = {"a": torch.arange(6.0).reshape(2, 3).T, "b": torch.tensor(3), "c": torch.zeros(0)}
    save_tensors(tmp_path / "file", whole, {"step": "3", "é": "ü"})
    tensors, note = load_tensors(tmp_path / "file")
    assert note == {"step": "3", "é": "ü"}
    assert tensors.keys() == whole.keys()
    assert all(torch.equal(tensors[name], value) for name, value in whole.items())
    save_tensors(tmp_path / "bare", whole)
    assert load_tensors(tmp_path / "bare")[1] == {}
