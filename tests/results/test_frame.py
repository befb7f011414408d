"""A frame has every score of every record once, and says where it is from."""

from __future__ import annotations

import json
from pathlib import Path

import pandas
import pytest

from layerwise.results.collection import Results, load_results
from layerwise.results.frame import tidy

REFERENCE = Path(__file__).parents[2] / "results" / "reference" / "gum_open.jsonl"


@pytest.fixture(scope="module")
def frame():
    return load_results(REFERENCE).frame()


def test_every_score_of_the_file_has_a_row(frame):
    lines = [json.loads(line) for line in REFERENCE.read_text().splitlines()]
    expected = {
        (raw["id"], split, name): value
        for raw in lines
        for split, scores in (("test", raw["scores"]), ("dev", raw["dev_scores"]))
        for name, value in scores.items()
    }
    found = frame.set_index(["id", "split", "metric"])["value"]
    assert found.index.is_unique
    assert found.to_dict() == expected


def test_the_columns_are_those_that_are_documented(frame):
    named = [name for name in frame.columns if not name.startswith("settings.")]
    assert named == [
        *("id", "encoder", "fingerprint", "task", "data", "data_hash", "layer", "probe", "seed"),
        *("layer_name", "layers", "status", "error", "split", "metric", "main", "value"),
        *("low", "high", "confidence", "clusters", "replicates"),
    ]
    for name in named:
        assert f"``{name}``" in (tidy.__doc__ or "") or name in (
            *("encoder", "fingerprint", "task", "data", "data_hash", "layer", "probe", "seed"),
        )
    assert "settings.context" in frame.columns
    assert frame["layer"].dtype.kind == "i" and frame["value"].dtype.kind == "f"


def test_the_interval_is_that_of_the_main_score_on_test(frame):
    has = frame["low"].notna()
    assert (has == (frame["main"] & (frame["split"] == "test"))).all()
    assert ((frame["low"] <= frame["value"]) & (frame["value"] <= frame["high"]))[has].all()


def test_it_pivots_to_the_numbers_of_the_table(frame):
    main = frame[frame["main"] & (frame["split"] == "test")]
    wide = main.pivot(index=["encoder", "layer"], columns="task", values="value")
    table = load_results(REFERENCE).table().table
    for row in table.rows:
        if not row.baseline:
            assert [cell.value for cell in row.cells] == list(wide.loc[row.labels])


def test_a_failed_unit_is_one_row_without_a_value(unit):
    rows = tidy([unit(value=None), unit(layer=1, extra={"macro_f1": 0.5})])
    assert [(row["status"], row["metric"], row["value"]) for row in rows] == [
        ("failed", "accuracy", None),
        ("ok", "accuracy", 0.9),
        ("ok", "macro_f1", 0.5),
    ]
    assert rows[0]["error"] == "out of memory"
    assert len({tuple(row) for row in rows}) == 1


def test_wide_has_a_row_a_record_with_all_it_says(unit):
    found = Results((unit(baselines={"majority": 0.2}), unit(layer=1))).frame(wide=True)
    assert isinstance(found, pandas.DataFrame)
    assert list(found["scores.accuracy"]) == [0.9, 0.9]
    assert found["baselines.majority.accuracy"].isna().tolist() == [False, True]


def test_no_records_make_an_empty_frame():
    assert Results(()).frame().empty and tidy([]) == []
