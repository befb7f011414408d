"""Reading vectors and labels that someone brings along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import DataError
from ...probes.metrics import UNSEEN

_PART = 2**16  # rows that are looked at together
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Vectors:
    """One set: vectors of shape (rows, features) and a label a row."""

    vectors: NDArray[np.floating[Any]]
    labels: list[str]

    def numbers(self, classes: Sequence[str]) -> NDArray[np.int64]:
        """Of the labels among ``classes``; ``UNSEEN`` for any other."""
        number = {name: i for i, name in enumerate(classes)}
        return np.array([number.get(label, UNSEEN) for label in self.labels], dtype=np.int64)


def read(features: Path, labels: Path, *, like: Vectors | None = None) -> Vectors:
    """Vectors and labels of one set, with as many features as another has."""
    vectors, lines = _read_vectors(features), _read_labels(labels)
    rows, dim = vectors.shape
    if rows != len(lines):
        raise DataError(
            f"{len(lines):,} labels for the {rows:,} rows of {features}",
            where=str(labels),
            cure="give one line a row",
        )
    if like is not None and dim != like.vectors.shape[1]:
        raise DataError(
            f"{dim:,} features, but training has {like.vectors.shape[1]:,}",
            where=str(features),
            cure="take the same layer of the same encoder",
        )
    return Vectors(vectors, lines)


def _read_vectors(path: Path) -> NDArray[np.floating[Any]]:
    """An array of shape (rows, features) of finite numbers, in float32 or float64."""
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise DataError("no such file", where=str(path)) from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=str(path)) from error
    except (ValueError, EOFError) as error:
        # numpy's own words may advise to run what a pickle says.
        raise DataError(
            "not an array of numbers, or cut short", where=str(path), cure="numpy.save writes one"
        ) from error
    if not isinstance(found, np.ndarray):
        raise DataError("holds several arrays", where=str(path), cure="numpy.save writes one")
    if found.dtype.kind != "f" or found.dtype.itemsize > 8:
        raise DataError(
            f"holds {found.dtype}, not floats of 16, 32 or 64 bits",
            where=str(path),
            cure="convert it with astype('float32')",
        )
    if found.ndim != 2 or not found.size:
        raise DataError(
            f"an array of shape {found.shape}", where=str(path), cure="make it (rows, features)"
        )
    if found.dtype == np.float16:
        found = found.astype(np.float32)
    for start in range(0, len(found), _PART):
        # False for NaN as well.
        sound = (np.abs(found[start : start + _PART]) <= _LARGEST).all(axis=1)
        if not sound.all():
            raise DataError(
                f"row {start + int(sound.argmin())} (the first is 0) holds NaN, infinity or "
                "more than single precision can",
                where=str(path),
                cure="leave it out, with its label",
            )
    return np.asarray(found)


def _read_labels(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DataError("no such file", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"not UTF-8 (byte {error.start})", where=str(path), cure="write one label a line in it"
        ) from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=str(path)) from error
    lines = text.removesuffix("\n").split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            raise DataError("no label", where=f"{path}:{number}", cure="write one label a line")
    return lines
