"""Running text as numbers on disk, made once: it is read window by window and never held whole.

An entry of the cache is named by the sha256 of its files and by the version of the tokenisation.
It holds every word as a number (little-endian int32, in order), the different words (one a line,
in the order of their numbers, which is that of their first appearance), the place and the count
of each, and a manifest with checksums, which is written last: an entry without one does not count.
To make it takes memory for the different words alone, about 250 bytes each.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, overload

import numpy as np
from numpy.typing import NDArray

from ..core import files, progress
from ..core.errors import DataError
from .character_cnn import BEGIN, END
from .running_text import TOKENISATION, read_words

_FORMAT = "token-store-1"
_WORDS, _TYPES, _TABLE, _MANIFEST = "words.int32", "types.txt", "types.npy", "manifest.json"
_FLUSH = 1 << 20  # words that are held before they are written
_LINES = 1 << 12  # lines between two movements of the bar
_COUNTED = 1 << 22  # words that are counted at once


class Types(Sequence[str]):
    """The different words of a text by their numbers, read from the disk when asked for."""

    def __init__(self, text: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
        self._text, self._ends = text, ends

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, number: int) -> str: ...

    @overload
    def __getitem__(self, number: slice) -> list[str]: ...

    def __getitem__(self, number: int | slice) -> str | list[str]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        place = range(len(self))[number]
        start = int(self._ends[place - 1]) + 1 if place else 0  # behind the line break
        return self._text[start : int(self._ends[place])].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        # A block of lines at once is many times faster than each by itself.
        for first in range(0, len(self), _LINES):
            last = min(first + _LINES, len(self)) - 1
            start = int(self._ends[first - 1]) + 1 if first else 0
            yield from self._text[start : int(self._ends[last])].tobytes().decode().split("\n")


class TokenStore:
    """One entry: ``types``, ``counts`` (types,), ``words`` (words,) and the words of each file."""

    def __init__(self, folder: Path) -> None:
        manifest = files.read_json(folder / _MANIFEST)
        for name, checksum in manifest["sha256"].items():
            if files.sha256_of(folder / name) != checksum:
                raise DataError("differs from its checksum", where=str(folder / name))
        table = np.load(folder / _TABLE, mmap_mode="r", allow_pickle=False)  # (types, 2)
        self.types = Types(_map(folder / _TYPES, np.dtype(np.uint8)), table[:, 0])
        self.counts: NDArray[np.int64] = table[:, 1]
        self.words: NDArray[np.int32] = _map(folder / _WORDS, np.dtype("<i4"))
        self.file_words: list[int] = manifest["words"]


def open_store(paths: Sequence[Path], digests: Sequence[str]) -> TokenStore:
    """The entry of these files, whose sha256 are given; made now if it is missing or damaged."""
    key = hashlib.sha256(
        files.canonical_json([_FORMAT, TOKENISATION, list(digests)]).encode()
    ).hexdigest()
    folder = files.cache_folder() / "text" / key[:2] / key[2:]
    with files.lock(folder):
        try:
            return TokenStore(folder)
        except (DataError, KeyError, ValueError):
            _make(folder, paths)
            return TokenStore(folder)


def _make(folder: Path, paths: Sequence[Path]) -> None:
    for stray in folder.glob(".*"):  # what a killed process left half-written
        stray.unlink()
    numbers: dict[str, int] = {BEGIN: 0, END: 1}
    with files.atomic_writer(folder / _WORDS) as stream:
        lengths = [_write_words(stream, path, numbers) for path in paths]
    words = _map(folder / _WORDS, np.dtype("<i4"))
    with files.atomic_writer(folder / _TYPES) as stream:
        ends = _write_types(stream, numbers)
    with files.atomic_writer(folder / _TABLE) as stream:
        table = np.stack([ends, count(words, len(numbers))], axis=1)  # (types, 2)
        np.lib.format.write_array(stream, table, allow_pickle=False)
    parts = (_WORDS, _TYPES, _TABLE)
    manifest: dict[str, Any] = {
        "format": _FORMAT,
        "tokenisation": TOKENISATION,
        "words": lengths,
        "types": len(numbers),
        "sha256": {name: files.sha256_of(folder / name) for name in parts},
    }
    files.write_json(folder / _MANIFEST, manifest)


def _write_words(stream: IO[bytes], path: Path, numbers: dict[str, int]) -> int:
    """Write a file's words, give new ones their numbers, and return how many words it has."""
    total = 0
    waiting = array("i")
    lines = read_words([path])
    with progress.bar(f"reading {path.name}", None) as advance:
        while block := list(islice(lines, _LINES)):
            for line in block:
                # A loop over a set default is no slower than one over a dictionary's misses.
                waiting.extend([numbers.setdefault(word, len(numbers)) for word in line])
            if len(waiting) >= _FLUSH:
                total += _flush(stream, waiting)
            advance(len(block), f"{total + len(waiting):,} words, {len(numbers):,} different")
    return total + _flush(stream, waiting)


def _flush(stream: IO[bytes], waiting: array[int]) -> int:
    stream.write(np.asarray(waiting, dtype="<i4").tobytes())
    written = len(waiting)
    del waiting[:]
    return written


def _write_types(stream: IO[bytes], types: Iterable[str]) -> NDArray[np.int64]:
    """Write the words one a line, and return where each ends, of shape (types,)."""
    lengths = array("q")
    names = iter(types)
    while block := [name.encode() for name in islice(names, _LINES)]:
        lengths.extend([len(name) for name in block])
        stream.write(b"\n".join(block) + b"\n")
    return np.cumsum(np.asarray(lengths, dtype=np.int64) + 1) - 1


def count(words: NDArray[np.int32], types: int) -> NDArray[np.int64]:
    """How often each number occurs, of shape (types,)."""
    counts = np.zeros(types, dtype=np.int64)
    for start in range(0, len(words), _COUNTED):
        counts += np.bincount(words[start : start + _COUNTED], minlength=types)
    return counts


def _map(path: Path, dtype: np.dtype[Any]) -> NDArray[Any]:
    if not path.stat().st_size:  # an empty file cannot be mapped
        return np.empty(0, dtype)
    return np.memmap(path, dtype, mode="r").view(np.ndarray)
