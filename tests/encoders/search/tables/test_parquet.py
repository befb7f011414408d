"""Where tables are looked for."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from layerwise.core.errors import DataError
from layerwise.encoders.search.tables.parquet import read_columns


def test_columns_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path))
    (tmp_path / "nas").mkdir()
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", None]}), tmp_path / "nas" / "t.parquet")
    assert read_columns("t.parquet", ["b"]) == {"b": ["x", None]}
    with pytest.raises(DataError, match="has no column c"):
        read_columns("t.parquet", ["a", "c"])


def test_what_is_not_there_is_told_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAYERWISE_DATA", raising=False)
    with pytest.raises(DataError, match=r"not set; set LAYERWISE_DATA .* nas/t\.parquet"):
        read_columns("t.parquet", ["a"])
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path))
    with pytest.raises(DataError, match="does not exist; set LAYERWISE_DATA"):
        read_columns("t.parquet", ["a"])
    (tmp_path / "nas").mkdir()
    (tmp_path / "nas" / "t.parquet").write_bytes(b"no table")
    with pytest.raises(DataError, match="not a parquet file"):
        read_columns("t.parquet", ["a"])
