"""Weights in an HDF5 file, read by name and shape; nothing in it is executed or followed.

A link or an external dataset can lead into any other file of the machine, and an object type is
for Python to make sense of: both are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.errors import ModelError

_FRESH = "a fresh copy may help"
_OPTIONS = "put the options of this very model beside it"


class Weights:
    """An open file's datasets of floats."""

    def __init__(self, file: Any, path: Path) -> None:
        self._file = file
        self._path = path
        self._read: set[str] = set()

    def read(self, name: str, *shape: int) -> Tensor:
        """The dataset of that name in float32. Raises ModelError where it has another shape."""
        where = f"{self._path}: {name}"
        dataset = self._dataset(name, where)
        if dataset.dtype.kind != "f":
            raise ModelError(f"holds {dataset.dtype}, not floats", where=where, cure=_FRESH)
        if dataset.shape != shape:
            raise ModelError(
                f"has the shape {dataset.shape}, not {shape} as the options say",
                where=where,
                cure=_OPTIONS,
            )
        with np.errstate(over="ignore"):
            array = np.asarray(dataset[()], dtype=np.float32)
        if not np.isfinite(array).all():
            raise ModelError("holds values that are not finite", where=where, cure=_FRESH)
        self._read.add(name)
        return torch.from_numpy(array)

    def unread(self) -> list[str]:
        """The names of the datasets that were not read."""
        names: list[str] = []
        self._file.visit(names.append)
        return sorted(n for n in names if hasattr(self._file[n], "dtype") and n not in self._read)

    def _dataset(self, name: str, where: str) -> Any:
        import h5py

        parts = name.split("/")
        for end in range(1, len(parts) + 1):
            link = self._file.get("/".join(parts[:end]), getlink=True)
            if link is not None and not isinstance(link, h5py.HardLink):
                raise ModelError("a link, not a dataset", where=where, cure=_FRESH)
        dataset = self._file.get(name)
        if not isinstance(dataset, h5py.Dataset):
            raise ModelError("no such dataset in the file", where=where, cure=_OPTIONS)
        if dataset.external or dataset.is_virtual:
            raise ModelError("its values are in another file", where=where, cure=_FRESH)
        return dataset


@contextmanager
def open_weights(path: Path) -> Iterator[Weights]:
    """The file, open for reading. What HDF5 cannot read in it is a ModelError that names it."""
    import h5py

    try:
        # Nothing is written, so no lock is needed, which not every file system has.
        with h5py.File(path, "r", locking=False) as file:
            yield Weights(file, path)
    # h5py has no error of its own: damage shows as any of these, some of it only in reading.
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
        raise ModelError(
            f"not a sound HDF5 file ({type(error).__name__}: {error})",
            where=str(path),
            cure=_FRESH,
        ) from error
