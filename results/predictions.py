"""What a unit's probe said of each test target, for errors to be shown and tests to be made.

Beside the records, in ``predictions/ID.npz`` of their folder, ID being the record's. A record
without its file has lost nothing but that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from ..core.files import atomic_writer, inside

FOLDER = "predictions"


@dataclass(frozen=True)
class Predictions:
    """Of n test targets in the order of the task, all but ``clusters`` by the kind of task.

    ``clusters`` (n,) are the sentences or documents that are resampled. One label a target:
    ``gold`` and ``predicted`` (n,), numbers of labels in alphabetical order (-1: training never
    saw it), ``probability`` (n,) of what was predicted and ``of_gold`` (n,) of the gold label.
    Several: ``gold`` and ``predicted`` are (n, labels) of 0 and 1. Choices, pronouns and trees:
    ``credit`` (n,) and ``out_of`` (n,), whose sums make the score.
    """

    clusters: NDArray[np.int32]
    gold: NDArray[Any] | None = None
    predicted: NDArray[Any] | None = None
    probability: NDArray[np.float32] | None = None
    of_gold: NDArray[np.float32] | None = None
    credit: NDArray[np.float32] | None = None
    out_of: NDArray[np.float32] | None = None

    def write(self, folder: Path, record: str) -> None:
        """Into the folder of the record with that id, whole or not at all."""
        arrays = {name: array for name, array in vars(self).items() if array is not None}
        with atomic_writer(_path(folder, record)) as file:
            np.savez_compressed(file, **arrays)


def read_predictions(folder: Path, record: str) -> Predictions | None:
    """Those of a record, or None where the folder has none. Raises DataError for a damaged file."""
    path = _path(folder, record)
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays: Mapping[str, Any] = {name: found[name] for name in found.files}
        return Predictions(**arrays)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, BadZipFile) as error:
        raise DataError(
            f"cannot be read ({error})", where=str(path), cure="delete it and its record's line"
        ) from error


def _path(folder: Path, record: str) -> Path:
    return inside(folder / FOLDER, f"{record}.npz")
