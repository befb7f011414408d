"""Every format shows the same digits, and shows hostile names as harmless text."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from layerwise.results import render
from layerwise.results.escaping import latex, markdown, spreadsheet, visible
from layerwise.results.table import build
from layerwise.results.terminal import to_terminal

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "[red]markup[/red] :smile:",
    "a|b`c`*d*_e_",
    r"\input{/etc/passwd} $x^2$ 50% #1 a_b ~ & {",
    "\u202eevil\u2066\u200b\u200f\ufeff",
    "two\nlines\r\nand\ttab\x00\x07\x85\u2028",
    "=CMD('calc')",
    "+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "<img src=x onerror=alert(1)>",
    "[link](javascript:alert(1))",
    "</script>",
    "*",
    "",
    "日本語 naïve 🙂",
    "\ue000\U000e0041",
]


def markdown_cells(line):
    parts = re.split(r"(?<!\\)\|", line)[1:-1]
    return [html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", p.strip())) for p in parts]


def digits(text):
    return text.replace("*", "").replace("†", "").replace("--", "–").strip()


def read_back(table, intervals):
    """{format: [[text of each cell] of each row]}, parsed from what each format wrote."""
    count = len(table.columns)
    lines = render.to_markdown(table, intervals).split("\n\n")[0].splitlines()[2:]
    found = {"markdown": [[digits(c) for c in markdown_cells(line)[-count:]] for line in lines]}
    rows = [
        line.removesuffix(r" \\")
        for line in render.to_latex(table, intervals).splitlines()
        if line.count(" & ") and not line.startswith(r"\multicolumn")
    ][2:]
    found["latex"] = [
        [
            digits(re.sub(r"\\textbf|\\textdagger|[{}]", "", c))
            for c in re.split(r" & ", row)[-count:]
        ]
        for row in rows
    ]
    whole = json.loads(render.to_json(table, intervals))
    found["json"] = [[cell["text"] for cell in row["cells"]] for row in whole["rows"]]
    found["csv"] = []
    for row in list(csv.reader(io.StringIO(render.to_csv(table, intervals))))[1:]:
        values = row[4:-1]
        left, texts = iter(values), []
        for column in table.columns:
            value, ends = next(left), ("", "")
            if intervals and column.metric not in ("selectivity", "compression"):
                ends = (next(left), next(left))
            texts.append(f"{value} [{ends[0]}, {ends[1]}]" if ends[0] else value or render.MISSING)
        assert not list(left)
        found["csv"].append(texts)
    body = to_terminal(table, width=500, intervals=intervals).split("\n\n")[0].splitlines()
    parts = [re.split(r" {2,}", line.strip()) for line in body if "─" not in line][2:]
    # An encoder's name stands on a line of its own.
    found["terminal"] = [[digits(c) for c in row[1:]] for row in parts if len(row) == count + 1]
    return found


scores = st.one_of(st.none(), st.floats(-0.001, 1), st.sampled_from([0.0, 1.0, 0.9995, -1e-9]))
extras = st.fixed_dictionaries(
    {}, optional={"selectivity": st.floats(-1, 1), "compression": st.floats(0.5, 1000)}
)


@settings(max_examples=40, deadline=None)
@given(st.data(), st.booleans())
def test_all_formats_show_the_same_digits(unit, data, intervals):
    records = []
    for encoder in ("lstm", "cnn"):
        for task in ("pos.v1", "coref.v1", "morph:Number.v1"):
            for layer in range(3):
                if data.draw(st.booleans()):
                    value = data.draw(scores)
                    ends = (
                        (value - 0.01, value + 0.02) if value and data.draw(st.booleans()) else None
                    )
                    given = {"majority": 0.25}
                    extra = data.draw(extras)
                    records.append(
                        unit(
                            *(encoder, task, layer, value),
                            interval=ends,
                            baselines=given,
                            extra=extra,
                        )
                    )
    if not records:
        return
    table = build(records)
    expected = [
        [
            render.shown(cell, column.metric, intervals)
            for column, cell in zip(table.columns, row.cells, strict=True)
        ]
        for row in table.rows
    ]
    assert read_back(table, intervals) == dict.fromkeys(
        ("markdown", "latex", "json", "csv", "terminal"), expected
    )


def test_numbers_have_three_decimals_and_no_negative_zero():
    assert [render.number(x) for x in (0.93149, 1.0, -0.0001, -0.5, 1234.5)] == [
        "0.931",
        "1.000",
        "0.000",
        "-0.500",
        "1234.500",
    ]


def test_a_compression_has_two_decimals():
    numbers = [render.number(x, "compression") for x in (4.6249, 1.0, 0.995, -0.0001)]
    assert numbers == ["4.62", "1.00", "0.99", "0.00"]
    assert render.number(-0.04449, "selectivity") == "-0.044"


def with_extras(unit):
    more = [{"selectivity": 0.31, "compression": 4.62}, {"selectivity": -0.044}]
    return build(
        [
            unit(layer=i, value=0.8 + i / 10, interval=(0.7, 0.95), extra=extra)
            for i, extra in enumerate(more)
        ]
        + [unit(layer=2, value=None), unit(task="coref.v1", baselines={"majority": 0.25})]
    )


def test_the_terminal_names_a_task_once_above_its_columns(unit):
    lines = to_terminal(with_extras(unit), width=100, intervals=True).splitlines()
    assert lines[0].split() == ["coref.v1", "pos.v1"]
    assert lines[1].split()[3:] == ["f1", "accuracy", "selectivity", "compression"]
    assert lines[4].split()[2:] == ["0.900", "0.800", "[0.700,", "0.950]", "*0.310", "4.62"]
    assert lines[5].split()[3:] == ["–", "*0.900", "[0.700,", "0.950]", "-0.044", "–"]
    assert lines[6].split()[3:] == ["–", "failed", "failed", "failed"]
    assert lines[8].split() == ["majority", "0.250", "–", "–", "–"]


def test_the_columns_of_a_task_stay_in_one_block_if_it_is_wide_enough(unit):
    def tops(width):
        blocks = to_terminal(with_extras(unit), width=width).split("\n\n")[:-1]
        return [[line.split() for line in block.splitlines()[:2]] for block in blocks]

    names = ["encoder", "and", "layer"]
    assert tops(60) == [
        [["coref.v1"], [*names, "f1"]],
        [["pos.v1"], [*names, "accuracy", "selectivity", "compression"]],
    ]
    assert tops(45) == [
        [["coref.v1", "pos.v1"], [*names, "f1", "accuracy"]],
        [["pos.v1"], [*names, "selectivity", "compression"]],
    ]
    assert tops(40)[2:] == [[["pos.v1"], [*names, "compression"]]]


def test_files_show_the_extras_without_intervals(unit):
    table = with_extras(unit)
    rows = list(csv.DictReader(io.StringIO(render.to_csv(table, intervals=True))))
    assert list(rows[0])[7:] == [
        "pos.v1 accuracy",
        "pos.v1 accuracy low",
        "pos.v1 accuracy high",
        "pos.v1 selectivity",
        "pos.v1 compression",
        "best",
    ]
    assert [row["pos.v1 compression"] for row in rows] == ["4.62", "", "failed", ""]
    assert [row["best"] for row in rows] == ["pos.v1 selectivity", "pos.v1", "", ""]
    whole = json.loads(render.to_json(table, intervals=True))
    assert whole["columns"][3] == {"task": "pos.v1", "metric": "compression"}
    cell = whole["rows"][0]["cells"][3]
    assert (cell["value"], cell["text"], cell["interval"]) == (4.62, "4.62", None)
    assert "| coref.v1 f1 | pos.v1 accuracy | pos.v1 selectivity |" in render.to_markdown(table)
    assert "| 0.800 | **0.310** | 4.62 |" in render.to_markdown(table)
    tasks, metrics = render.to_latex(table).splitlines()[2:4]
    assert tasks == r" &  & coref.v1 & pos.v1 &  &  \\"
    assert metrics == r"encoder & layer & f1 & accuracy & selectivity & compression \\"


@pytest.mark.parametrize("intervals", [False, True])
def test_every_format_explains_the_extras_that_it_shows(unit, intervals):
    notes = (
        "selectivity: score minus that of the same probe on random labels, its control task",
        "compression: bits of a uniform code over those of the online code",
    )
    for shows in (render.to_markdown, render.to_latex, render.to_json, to_terminal):
        text = shows(with_extras(unit), intervals=intervals)
        assert [text.count(note) for note in notes] == [1, 1]
        text = shows(build([unit(extra={"selectivity": 0.3})]), intervals=intervals)
        assert [text.count(note) for note in notes] == [1, 0]


def example(unit):
    return build(
        [
            unit(layer=0, value=0.8, interval=(0.7, 0.9), baselines={"majority": 0.25}),
            unit(layer=1, value=0.9, interval=(0.85, 0.95), baselines={"majority": 0.25}),
            unit(layer=2, value=None),
        ]
    )


def test_the_terminal_marks_the_best_with_a_star_or_in_bold(unit):
    plain = to_terminal(example(unit))
    assert "*0.900" in plain
    assert "* best layer" in plain
    assert "\x1b" not in plain
    styled = to_terminal(example(unit), styled=True)
    assert re.search(r"\x1b\[1m *0\.900\x1b\[0m", styled)
    assert "*" not in styled


def test_markdown_and_latex_set_the_best_in_bold(unit):
    assert "| **0.900** |" in render.to_markdown(example(unit))
    assert r" & \textbf{0.900} \\" in render.to_latex(example(unit))


def test_csv_names_the_best_and_repeats_the_encoder(unit):
    rows = list(csv.DictReader(io.StringIO(render.to_csv(example(unit), intervals=True))))
    assert [row["best"] for row in rows] == ["", "pos.v1", "", ""]
    assert [row["encoder"] for row in rows] == ["lstm"] * 3 + ["majority"]
    assert [row["pos.v1 accuracy"] for row in rows] == ["0.800", "0.900", "failed", "0.250"]
    assert [row["pos.v1 accuracy high"] for row in rows] == ["0.900", "0.950", "", ""]


def test_json_keeps_full_precision(unit):
    table = build([unit(value=0.123456789)])
    assert json.loads(render.to_json(table))["rows"][0]["cells"][0]["value"] == 0.123456789


@pytest.mark.parametrize("width", [40, 80, 100])
@pytest.mark.parametrize("extra", [{}, {"selectivity": 0.25, "compression": 3.21}])
def test_lines_fit_the_terminal(unit, width, extra):
    tasks = [f"morph:Feature{i}.v1" for i in range(9)]
    names = ["hf:organisation/a-rather-long-name-of-a-model-in-many-words-v2", "日本語" * 12]
    records = [
        unit(n, t, i, 0.5, interval=(0.4, 0.6), extra=extra)
        for n in names
        for t in tasks
        for i in (0, 1)
    ]
    records.append(unit(names[0], tasks[0], 2, None, error="word " * 60))
    for intervals in (False, True):
        text = to_terminal(build(records), width=width, intervals=intervals)
        assert max(map(cell_len, text.splitlines())) <= width
        compact = re.sub(r"\s", "", text)
        assert compact.count("0.500") == len(tasks) * 4
        assert {compact.count(text) for text in ("0.250", "3.21")} == {len(tasks) * 4 * bool(extra)}
        # Where a row folds under a long name, no number is lost; headings are complete too.
        for task in tasks if width > 40 else []:
            assert task in text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_in_every_format(unit, name):
    table = build(
        [
            unit(
                name,
                f"{name}.v1",
                layer,
                value,
                error=f"failed at {name}",
                layer_name=name,
                data=name,
                probe=name,
                baselines={name: 0.5},
                settings={name or "x": name, "context": context},
            )
            for layer, value in enumerate([0.8, 0.9, None])
            for context in (name, "document")
        ]
    )
    outputs = {
        "terminal": to_terminal(table, width=200),
        "markdown": render.to_markdown(table),
        "latex": render.to_latex(table),
        "csv": render.to_csv(table),
        "json": render.to_json(table),
    }
    for text in outputs.values():
        bad = {c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}}
        assert bad <= {"\n"}
    styled = to_terminal(table, width=200, styled=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", styled).isprintable() or "\n" in styled
    assert "\x1b[31mred" not in styled
    if name:
        assert visible(name) in outputs["terminal"]

    grid, _, below = outputs["markdown"].partition("\n\n")
    widths = {len(markdown_cells(line)) for line in grid.splitlines()}
    assert widths == {len(table.columns) + 2}
    assert "<" not in outputs["markdown"]
    if name:
        assert any(visible(name) in cell for cell in markdown_cells(grid.splitlines()[2]))
        assert markdown(name) in below

    for row in csv.reader(io.StringIO(outputs["csv"])):
        assert len(row) == len(table.columns) + 5
        assert not any(re.match(r"\s*[=+\-@]", cell) for cell in row)
    assert json.loads(outputs["json"])["rows"][0]["name"] == name
    for line in outputs["latex"].splitlines()[3:]:
        assert not re.match(r"\s*[\[*]", line)


@settings(deadline=None)
@given(st.text())
def test_visible_text_is_one_harmless_line(text):
    shown = visible(text)
    assert shown.isprintable() or " " in shown or any(c.isspace() for c in shown)
    assert len(shown.splitlines()) <= 1
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    if text.isascii() and text.isprintable():
        assert shown == text


@settings(deadline=None)
@given(st.text())
def test_markdown_gives_the_text_back(text):
    assert markdown_cells(f"| {markdown(text)} |") == [visible(text).strip()]


@settings(deadline=None)
@given(st.text())
def test_latex_leaves_no_special_character_bare(text):
    rest = re.sub(r"\\text\w+\{\}|\\[{}$&#_%]|\{[\[\]*'`\"]\}|-\{\}", "", latex(text))
    assert not set(rest) & set("\\{}$&#_%^~<>|[]*'`\"")
    assert "--" not in latex(text).replace("-{}", "") or "–" in text


def test_latex_of_known_texts():
    assert latex("macro_f1 50% [a] a--b \\x") == (
        r"macro\_f1 50\% {[}a{]} a-{}-b \textbackslash{}x"
    )


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", " =1", "＝1"])
def test_formulas_are_text_in_a_spreadsheet(text):
    assert spreadsheet(text) == "'" + text


@pytest.mark.parametrize("text", ["lstm", "a=b", "a-b", "", "hf:x/y"])
def test_plain_names_stay_plain_in_a_spreadsheet(text):
    assert spreadsheet(text) == text
