"""Published tables of trained architectures, read from where the data of the user lies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ....core.errors import DataError

VARIABLE = "LAYERWISE_DATA"
"""The environment variable that names the folder of the data: its ``nas/`` holds the tables."""


def read_columns(file: str, columns: list[str]) -> dict[str, list[Any]]:
    """These columns of a parquet file of the folder ``nas``, by name. DataError if it is not there.

    Missing numbers are None or NaN, as they are stored.
    """
    path = _folder(file) / file
    if not path.is_file():
        raise DataError(
            f"{path} does not exist",
            where=f"table {file}",
            cure=f"set {VARIABLE} to the folder that holds nas/{file}",
        )
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        known = pq.read_schema(path).names
        if missing := [name for name in columns if name not in known]:
            raise DataError(f"has no column {missing[0]}", where=str(path), cure="get it anew")
        found: dict[str, list[Any]] = pq.read_table(path, columns=columns).to_pydict()
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"not a parquet file that can be read: {error}", where=str(path)) from error
    return found


def _folder(file: str) -> Path:
    value = os.environ.get(VARIABLE)
    if not value:
        raise DataError(
            f"it lies below the folder that {VARIABLE} names, which is not set",
            where=f"table {file}",
            cure=f"set {VARIABLE} to the folder that holds nas/{file}",
        )
    return Path(value).expanduser() / "nas"
