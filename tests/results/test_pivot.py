"""Pivots: every cell is what its records say, and nothing is mixed."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError, UsageError
from layerwise.results import speed, table
from layerwise.results.pivot import Layout, pivot
from layerwise.results.records import RecordFile
from layerwise.results.render import legend, number, row_labels

REFERENCE = Path(__file__).parents[2] / "results" / "reference"


def cells(found):
    """{(row's labels, column's labels, metric): cell}"""
    return {
        (row.labels, column.labels, column.metric): cell
        for row in found.rows
        for column, cell in zip(found.columns, row.cells, strict=True)
    }


def values(found):
    return {place: cell.value for place, cell in cells(found).items() if cell.value is not None}


@pytest.fixture(scope="module")
def reference():
    return RecordFile(REFERENCE / "gum_open.jsonl").read().records


@pytest.fixture(scope="module")
def times():
    return RecordFile(REFERENCE / "speed.jsonl").read().records


class TestCells:
    def test_the_default_is_the_table_of_show_without_its_extras(self, reference):
        plain = table.build(reference)
        main = [not column.extra for column in plain.columns]

        def rows(found, keep):
            return {
                row_labels(found, row): [
                    (c.status, c.value, c.interval, c.best)
                    for c, kept in zip(row.cells, keep, strict=True)
                    if kept
                ]
                for row in found.rows
            }

        found = pivot(reference)
        assert rows(found, [True] * len(found.columns)) == rows(plain, main)
        assert [c.task for c in found.columns] == [c.task for c in plain.columns if not c.extra]

    @pytest.mark.parametrize(
        "rows, columns, metric",
        [
            (("task", "encoder"), ("layer",), "accuracy"),
            (("layer",), ("task", "encoder"), "f1"),
            (("task",), ("encoder", "layer_name"), "dev_scores.cross_entropy_nats"),
            (("facts.encoder.dim", "encoder", "layer"), ("task",), "counts.test_targets"),
            (("provenance.layerwise", "fingerprint", "layer"), ("task",), "timing.score_seconds"),
            (("encoder", "layer"), ("task", "chosen.converged"), "baselines.majority.macro_f1"),
        ],
    )
    def test_any_layout_of_the_reference_says_what_the_file_says(
        self, reference, rows, columns, metric
    ):
        expected = {}
        for line in (REFERENCE / "gum_open.jsonl").read_text().splitlines():
            raw = json.loads(line)
            raw |= raw["key"]

            def walk(name, at):
                for part in name.split("."):
                    at = at.get(part) if isinstance(at, dict) else None
                return at

            place = [tuple(walk(n, raw) for n in names) for names in (rows, columns)]
            value = raw["scores"].get(metric, walk(metric, raw))
            if value is not None:
                texts = {None: "(unset)", True: "true", False: "false"}
                place = [
                    tuple(texts.get(v, v) if isinstance(v, bool | None) else v for v in part)
                    for part in place
                ]
                expected[(*place, metric)] = value
        found = pivot(reference, Layout(rows, columns, (metric,)))
        measured = {
            k: v for row in found.rows if not row.baseline for k, v in values_of(found, row)
        }
        assert measured == pytest.approx(expected, abs=0)
        assert len(expected) > 100 or metric == "f1"

    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def test_a_cell_is_the_mean_of_its_seeds_or_an_error(self, unit, data):
        fields = {
            "encoder": st.sampled_from(["lstm", "cnn"]),
            "task": st.sampled_from(["pos.v1", "coref.v1"]),
            "layer": st.integers(0, 1),
            "seed": st.integers(0, 2),
            "data": st.sampled_from(["gum", "ewt"]),
        }
        drawn = data.draw(
            st.lists(st.tuples(st.fixed_dictionaries(fields), st.floats(0, 1)), min_size=1)
        )
        keys = {tuple(sorted(key.items())): (key, value) for key, value in drawn}
        records = [unit(value=value, **key) for key, value in keys.values()]
        names = data.draw(st.permutations(["encoder", "task", "layer", "data"]))
        used = data.draw(st.integers(1, 4))
        split = data.draw(st.integers(1, used))
        rows, columns = tuple(names[:split]), tuple(names[split:used])
        units = defaultdict(lambda: defaultdict(list))
        for key, value in keys.values():
            place = tuple(tuple(key[n] for n in part) for part in (rows, columns))
            rest = tuple(key[n] for n in ("encoder", "task", "layer", "data"))
            units[place][rest].append(value)
        if any(len(of_place) > 1 for of_place in units.values()):
            with pytest.raises(UsageError, match="records fall into one cell"):
                pivot(records, Layout(rows, columns))
            return
        expected = {place: fmean(v) for place, of in units.items() for v in of.values()}
        found = pivot(records, Layout(rows, columns))
        assert {place[:2]: v for place, v in values(found).items()} == pytest.approx(expected)

    def test_what_is_missing_stays_missing_and_what_failed_says_so(self, unit):
        found = pivot(
            [unit(layer=0), unit(layer=1, value=None), unit(task="coref.v1", layer=1)],
        )
        states = {(p[0][1], p[1][0]): cell.status for p, cell in cells(found).items()}
        assert states == {
            (0, "pos.v1"): "ok",
            (1, "pos.v1"): "failed",
            (0, "coref.v1"): "missing",
            (1, "coref.v1"): "ok",
        }
        assert legend(found)[-1] == "failed: lstm, pos.v1, layer 1, seed 0: out of memory"

    def test_a_field_that_a_record_lacks_is_unset(self, unit):
        records = [unit(settings={"context": "document"}), unit("cnn")]
        found = pivot(records, Layout(columns=("settings.context",)))
        assert [column.task for column in found.columns] == ["context=(unset)", "context=document"]

    def test_a_number_and_its_text_are_two_labels(self, unit):
        records = [unit(settings={"x": x}) for x in (1, "1", True, "true", "a, b")]
        found = pivot(records, Layout(("settings.x",), ()))
        labels = [row_labels(found, row) for row in found.rows]
        assert sorted(labels) == [('"1"',), ('"a, b"',), ('"true"',), ("1",), ("true",)]

    def test_without_columns_there_is_one_of_scores(self, unit):
        (column,) = pivot([unit()], Layout(columns=())).columns
        assert (column.task, column.metric) == ("", "accuracy")


def values_of(found, row):
    for column, cell in zip(found.columns, row.cells, strict=True):
        if cell.value is not None:
            yield (row.labels, column.labels, column.metric), cell.value


class TestMixtures:
    def test_the_error_names_what_still_differs_and_not_what_follows_from_it(self, reference):
        for rows, told in (
            (("layer",), "differ in encoder; add encoder to either"),
            (("encoder",), "differ in layer; add layer to either"),
            (("data",), "differ in encoder, layer; add encoder and layer to either"),
        ):
            with pytest.raises(UsageError, match=told):
                pivot(reference, Layout(rows))

    def test_settings_weights_and_data_are_named(self, unit):
        contexts = [unit(settings={"context": c}) for c in ("document", "sentence")]
        with pytest.raises(UsageError, match=r"differ in settings\.context; add settings\.context"):
            pivot(contexts)
        assert len(pivot(contexts, Layout(("encoder", "settings.context", "layer"))).rows) == 2
        with pytest.raises(UsageError, match=r"2 records .* differ in fingerprint;"):
            pivot([unit(fingerprint="a"), unit(fingerprint="b")])
        with pytest.raises(UsageError, match="differ in data_hash;"):
            pivot([unit(data_hash="a"), unit(data_hash="b")])
        for pair in ((1, True), (1, 1.0), (0, False), (1, "1")):
            with pytest.raises(UsageError, match=r"differ in settings\.x;"):
                pivot([unit(settings={"x": x}) for x in pair])

    def test_seeds_are_averaged_with_their_number_stated(self, unit):
        found = pivot([unit(seed=seed, value=v) for seed, v in enumerate([0.5, 0.6, 0.9])])
        (cell,) = found.cells
        assert cell.value == pytest.approx(fmean([0.5, 0.6, 0.9]))
        assert cell.values == (0.5, 0.6, 0.9)
        assert "each score is the mean of n=3 seeds" in found.notes
        assert len(pivot([unit(seed=0), unit(seed=1)], Layout(("seed", "layer"))).rows) == 2

    def test_the_interval_is_the_mean_of_the_seeds_intervals_if_all_have_one(self, unit):
        both = [unit(seed=0, interval=(0.7, 0.9)), unit(seed=1, interval=(0.8, 1.0))]
        assert pivot(both).cells[0].interval == pytest.approx((0.75, 0.95))
        assert pivot([*both, unit(seed=2)]).cells[0].interval is None

    def test_a_failed_seed_is_marked(self, unit):
        found = pivot([unit(seed=0, value=0.5), unit(seed=1, value=None)])
        assert found.cells[0].value == 0.5 and found.cells[0].partial

    def test_two_scores_are_never_averaged_as_seeds(self, unit):
        records = [unit(seed=0), unit(seed=1, metric="macro_f1")]
        with pytest.raises(UsageError, match="differ in metric;"):
            pivot(records, Layout(("encoder", "layer"), ()))
        found = pivot(records)
        assert [column.metric for column in found.columns] == ["accuracy", "macro_f1"]

    def test_what_a_reader_would_take_for_one_is_told(self, unit):
        found = pivot([unit("a", layer=0), unit("b", layer=1)], Layout(("layer",)))
        assert [n for n in found.notes if "differ" in n] == [
            "cells differ in encoder too, which stands neither in rows nor in columns"
        ]
        assert not [note for note in pivot([unit("a"), unit("b")]).notes if "differ" in note]

    def test_a_later_record_of_a_unit_replaces_the_earlier(self, unit):
        assert pivot([unit(value=0.1), unit(value=0.2)]).cells[0].values == (0.2,)


class TestMarks:
    def marks(self, found):
        at = cells(found).items()
        return (
            {place[:2] for place, cell in at if cell.best},
            {place[:2] for place, cell in at if cell.leads},
        )

    def records(self, unit, metric="accuracy"):
        scores = {"a": [0.5, 0.7, 0.6], "b": [0.9, 0.8, 0.9], "one": [0.2]}
        return [
            unit(e, "x.v1", i, v, metric=metric)
            for e, vs in scores.items()
            for i, v in enumerate(vs)
        ]

    def test_the_best_layer_of_each_encoder_and_the_best_of_all_encoders(self, unit):
        best, leads = self.marks(pivot(self.records(unit)))
        assert best == {(("a", 1), ("x.v1",)), (("b", 0), ("x.v1",)), (("b", 2), ("x.v1",))}
        assert leads == {(("b", 0), ("x.v1",)), (("b", 2), ("x.v1",))}

    def test_it_is_the_same_in_a_table_turned_over(self, unit):
        found = pivot(self.records(unit), Layout(("task", "layer"), ("encoder",)))
        best, leads = self.marks(found)
        assert best == {(("x.v1", 1), ("a",)), (("x.v1", 0), ("b",)), (("x.v1", 2), ("b",))}
        assert leads == {(("x.v1", 0), ("b",)), (("x.v1", 2), ("b",))}

    def test_of_a_cost_the_lowest(self, unit):
        best, leads = self.marks(pivot(self.records(unit, "codelength_bits")))
        assert best == {(("a", 0), ("x.v1",)), (("b", 1), ("x.v1",))}
        assert leads == {(("one", 0), ("x.v1",))}

    @pytest.mark.parametrize(
        "metric, top",
        [("scores.cross_nats", 1), ("dev_scores.accuracy", 0), ("timing.fit_seconds", 1)],
    )
    def test_a_dotted_name_has_the_direction_of_its_last_part(self, unit, metric, top):
        section, name = metric.split(".")
        records = [
            unit(layer=i).model_copy(update={section: {"accuracy": 0.5, name: v}})
            for i, v in enumerate([2.0, 1.0])
        ]
        found = pivot(records, Layout(metrics=(metric,)))
        assert [cell.best for cell in found.cells] == [top == 0, top == 1]

    def test_a_count_and_what_only_describes_have_no_best(self, unit):
        records = [
            unit(layer=i, extra={"cosine": i}).model_copy(update={"counts": {"targets": i}})
            for i in range(2)
        ]
        found = pivot(records, Layout(metrics=("counts.targets", "cosine")))
        assert not any(cell.best or cell.leads for cell in found.cells)

    def test_one_layer_or_one_encoder_alone_is_no_best(self, unit):
        best, leads = self.marks(pivot([unit("a"), unit("b", "coref.v1")]))
        assert not best and not leads

    def test_scores_of_different_names_are_not_compared(self, unit):
        records = [unit("a", metric="f1", value=0.9), unit("b", metric="accuracy", value=0.1)]
        found = pivot(records, Layout(("encoder",), ()))
        assert [column.metric for column in found.columns] == ["accuracy or f1"]
        assert not any(cell.leads for cell in found.cells)

    def test_the_legend_explains_both(self, unit):
        lines = legend(pivot(self.records(unit)))
        assert lines[:2] == [
            "* best layer of the encoder by the score shown",
            "‡ best of all encoders by the score shown",
        ]


class TestOrder:
    def test_controls_stand_after_the_encoders_and_baselines_below(self, unit):
        names = ["onehot:64", "lstm+random", "b10", "b9", "random-vectors", "lstm+random7", "x"]
        found = pivot([unit(name, baselines={"majority": 0.2, "a": 0.1}) for name in names])
        assert [row.labels[0] for row in found.rows] == [
            *("b9", "b10", "x"),
            *("lstm+random", "lstm+random7", "onehot:64", "random-vectors"),
            *("majority", "a"),
        ]
        assert [row.labels[1] for row in found.rows[-2:]] == [None, None]

    def test_layers_are_sorted_as_numbers(self, unit):
        found = pivot([unit(layer=layer) for layer in (10, 2, 0)], Layout(("layer",), ()))
        assert [row.labels for row in found.rows] == [(0,), (2,), (10,)]

    def test_a_baseline_is_one_for_each_task_where_rows_name_the_task(self, unit):
        records = [
            unit(e, t, baselines={"majority": v})
            for t, v in (("pos.v1", 0.25), ("coref.v1", 0.5))
            for e in ("a", "b")
        ]
        for rows, labels in (
            (("task",), [("majority: coref.v1",), ("majority: pos.v1",)]),
            (("layer", "task"), [("majority", "coref.v1"), ("majority", "pos.v1")]),
        ):
            found = pivot(records, Layout(rows, ("encoder",)))
            below = [row for row in found.rows if row.baseline]
            assert [row.labels for row in below] == labels
            assert [[c.value for c in row.cells] for row in below] == [[0.5] * 2, [0.25] * 2]

    def test_a_baseline_stands_under_the_scores_that_it_is_of(self, unit):
        one, other = (
            unit(layer=i, metric=m).model_copy(update={"baselines": {"b": {"accuracy": i, m: i}}})
            for i, m in enumerate(["accuracy", "macro_f1"])
        )
        found = pivot([one, other])
        assert [cell.value for cell in found.rows[-1].cells] == [0, 1]

    def test_a_baseline_that_differs_within_a_column_is_a_range(self, unit):
        records = [
            unit(e, baselines={"majority": v}, settings={"split": e})
            for e, v in (("a", 0.25), ("b", 0.5))
        ]
        (cell,) = pivot(records).rows[-1].cells
        assert (cell.status, cell.interval) == ("range", (0.25, 0.5))


class TestWhere:
    def test_a_value_or_several_and_the_task_without_its_version(self, reference):
        found = pivot(reference, where={"task": ["pos"], "layer": ["0", "2"]})
        assert {c.task for c in found.columns} == {"pos.v1"}
        assert {row.layer for row in found.rows if not row.baseline} == {0, 2}
        assert {"only where task=pos", "only where layer=0 or 2"} <= set(found.notes)

    @pytest.mark.parametrize(
        "where, kind, told",
        [
            ({"task": ["poss"]}, UsageError, "no record has task=poss; did you mean pos"),
            ({"layer": ["9"]}, UsageError, "no record has layer=9; known: 0, 1, 2"),
            ({"tsak": ["pos"]}, UsageError, "no record has 'tsak'; did you mean task"),
            ({"zzz": ["pos"]}, UsageError, "a field is encoder, .* or a dotted name"),
            ({"encoder": ["lstm"], "layer": ["6"]}, DataError, "encoder=lstm and layer=6"),
        ],
    )
    def test_what_no_record_says_is_an_error(self, reference, where, kind, told):
        with pytest.raises(kind, match=f"--where: .*{told}"):
            pivot(reference, where=where)

    def test_no_records_make_no_table(self):
        with pytest.raises(DataError, match="no records"):
            pivot([])

    @pytest.mark.parametrize(
        "layout, told",
        [
            (Layout(("encoder", "layr")), "--rows: no record has 'layr'; did you mean layer"),
            (Layout(columns=("tsk",)), "--columns: no record has 'tsk'; did you mean task"),
            (Layout(metrics=("acuracy",)), "--metric: no record has 'acuracy'; did you mean acc"),
            (Layout(("layer", "layer")), "--rows: 'layer' is named twice"),
            (Layout(("task", "layer")), "--rows: 'task' is named twice"),
            (Layout(()), "--rows: no field is named"),
            (Layout(("value",)), "--rows: 'value' stands in the cells"),
        ],
    )
    def test_a_layout_that_cannot_be(self, reference, layout, told):
        with pytest.raises(UsageError, match=told):
            pivot(reference, layout)

    def test_what_is_no_number_is_no_metric(self, reference):
        for name in ("chosen.converged", "provenance.platform"):
            with pytest.raises(UsageError, match=f"--metric: no record has '{name}'"):
                pivot(reference, Layout(metrics=(name,)))


class TestColumns:
    def test_several_metrics_stand_side_by_side_in_the_order_asked_for(self, unit):
        records = [unit(t, extra={"macro_f1": 0.5}) for t in "ab"]
        found = pivot(records, Layout(metrics=("macro_f1", "accuracy")))
        assert [c.metric for c in found.columns] == ["macro_f1", "accuracy"]

    def test_strata_stand_beside_their_score(self, unit):
        extra = {"f1[b]": 0.2, "f1[a]": 0.1, "recall[a]": 0.3}
        records = [unit(task="coref.v1", extra=extra), unit(task="pos.v1")]
        own = pivot(records, Layout(strata=True))
        assert [c.metric for c in own.columns] == ["f1", "f1[a]", "f1[b]", "recall[a]", "accuracy"]
        asked = pivot(records, Layout(metrics=("f1",), strata=True), {"task": ["coref"]})
        assert values(asked) == {
            (("lstm", 0), ("coref.v1",), m): v
            for m, v in (("f1", 0.9), ("f1[a]", 0.1), ("f1[b]", 0.2))
        }

    def test_a_failed_unit_fails_in_the_columns_of_its_strata(self, unit):
        records = [unit(extra={"accuracy[a]": 0.1}), unit(layer=1, value=None)]
        found = pivot(records, Layout(strata=True))
        assert [cell.status for cell in found.rows[1].cells] == ["failed", "failed"]

    def test_what_is_no_score_keeps_its_digits(self):
        for value, metric, text in (
            (26579.0, "counts.targets", "26579"),
            (123456789.0, "counts.bytes", "123456789"),
            (3e-7, "chosen.gap", "3e-07"),
            (7996.5, "counts.targets", "7996.5"),
            (3.16227766, "chosen.l2", "3.16228"),
            (2.0, "timing.fit_seconds", "2.000"),
        ):
            assert number(value, metric) == text


class TestSpeed:
    def test_times_are_left_out_with_a_count_unless_asked_for(self, reference, times):
        found = pivot([*reference, *times])
        assert "88 records of times are left out; --speed shows them" in found.notes
        assert {c.task for c in found.columns} == {r.key.task for r in reference}

    def test_times_stand_beside_the_scores_as_in_show(self, reference, times):
        both = [*reference, *times]
        found = pivot(both, where={"task": ["pos"]}, with_speed=True)
        shown = speed.beside(table.build(reference), both)

        def column(of):
            cell = {row_labels(of, row): row.cells[-1] for row in of.rows}
            return of.columns[-1].metric, {k: c.value for k, c in cell.items() if c.value}

        assert column(found) == column(shown)
        assert len(column(found)[1]) == 22
        assert not [note for note in found.notes if "left out" in note]

    def test_rows_must_stand_for_a_layer_of_an_encoder(self, reference, times):
        layout = Layout(("layer",), ("encoder",))
        with pytest.raises(UsageError, match=r"--speed: no row stands .*; --rows encoder,layer"):
            pivot([*reference, *times], layout, {"task": ["pos"]}, with_speed=True)

    def test_times_alone_are_laid_out_too_with_the_least_marked(self, times):
        layout = Layout(columns=("settings.batch_size", "settings.length"))
        found = pivot(times, layout, {"encoder": ["lstm", "transformer"]})
        raw = {
            (r.key.encoder, r.key.layer): r.scores["milliseconds"]
            for r in times
            if (r.key.settings["batch_size"], r.key.settings["length"]) == (1, 20)
        }
        assert found.columns[0].task == "batch_size=1, length=20"
        for row in found.rows:
            assert row.cells[0].value == raw[row.labels]
            assert row.cells[0].best == (row.layer == 0)
