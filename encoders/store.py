"""Activations on disk: one forward pass gives all layers, for every later run of any task.

An entry is named by what decides its numbers, the encoder's fingerprint and the text's hash, and
by nothing else. It is one array of shape (layers, words, dim), layer by layer, in float16 where
that is exact enough and in float32 where it is not, and a manifest with a checksum a layer, which
is written last: an entry without one does not count. Rows are written document by document, so a
killed extraction goes on where it was.
"""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core import files, progress
from ..core.errors import DataError, ModelError
from ..core.types import Document, text_hash
from .base import Encoder, InputReporter

_ARRAY, _MANIFEST, _PROGRESS = "layers.npy", "manifest.json", "progress.json"
_SAVE_EVERY = 10.0  # seconds of extraction that a kill may lose
_NOISE = 1e-4
"""The largest share of a dimension's variance that rounding to float16 may add as noise.

Rounding is off by 2e-4 of a value, root mean square; beyond this bound values are so small, or
their spread is so small against their mean, that float16 would eat into the differences between
words.
"""
_ENOUGH = 256  # words from which a variance can be told


@dataclass(frozen=True)
class Activations:
    """One complete entry: layers of word vectors, and where each document's words start in them."""

    folder: Path
    manifest: dict[str, Any]
    document_starts: NDArray[np.int64]

    @property
    def seconds(self) -> float:
        """What the extraction took."""
        return float(self.manifest["seconds"])

    def layer(self, index: int) -> NDArray[np.floating[Any]]:
        """One layer's vectors, of shape (words, dim), read-only, checked against its checksum."""
        array: NDArray[np.floating[Any]] = _map(self.folder, self.manifest)[index]
        if _checksum(array) != self.manifest["checksums"][index]:
            raise DataError(
                f"layer {index} differs from its checksum",
                where=str(self.folder / _ARRAY),
                cure="run again: the damaged entry is set aside and made anew",
            )
        return array


class Store:
    """The entries below one folder, shared by any number of processes."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or files.cache_folder() / "activations"

    def entry(self, encoder: Encoder, documents: Sequence[Document]) -> Path:
        """The folder of an entry, whether it is there or not."""
        key = hashlib.sha256(f"{encoder.fingerprint} {text_hash(documents)}".encode()).hexdigest()
        return self.folder / key[:2] / key[2:]

    def find(self, encoder: Encoder, documents: Sequence[Document]) -> Activations | None:
        """The entry if it is complete and sound; a damaged one is set aside and does not count."""
        folder = self.entry(encoder, documents)
        if not (folder / _MANIFEST).exists():
            return None
        try:
            return _open(folder, encoder, documents)
        except DataError:
            with files.lock(folder):
                return _open_or_set_aside(folder, encoder, documents)

    def activations(self, encoder: Encoder, documents: Sequence[Document]) -> Activations:
        """The entry, extracted now if it is not there yet; another process's work is waited for."""
        found = self.find(encoder, documents)
        if found is None:
            folder = self.entry(encoder, documents)
            with files.lock(folder):
                found = _open_or_set_aside(folder, encoder, documents)
                if found is None:
                    extract(encoder, documents, folder)
                    found = _open(folder, encoder, documents)
        return found


def extract(encoder: Encoder, documents: Sequence[Document], folder: Path) -> None:
    """Write the encoder's layers of the documents into the folder, going on where it was left.

    float16 is tried first; a document that it cannot hold starts the array over in float32.
    """
    if _note(folder).get("dtype") != "float32":
        try:
            _extract(encoder, documents, folder, "float16")
            return
        except _TooCoarse:
            pass
    _extract(encoder, documents, folder, "float32")


class _TooCoarse(Exception):
    """float16 would overflow, or lose differences between words."""


def _extract(
    encoder: Encoder,
    documents: Sequence[Document],
    folder: Path,
    dtype: Literal["float16", "float32"],
) -> None:
    starts = _starts(documents)
    shape = (len(encoder.layer_names), int(starts[-1]), encoder.dim)
    item = np.dtype(dtype).itemsize
    header = _header(shape, dtype)
    size = len(header) + item * int(np.prod(shape))
    halve = _Halver(shape[0], shape[2])
    done, spent = _resume(folder, dtype, size, halve)
    started = saved = time.perf_counter()
    with (
        files.random_access(folder / _ARRAY, size) as out,
        progress.bar(f"encoding with {encoder.name}", int(starts[-1])) as advance,
    ):
        os.pwrite(out, header, 0)
        advance(int(starts[done]), "")
        for i, vectors in enumerate(encoder.encode(documents[done:]), start=done):
            if i == len(documents):
                raise ModelError(
                    f"gave more arrays than the {i} documents", where=f"encoder {encoder.name}"
                )
            words = int(starts[i + 1] - starts[i])
            if vectors.shape != (shape[0], words, shape[2]):
                raise ModelError(
                    f"gave the shape {vectors.shape} for {words} words of {documents[i].id}",
                    where=f"encoder {encoder.name}",
                    cure=f"probe check encoder {encoder.name}",
                )
            if not np.isfinite(vectors).all():
                raise ModelError(
                    f"gave values that are not finite for {documents[i].id}",
                    where=f"encoder {encoder.name}",
                )
            rows = vectors.astype(np.float32) if dtype == "float32" else halve(vectors)
            for layer in range(shape[0]):
                place = (layer * shape[1] + int(starts[i])) * shape[2] * item
                _write(out, np.ascontiguousarray(rows[layer]).data.cast("B"), len(header) + place)
            advance(words, "")
            now = time.perf_counter()
            if now - saved > _SAVE_EVERY:
                saved = now
                os.fsync(out)
                note = {
                    "dtype": dtype,
                    "documents": i + 1,
                    "seconds": round(spent + now - started, 3),
                    "noise": halve.state(),
                }
                files.write_json(folder / _PROGRESS, note)
            done = i + 1
    if done != len(documents):
        raise ModelError(
            f"gave {done} arrays for {len(documents)} documents", where=f"encoder {encoder.name}"
        )
    if halve.is_too_coarse():
        raise _TooCoarse
    array = np.lib.format.open_memmap(folder / _ARRAY, mode="r")
    reported = encoder.input_report(documents) if isinstance(encoder, InputReporter) else {}
    manifest = {
        "encoder": encoder.name,
        "fingerprint": encoder.fingerprint,
        "layer_names": list(encoder.layer_names),
        "final_norm": encoder.final_norm,
        "shape": list(shape),
        "dtype": dtype,
        "documents": len(documents),
        "text": text_hash(documents),
        "checksums": [_checksum(layer) for layer in array],
        "seconds": round(spent + time.perf_counter() - started, 3),
        "input": dict(reported),
    }
    files.write_json(folder / _MANIFEST, manifest)
    (folder / _PROGRESS).unlink(missing_ok=True)


class _Halver:
    """float32 to float16, with an account of the noise that it adds to each dimension."""

    def __init__(self, layers: int, dim: int) -> None:
        self.words = 0
        self.sums = np.zeros((3, layers, dim))  # values, their squares, squared errors

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float16]:
        with np.errstate(over="ignore"):
            halved = vectors.astype(np.float16)
            error = halved.astype(np.float32) - vectors  # (layers, words, dim)
            parts = (vectors, vectors**2, error**2)
        sums = np.stack([part.sum(axis=1, dtype=np.float64) for part in parts])
        self.words += vectors.shape[1]
        self.sums += sums
        if not np.isfinite(sums).all() or (self.words >= _ENOUGH and self.is_too_coarse()):
            raise _TooCoarse
        return halved

    def is_too_coarse(self) -> bool:
        mean, square, noise = self.sums / max(self.words, 1)  # each (layers, dim)
        return bool((noise > _NOISE * np.maximum(square - mean**2, 0)).any())

    def state(self) -> list[Any]:
        """The account so far: a resumed extraction must decide as an undisturbed one does."""
        return [self.words, self.sums.tobytes().hex()]

    def restore(self, state: list[Any]) -> None:
        words, sums = state
        self.sums = np.frombuffer(bytes.fromhex(sums)).reshape(self.sums.shape).copy()
        self.words = int(words)


def _write(descriptor: int, data: memoryview, place: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, place)
        data, place = data[written:], place + written


def _header(shape: tuple[int, ...], dtype: str) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    )
    return stream.getvalue()


def _open_or_set_aside(
    folder: Path, encoder: Encoder, documents: Sequence[Document]
) -> Activations | None:
    """The entry, under its lock: another process may have made a damaged one anew meanwhile."""
    if not (folder / _MANIFEST).exists():
        return None
    try:
        return _open(folder, encoder, documents)
    except DataError:
        os.replace(folder, folder.with_name(f"{folder.name}.damaged-{time.time_ns()}"))
        return None


def _open(folder: Path, encoder: Encoder, documents: Sequence[Document]) -> Activations:
    manifest = files.read_json(folder / _MANIFEST)
    array = _map(folder, manifest)
    try:
        sound = (
            manifest["fingerprint"] == encoder.fingerprint
            and manifest["text"] == text_hash(documents)
            and manifest["checksums"] == [_checksum(layer) for layer in array]
        )
    except KeyError as error:
        raise DataError(f"its manifest has no {error}", where=str(folder)) from error
    if not sound:
        raise DataError("is damaged", where=str(folder))
    return Activations(folder, manifest, _starts(documents))


def _map(folder: Path, manifest: dict[str, Any]) -> NDArray[np.floating[Any]]:
    """The array of an entry, read-only. Raises DataError unless it is what the manifest tells."""
    try:
        array: NDArray[np.floating[Any]] = np.lib.format.open_memmap(folder / _ARRAY, mode="r")
        # Types are compared, not their names: the bytes of ">f2" are those of "<f2", turned round.
        sound = list(array.shape) == manifest["shape"] and array.dtype == manifest["dtype"]
    except Exception as error:  # a flipped bit in the array's header may raise nearly anything
        raise DataError(f"cannot be read ({error})", where=str(folder / _ARRAY)) from error
    if not sound:
        raise DataError("differs from its manifest", where=str(folder / _ARRAY))
    return array


def _starts(documents: Sequence[Document]) -> NDArray[np.int64]:
    lengths = [0, *(len(document) for document in documents)]
    return np.cumsum(lengths, dtype=np.int64)


def _checksum(layer: NDArray[np.floating[Any]]) -> str:
    return hashlib.sha256(np.ascontiguousarray(layer).data).hexdigest()


def _resume(folder: Path, dtype: str, size: int, halve: _Halver) -> tuple[int, float]:
    """The documents that an earlier, interrupted extraction has safely written, and its seconds.

    When there are none, its note goes: what will be written is no longer what that tells of.
    """
    try:
        note = _note(folder)
        if note["dtype"] == dtype and (folder / _ARRAY).stat().st_size == size:
            done, spent = int(note["documents"]), float(note["seconds"])
            halve.restore(note["noise"])
            return done, spent
    except (OSError, KeyError, TypeError, ValueError):
        pass
    (folder / _PROGRESS).unlink(missing_ok=True)
    return 0, 0.0


def _note(folder: Path) -> dict[str, Any]:
    """What an interrupted extraction has left to tell; empty where there is nothing."""
    try:
        note = files.read_json(folder / _PROGRESS)
    except DataError:
        return {}
    return note if isinstance(note, dict) else {}
