"""Damage on the disk: never used silently, kept aside, made anew."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from layerwise.core.errors import DataError
from layerwise.core.types import Document, Sentence
from layerwise.encoders import store as module
from layerwise.encoders.store import Activations, Store, _open


class Lexicon:
    """Every word has its own fixed vectors, so that any order and any batch gives the same."""

    dim, parameters, final_norm = 6, 0, False
    layer_names = ("words", "context")

    def __init__(self, seed: int) -> None:
        self.name, self.seed, self.fingerprint = f"lexicon {seed}", seed, f"{seed:064x}"
        self.calls = 0

    def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
        self.calls += 1
        for document in documents:
            random = np.random.default_rng([self.seed, len(document)])
            yield random.normal(size=(2, len(document), self.dim)).astype(np.float32)


TEXT = [Document(f"d{n}", (Sentence.from_words(["w"] * n),)) for n in (4, 2, 5)]
OTHER_TEXT = [Document(f"d{n}", (Sentence.from_words(["v"] * n),)) for n in (4, 2, 5)]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def layers(found: Activations) -> list[NDArray[np.floating]]:
    return [np.array(found.layer(index)) for index in range(2)]


def aside(folder: Path) -> list[Path]:
    return sorted(folder.parent.glob(f"{folder.name}.damaged-*"))


def flip(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def assert_mended(store: Store, expected: list[NDArray[np.floating]], damaged: bytes) -> None:
    """The damaged entry does not count, is kept, and is made anew."""
    folder = store.entry(Lexicon(1), TEXT)
    encoder = Lexicon(1)
    assert store.find(encoder, TEXT) is None
    kept = aside(folder)
    assert len(kept) == 1 and (kept[0] / "layers.npy").read_bytes() == damaged
    assert not folder.exists()
    for one, other in zip(layers(store.activations(encoder, TEXT)), expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert encoder.calls == 1
    assert store.find(Lexicon(1), TEXT) is not None


@pytest.mark.parametrize("damage", ["one bit", "truncated", "one byte more", "empty", "pickle"])
def test_a_damaged_array_is_set_aside_and_made_anew(store: Store, damage: str) -> None:
    found = store.activations(Lexicon(1), TEXT)
    expected, path = layers(found), found.folder / "layers.npy"
    if damage == "one bit":
        flip(path, path.stat().st_size * 8 - 100)
    elif damage == "truncated":
        os.truncate(path, path.stat().st_size - 1)
    elif damage == "one byte more":
        path.write_bytes(path.read_bytes()[:-1])
    elif damage == "empty":
        os.truncate(path, 0)
    else:
        np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert_mended(store, expected, path.read_bytes())


def test_an_array_of_another_entry_is_noticed(store: Store) -> None:
    mine, other = store.activations(Lexicon(1), TEXT), store.activations(Lexicon(2), TEXT)
    expected = layers(mine)
    shutil.copy(other.folder / "layers.npy", mine.folder / "layers.npy")
    assert_mended(store, expected, (mine.folder / "layers.npy").read_bytes())


@pytest.mark.parametrize("other", ["another encoder", "another text"])
def test_a_whole_entry_in_the_place_of_another_is_noticed(store: Store, other: str) -> None:
    mine = store.activations(Lexicon(1), TEXT)
    expected = layers(mine)
    if other == "another encoder":
        theirs = store.activations(Lexicon(2), TEXT)
    else:
        theirs = store.activations(Lexicon(1), OTHER_TEXT)
    shutil.rmtree(mine.folder)
    shutil.copytree(theirs.folder, mine.folder)
    assert_mended(store, expected, (mine.folder / "layers.npy").read_bytes())


def test_an_entry_that_another_process_has_mended_meanwhile_is_used(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = store.activations(Lexicon(1), TEXT)
    path, whole = found.folder / "layers.npy", (found.folder / "layers.npy").read_bytes()
    flip(path, len(whole) * 8 - 1)

    def mended_just_after(*arguments: Any) -> Activations:
        try:
            return _open(*arguments)
        except DataError:
            path.write_bytes(whole)
            raise

    monkeypatch.setattr(module, "_open", mended_just_after)
    assert store.find(Lexicon(1), TEXT) is not None
    assert aside(found.folder) == []


def test_an_entry_is_set_aside_under_its_lock(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = store.activations(Lexicon(1), TEXT).folder
    flip(folder / "layers.npy", 2000)
    replace, held = os.replace, []

    def watched(source: Path, target: Path) -> None:
        with pytest.raises(Timeout):
            FileLock(folder.parent / f".{folder.name}.lock").acquire(timeout=0)
        held.append(source)
        replace(source, target)

    monkeypatch.setattr(os, "replace", watched)
    assert store.find(Lexicon(1), TEXT) is None
    assert held == [folder]


def test_a_missing_array_is_noticed(store: Store) -> None:
    found = store.activations(Lexicon(1), TEXT)
    (found.folder / "layers.npy").unlink()
    assert store.find(Lexicon(1), TEXT) is None
    assert len(aside(found.folder)) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", '{"shape": [2, 11, 6]}'])
def test_a_damaged_manifest_is_noticed(store: Store, content: str) -> None:
    found = store.activations(Lexicon(1), TEXT)
    expected = layers(found)
    (found.folder / "manifest.json").write_text(content)
    assert_mended(store, expected, (found.folder / "layers.npy").read_bytes())


def test_without_a_manifest_there_is_no_entry(store: Store) -> None:
    """As a kill between the array and the manifest leaves it."""
    found = store.activations(Lexicon(1), TEXT)
    expected = layers(found)
    (found.folder / "manifest.json").unlink()
    encoder = Lexicon(1)
    assert store.find(encoder, TEXT) is None
    for one, other in zip(layers(store.activations(encoder, TEXT)), expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert encoder.calls == 1


@pytest.mark.parametrize("name", ["layers.npy", "manifest.json"])
@pytest.mark.filterwarnings("ignore:Reading `.npy`")  # numpy on some of the flipped headers
def test_no_flipped_bit_ever_changes_a_number(store: Store, name: str) -> None:
    encoder = Lexicon(1)
    found = store.activations(encoder, TEXT)
    expected, folder = layers(found), found.folder
    path = folder / name
    bits = path.stat().st_size * 8
    # every bit of the array's header, and some of the rest
    chosen = [*range(1024), *range(1024, bits, 23)] if name == "layers.npy" else range(0, bits, 13)
    noticed = 0
    for bit in chosen:
        flip(path, bit)
        try:
            now = _open(folder, encoder, TEXT)  # what ``find`` does, less setting aside
        except DataError:
            noticed += 1
        else:
            for one, other in zip(layers(now), expected, strict=True):
                np.testing.assert_array_equal(one, other)
        flip(path, bit)
    assert noticed > (0.9 if name == "layers.npy" else 0.3) * len(chosen)
    assert store.find(encoder, TEXT) is not None


def test_bytes_turned_round_are_noticed(store: Store) -> None:
    """One bit of the header, "<f2" to ">f2", leaves all checksums as they were."""
    found = store.activations(Lexicon(1), TEXT)
    expected, path = layers(found), found.folder / "layers.npy"
    data = path.read_bytes()
    assert data.count(b"'<f2'") == 1
    path.write_bytes(data.replace(b"'<f2'", b"'>f2'"))
    assert_mended(store, expected, path.read_bytes())


def test_checksums_that_were_changed_along_are_a_forgery_and_no_damage(store: Store) -> None:
    """What the checksums are for: chance, not malice. The limit of the promise, in a test."""
    found = store.activations(Lexicon(1), TEXT)
    manifest = json.loads((found.folder / "manifest.json").read_text())
    manifest["seconds"] = 1e9
    (found.folder / "manifest.json").write_text(json.dumps(manifest))
    assert store.find(Lexicon(1), TEXT) is not None
