"""Every format of a pivot shows the same digits, and the files hold all of it."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from layerwise.core.errors import UsageError
from layerwise.results import export
from layerwise.results.pivot import Layout, pivot
from layerwise.results.records import RecordFile
from layerwise.results.render import LEADS, MISSING, PARTIAL, legend, number, row_labels, shown
from layerwise.results.terminal import to_terminal

REFERENCE = Path(__file__).parents[2] / "results" / "reference" / "gum_open.jsonl"
HOSTILE = ["<img src=x onerror=alert(1)>", "=1+1", "\x1b[31m", "a|b & c_d $x$", "‡", "", "\udcff"]


class Cells(HTMLParser):
    """The texts of a table's rows, and every tag that there is."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.tags, self.inside = [], set(), ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        assert not attributes
        self.tags.add(tag)
        self.inside = tag if tag in ("th", "td", "li") else self.inside
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self.inside = "" if tag in ("th", "td", "li") else self.inside

    def handle_data(self, data):
        if self.inside in ("th", "td"):
            self.rows[-1][-1] += data


def bare(text):
    for sign in ("*", LEADS, PARTIAL, r"\textdaggerdbl{}", r"\textdagger{}"):
        text = text.replace(sign, "")
    return text.replace("--", "–").strip()


def read_back(table, intervals):
    """{format: [[text of each cell] of each row]}, parsed from what each format wrote."""
    count = len(table.columns)
    grid = export.to_text(table, "md", intervals).split("\n\n")[0].splitlines()[2:]
    found = {
        "md": [
            [bare(c.replace("\\", "")) for c in re.split(r"(?<!\\)\|", line)[1:-1][-count:]]
            for line in grid
        ]
    }
    lines = export.to_text(table, "latex", intervals).splitlines()
    rows = [line.removesuffix(r" \\") for line in lines if " & " in line][2:]
    found["latex"] = [
        [re.sub(r"\\textbf|[{}]", "", bare(cell)) for cell in row.split(" & ")[-count:]]
        for row in rows
    ]
    found["json"] = [
        [cell["text"] for cell in row["cells"]]
        for row in json.loads(export.to_text(table, "json", intervals))["rows"]
    ]
    found["csv"] = []
    for row in list(csv.reader(io.StringIO(export.to_text(table, "csv", intervals))))[1:]:
        left, texts = iter(row[len(table.by) : -2]), []
        for column in table.columns:
            value = next(left) or MISSING
            low, high = (next(left), next(left)) if intervals and not column.extra else ("", "")
            texts.append(f"{value} [{low}, {high}]" if low else value)
        assert not list(left)
        found["csv"].append(texts)
    cells = parquet.read_table(io.BytesIO(export.to_parquet(table, intervals))).to_pylist()
    rounded = []
    for cell in cells:
        text = number(cell["value"], cell["score"]) if cell["value"] is not None else cell["text"]
        if intervals and cell["low"] is not None and cell["state"] == "ok":
            low, high = number(cell["low"], cell["score"]), number(cell["high"], cell["score"])
            text = f"{text} [{low}, {high}]"
        assert text == cell["text"]
        rounded.append(text)
    found["parquet"] = [rounded[i : i + count] for i in range(0, len(rounded), count)]
    found["html"] = [
        [bare(cell) for cell in row[-count:]]
        for row in Cells(export.to_html(table, intervals)).rows[2:]
    ]
    body = to_terminal(table, width=500, intervals=intervals).split("\n\n")[0].splitlines()
    parts = [re.split(r" {2,}", line.strip()) for line in body if "─" not in line][2:]
    found["terminal"] = [[bare(c) for c in row[-count:]] for row in parts if len(row) > count]
    return found


FORMATS = ("md", "latex", "json", "csv", "parquet", "html", "terminal")
scores = st.one_of(st.none(), st.floats(-0.001, 1), st.sampled_from([0.0, 1.0, 0.9995, -1e-9]))


@settings(max_examples=40, deadline=None)
@given(
    drawn=st.dictionaries(
        st.tuples(*map(st.sampled_from, (["a", "b"], ["pos.v1", "coref.v1"], [0, 1, 2], [0, 1]))),
        st.tuples(scores, st.booleans(), st.floats(0.5, 1000), st.floats(1e-9, 1e9)),
        min_size=1,
    ),
    layout=st.sampled_from([(("encoder", "layer"), ("task",)), (("task", "layer"), ("encoder",))]),
    metrics=st.sampled_from([(), ("accuracy", "compression"), ("chosen.l2", "f1")]),
    intervals=st.booleans(),
)
def test_all_formats_show_the_same_digits(unit, drawn, layout, metrics, intervals):
    records = []
    for (encoder, task, layer, seed), (value, has_ends, extra, chosen) in drawn.items():
        ends = (value - 0.01, value + 0.02) if value is not None and has_ends else None
        given = {"baselines": {"majority": 0.25}, "extra": {"compression": extra}}
        record = unit(encoder, task, layer, value, interval=ends, seed=seed, **given)
        records.append(record.model_copy(update={"chosen": {"l2": chosen}}))
    there = {name for record in records for name in record.scores} | {"chosen.l2"}
    if not there.issuperset(metrics):
        return
    table = pivot(records, Layout(*layout, metrics))
    expected = [
        [
            shown(cell, column.metric, intervals)
            for column, cell in zip(table.columns, row.cells, strict=True)
        ]
        for row in table.rows
    ]
    assert read_back(table, intervals) == dict.fromkeys(FORMATS, expected)


def test_the_reference_in_every_format():
    records = RecordFile(REFERENCE).read().records
    for layout in (Layout(), Layout(("task", "encoder"), ("layer",))):
        table = pivot(records, layout)
        for intervals in (False, True):
            texts = [
                [
                    shown(cell, column.metric, intervals)
                    for column, cell in zip(table.columns, row.cells, strict=True)
                ]
                for row in table.rows
            ]
            assert read_back(table, intervals) == dict.fromkeys(FORMATS, texts)


def marked(unit):
    return pivot(
        [
            unit(e, layer=i, value=v, baselines={"majority": 0.1}, interval=(v - 0.1, v + 0.1))
            for e, vs in (("a", (0.5, 0.7)), ("b", (0.9, 0.8)))
            for i, v in enumerate(vs)
        ]
    )


def test_every_format_tells_the_best_layer_from_the_best_encoder(unit):
    table = marked(unit)
    assert "| a | 0 words | 0.500 |" in export.to_text(table, "md")
    assert "|  | 1 block 1 | **0.700** |" in export.to_text(table, "md")
    assert "| b | 0 words | **0.900**‡ |" in export.to_text(table, "md")
    latex = export.to_text(table, "latex")
    assert r"\textbf{0.700} \\" in latex and r"\textbf{0.900}\textdaggerdbl{} \\" in latex
    assert " *0.700" in export.to_text(table, "terminal")
    assert " *‡0.900" in export.to_text(table, "terminal")
    html = export.to_html(table)
    assert "<td><b>0.700</b></td>" in html and "<td><b>0.900</b>‡</td>" in html
    rows = list(csv.DictReader(io.StringIO(export.to_text(table, "csv"))))
    name = "pos.v1 accuracy"
    assert [row["best"] for row in rows] == ["", name, name, "", ""]
    assert [row["leads"] for row in rows] == ["", "", name, "", ""]
    whole = json.loads(export.to_text(table, "json"))
    assert [row["cells"][0]["leads"] for row in whole["rows"]] == [False, False, True, False, False]
    assert (whole["by"], whole["across"]) == (["encoder", "layer"], ["task"])


def test_labels_are_named_once_and_the_last_in_every_row(unit):
    records = [
        unit(e, layer=i, seed=s, metric="cosine", baselines={"majority": 0.2})
        for e in "ab"
        for i in (0, 1)
        for s in (0, 1)
    ]
    three = pivot(records, Layout(("encoder", "layer", "seed"), ()))
    lines = export.to_text(three, "md").splitlines()
    assert lines[:7] == [
        "| encoder | layer | seed | cosine |",
        "| :-- | :-- | :-- | --: |",
        "| a | 0 words | 0 | 0.900 |",
        "|  |  | 1 | 0.900 |",
        # A group of its own: its encoder is named again.
        "| a | 1 block 1 | 0 | 0.900 |",
        "|  |  | 1 | 0.900 |",
        "| b | 0 words | 0 | 0.900 |",
    ]
    assert lines[10] == "| majority |  |  | 0.200 |"
    terminal = export.to_text(three, "terminal").splitlines()
    assert [line.split()[:2] for line in terminal[3:6]] == [
        ["a,", "0"],
        ["0", "0.900"],
        ["1", "0.900"],
    ]
    one = pivot(records, Layout(("encoder",), ("seed",)), {"layer": ["0"]})
    assert export.to_text(one, "terminal").splitlines()[3:7] == [
        "a          0.900    0.900",
        "b          0.900    0.900",
        "─────────────────────────",
        "majority   0.200    0.200",
    ]
    assert export.to_text(one, "latex").splitlines()[4:9] == [
        r"\midrule",
        r"a & 0.900 & 0.900 \\",
        r"b & 0.900 & 0.900 \\",
        r"\midrule",
        r"majority & 0.200 & 0.200 \\",
    ]


def test_csv_has_the_fields_in_columns_of_their_own(unit):
    found = pivot([unit(layer=1)], Layout(("layer", "seed", "encoder")))
    (row,) = csv.DictReader(io.StringIO(export.to_text(found, "csv", intervals=True)))
    assert row == {
        **{"layer": "1", "seed": "0", "encoder": "lstm", "pos.v1 accuracy": "0.900"},
        **{"pos.v1 accuracy low": "", "pos.v1 accuracy high": "", "best": "", "leads": ""},
    }


def test_parquet_keeps_types_full_precision_and_the_legend(unit):
    table = marked(unit)
    found = parquet.read_table(io.BytesIO(export.to_parquet(table)))
    assert {name: str(found.schema.field(name).type) for name in ("layer", "encoder", "value")} == {
        "layer": "int64",
        "encoder": "string",
        "value": "double",
    }
    rows = found.to_pylist()
    assert [row["value"] for row in rows] == [0.5, 0.7, 0.9, 0.8, 0.1]
    assert rows[0]["low"] == 0.4
    assert [row["baseline"] for row in rows] == [None] * 4 + ["majority"]
    assert [row["layer"] for row in rows] == [0, 1, 0, 1, None]
    assert json.loads(found.schema.metadata[b"legend"]) == legend(table, best="best:")
    mixed = pivot([unit(settings={"x": x}) for x in (1, "a")], Layout(("settings.x",), ()))
    rows = parquet.read_table(io.BytesIO(export.to_parquet(mixed))).to_pylist()
    assert [row["settings.x"] for row in rows] == ["1", "a"]


def test_parquet_says_what_failed_and_what_is_missing(unit):
    table = pivot([unit(layer=0, value=None), unit(layer=1), unit(task="coref.v1", layer=1)])
    rows = parquet.read_table(io.BytesIO(export.to_parquet(table))).to_pylist()
    assert {(r["layer"], r["task"]): r["state"] for r in rows} == {
        (0, "coref.v1"): "missing",
        (0, "pos.v1"): "failed",
        (1, "coref.v1"): "ok",
        (1, "pos.v1"): "ok",
    }


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_in_every_format(unit, name):
    records = [
        unit(name, f"{name}.v1", i, v, layer_name=name, baselines={name: 0.5})
        for i, v in enumerate([0.8, 0.9])
    ]
    table = pivot(records, Layout(("encoder", "layer_name", "layer")))
    assert row_labels(table, table.rows[0])[0] == name
    for format_ in ("terminal", "md", "csv", "latex", "json"):
        text = export.to_text(table, format_)
        assert "\x1b" not in text
        text.encode()
    page = Cells(export.to_html(table))
    assert page.tags <= {*("table", "thead", "tbody", "tr", "th", "td", "ul", "li", "b")}
    for row in csv.reader(io.StringIO(export.to_text(table, "csv"))):
        assert not any(re.match(r"\s*[=+\-@]", cell) for cell in row)
    (first, *_) = parquet.read_table(io.BytesIO(export.to_parquet(table))).to_pylist()
    assert first["encoder"] == name.encode("utf-8", "backslashreplace").decode()


@pytest.mark.parametrize("ending", export.ENDINGS)
def test_a_file_is_written_in_the_format_of_its_ending(unit, tmp_path, ending):
    table, path = marked(unit), tmp_path / "new" / f"table{ending.upper()}"
    export.write(table, path)
    if ending == ".parquet":
        assert parquet.read_table(path).num_rows == 5
    else:
        assert path.read_text() == export.to_text(table, export.ENDINGS[ending])
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_ending_without_a_format_is_an_error(unit, tmp_path):
    with pytest.raises(UsageError, match=r"table\.xls: its ending names no format of \.txt, \.md"):
        export.write(marked(unit), tmp_path / "table.xls")
    export.write(marked(unit), tmp_path / "table.xls", "csv")
    assert (tmp_path / "table.xls").read_text().startswith("encoder,layer,")
    with pytest.raises(UsageError, match="parquet is no text"):
        export.to_text(marked(unit), "parquet")
