"""Records as Python hands them out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.results.collection import Results, load_results
from layerwise.results.records import RecordFile

REFERENCE = Path(__file__).parents[2] / "results" / "reference"


@pytest.fixture
def write(tmp_path):
    def make(name, *records):
        for record in records:
            RecordFile(tmp_path / name / "records.jsonl").append(record)
        return tmp_path / name

    return make


class TestLoading:
    def test_folders_and_files_are_read_together(self, unit, write):
        first = write("a", unit("lstm"))
        second = write("b", unit("cnn"))
        found = load_results(str(first), second / "records.jsonl")
        assert [record.key.encoder for record in found.records] == ["lstm", "cnn"]
        assert len(found) == 2 and found.problems == ()

    def test_damaged_lines_and_replaced_records_are_counted(self, unit, write):
        first = write("a", unit("lstm", value=0.1), unit("cnn"))
        second = write("b", unit("lstm", value=0.2), unit("cnn").model_copy(update={"layers": 9}))
        with (first / "records.jsonl").open("a") as stream:
            stream.write("{torn")
        found = load_results(first, second)
        assert [record.scores["accuracy"] for record in found.records] == [0.2, 0.9]
        torn, replaced = found.problems
        assert "records.jsonl:3: " in torn and torn.endswith("the line is left out")
        assert replaced.endswith("2 of its records replace other ones of their units")

    def test_the_same_file_twice_replaces_nothing(self):
        path = REFERENCE / "gum_open.jsonl"
        assert load_results(path, path) == load_results(path)

    def test_where_nothing_is_nothing_is_loaded(self, tmp_path):
        with pytest.raises(DataError, match="no records here; `probe run` makes them"):
            load_results(tmp_path)
        with pytest.raises(UsageError, match="no path is given"):
            load_results()


class TestTables:
    def test_names_are_a_sequence_or_a_text_with_commas(self):
        found = load_results(REFERENCE / "gum_open.jsonl")
        one = found.table("layer", "encoder", metric="macro_f1", where={"task": "pos"})
        same = found.table(["layer"], ("encoder",), ["macro_f1"], where={"task": ["pos"]})
        assert one == same
        assert one.table.by == ("layer",) and one.table.columns[0].metric == "macro_f1"
        two = found.table("layer, encoder", "", where={"task": "pos", "layer": (0, 1)})
        assert two.table.by == ("layer", "encoder")
        assert {row.layer for row in two.table.rows if not row.baseline} == {0, 1}

    def test_true_and_false_are_asked_for_as_such(self, unit):
        records = (unit(settings={"x": True}), unit(layer=1, settings={"x": False}))
        found = Results(records).table(where={"settings.x": True}).table
        assert [row.layer for row in found.rows] == [0]

    def test_a_table_prints_itself_and_is_saved(self, unit, tmp_path):
        found = Results((unit(interval=(0.8, 0.95)),)).table(intervals=True)
        assert "0.900 [0.800, 0.950]" in repr(found)
        assert "| 0.900 \\[0.800, 0.950\\] |" in found.to("md")
        assert "<td>0.900 [0.800, 0.950]</td>" in found._repr_html_()
        found.save(tmp_path / "t.tex")
        assert (tmp_path / "t.tex").read_text() == found.to("latex")
        found.save(str(tmp_path / "t.out"), "csv")
        assert (tmp_path / "t.out").read_text() == found.to("csv")


class TestNotebook:
    def test_the_page_is_the_table(self, unit):
        page = Results((unit(),))._repr_html_()
        assert page.startswith("<table>") and "<td>0.900</td>" in page

    def test_nothing_in_it_acts(self, unit):
        name = "<script>alert(1)</script>&\u202e"
        page = Results((unit(name, error=name, value=None), unit(name, layer=1)))._repr_html_()
        assert "<script" not in page and "\u202e" not in page
        assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&amp;") >= 2

    def test_where_fields_must_be_named_a_line_says_so(self, unit):
        records = tuple(unit("<b>", settings={"<i>": x}) for x in (1, 2))
        page = Results(records)._repr_html_()
        assert "they differ in settings.&lt;i&gt;" in page
        assert not re.search(r"<(?!/?p>)", page)
        assert "no records" in Results(())._repr_html_()


def test_what_there_is_in_a_line(unit):
    found = Results((unit(), unit("cnn", value=None)), ("a problem",))
    assert repr(found) == ("<Results: 2 records (1 failed), 2 encoders, 1 tasks; 1 problems>")


def test_loading_and_laying_out_loads_nothing_heavy():
    code = (
        "import sys; from layerwise.results.collection import load_results; "
        f"load_results({str(REFERENCE / 'speed.jsonl')!r})"
        ".table('encoder,layer', 'settings.batch_size,settings.length').to('md'); "
        "sys.exit(bool({'pandas', 'pyarrow', 'torch', 'sklearn', 'rich'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
