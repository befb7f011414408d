"""Tables: nothing mixed, nothing invented, the best marked."""

from __future__ import annotations

import random

import pytest

from layerwise.core.errors import DataError
from layerwise.results.frame import frame
from layerwise.results.render import legend
from layerwise.results.table import Cell, Column, build


def grid(table):
    """{(row, variant, layer): {task: cell}}"""
    return {
        (row.name, row.variant, row.layer): {
            column.task: cell for column, cell in zip(table.columns, row.cells, strict=True)
        }
        for row in table.rows
    }


def test_layers_stand_in_order_under_their_encoder_whatever_the_order_of_the_file(unit):
    records = [unit(e, t, layer) for e in ("b10", "b9") for t in ("pos.v1",) for layer in range(12)]
    table = build(records)
    assert [(row.name, row.layer) for row in table.rows] == [
        (name, layer) for name in ("b9", "b10") for layer in range(12)
    ]
    assert table.rows[0].layer_name == "words"
    random.Random(0).shuffle(records)
    assert build(records) == table


def test_columns_carry_their_metric(unit):
    table = build([unit(task="pos.v1"), unit(task="coref.v1")])
    assert table.columns == (Column("coref.v1", "f1"), Column("pos.v1", "accuracy"))


def test_one_task_with_two_metrics_has_two_columns(unit):
    table = build([unit(layer=0), unit(layer=1, metric="macro_f1")])
    assert [column.metric for column in table.columns] == ["accuracy", "macro_f1"]
    assert [cell.status for cell in table.cells] == ["ok", "missing", "missing", "ok"]


def test_what_is_missing_stays_missing_and_what_failed_says_so(unit):
    table = build([unit(layer=0), unit(layer=1, value=None), unit(task="coref.v1", layer=1)])
    cells = grid(table)
    assert cells["lstm", "", 0]["coref.v1"] == Cell()
    assert cells["lstm", "", 1]["pos.v1"] == Cell(status="failed")
    (failure,) = table.failures
    assert (failure.layer, failure.error) == (1, "out of memory")


def test_the_best_layer_is_marked_per_encoder_and_task(unit):
    values = {"a": [0.5, 0.7, 0.6], "b": [0.9, 0.8, 0.9]}
    records = [unit(e, layer=i, value=v) for e, vs in values.items() for i, v in enumerate(vs)]
    records += [unit("a", "coref.v1", i, v) for i, v in enumerate([0.3, 0.2])]
    records += [unit("one", layer=0, value=0.99)]
    best = {
        (name, layer, task)
        for (name, _, layer), cells in grid(build(records)).items()
        for task, cell in cells.items()
        if cell.best
    }
    assert best == {
        ("a", 1, "pos.v1"),
        ("a", 0, "coref.v1"),
        ("b", 0, "pos.v1"),
        ("b", 2, "pos.v1"),
    }


def test_of_a_cost_the_lowest_is_best(unit):
    records = [unit(layer=i, value=v, metric="codelength_bits") for i, v in enumerate([9.0, 5.0])]
    assert [cell.best for cell in build(records).cells] == [False, True]


BOTH = {"control_accuracy": 0.5, "selectivity": 0.4, "codelength_bits": 9.0, "compression": 3.0}


def test_selectivity_and_compression_stand_beside_the_main_score_where_measured(unit):
    table = build(
        [
            unit(extra=BOTH),
            unit(layer=1),
            unit(layer=2, value=None),
            unit(task="deprel.v1", extra={"compression": 2.0}),
            unit(task="coref.v1", value=None),
        ]
    )
    assert [(column.task, column.metric) for column in table.columns] == [
        ("coref.v1", "f1"),
        ("deprel.v1", "accuracy"),
        ("deprel.v1", "compression"),
        ("pos.v1", "accuracy"),
        ("pos.v1", "selectivity"),
        ("pos.v1", "compression"),
    ]
    assert [cell.value for cell in table.rows[0].cells] == [None, 0.9, 2.0, 0.9, 0.4, 3.0]
    assert [cell.status for cell in table.rows[1].cells[3:]] == ["ok", "missing", "missing"]
    assert {cell.status for cell in table.rows[2].cells[3:]} == {"failed"}


def test_extras_have_neither_intervals_nor_baselines(unit):
    scores = {"selectivity": 0.3}
    table = build([unit(interval=(0.8, 0.95), extra=scores, baselines={"majority": 0.2})])
    assert [cell.interval for cell in table.rows[0].cells] == [(0.8, 0.95), None]
    assert table.rows[1].cells[1] == Cell()


def test_the_highest_selectivity_and_compression_are_best(unit):
    several = [(0.9, 0.1, 2.0), (0.8, 0.3, 2.5), (0.7, -0.2, 4.0)]
    table = build(
        [
            unit(layer=i, value=value, extra={"selectivity": s, "compression": c})
            for i, (value, s, c) in enumerate(several)
        ]
    )
    assert [[cell.best for cell in row.cells] for row in table.rows] == [
        [True, False, False],
        [False, True, False],
        [False, False, True],
    ]


def test_a_seed_without_an_extra_does_not_count_as_zero(unit):
    table = build(
        [
            unit(seed=0, extra={"selectivity": 0.2}),
            unit(seed=1, extra={"selectivity": 0.4}),
            unit(seed=2),
        ]
    )
    assert table.cells[1].values == (0.2, 0.4)
    assert table.cells[1].value == pytest.approx(0.3)
    assert any("n=2–3 seeds, not the same number everywhere" in note for note in table.notes)


def test_extras_of_one_task_under_two_metrics_are_not_mixed(unit):
    one = unit(extra={"selectivity": 0.2})
    table = build([one, unit(layer=1, metric="macro_f1", extra={"selectivity": 0.4})])
    metrics = [column.metric for column in table.columns]
    assert metrics == ["accuracy", "selectivity", "macro_f1", "selectivity"]
    assert [cell.value for cell in table.cells] == [0.9, 0.2, None, None, None, None, 0.9, 0.4]


def test_an_extra_that_is_the_main_score_has_one_column(unit):
    table = build([unit(metric="compression", value=2.0)])
    assert table.columns == (Column("pos.v1", "compression"),)


def test_seeds_are_averaged_and_counted(unit):
    records = [
        unit(seed=seed, value=value, interval=(value - 0.1, value + 0.05))
        for seed, value in enumerate([0.8, 0.9, 0.7])
    ]
    table = build(records)
    (cell,) = table.cells
    assert cell.value == pytest.approx(0.8)
    assert cell.values == (0.8, 0.9, 0.7)
    assert cell.interval == pytest.approx((0.7, 0.85))
    assert any("n=3 seeds" in note for note in table.notes)


def test_a_failed_seed_is_told_of_and_does_not_count(unit):
    records = [unit(seed=0, value=0.8), unit(seed=1, value=None), unit(layer=1, seed=0)]
    table = build(records)
    cell = table.cells[0]
    assert (cell.value, cell.partial, cell.values) == (0.8, True, (0.8,))
    assert any("some seeds failed" in line for line in legend(table))
    assert any("seed 1: out of memory" in line for line in legend(table))


def test_unequal_numbers_of_seeds_are_told_of(unit):
    table = build([unit(seed=0), unit(seed=1), unit(layer=1)])
    assert any("n=1–2 seeds, not the same number everywhere" in note for note in table.notes)


def test_an_interval_that_one_seed_lacks_is_not_shown(unit):
    table = build([unit(seed=0, interval=(0.8, 0.95)), unit(seed=1)])
    assert table.cells[0].interval is None


def test_a_mean_of_equal_seeds_ties_with_a_single_one(unit):
    records = [unit(seed=seed, value=0.1) for seed in range(3)] + [unit(layer=1, value=0.1)]
    assert [cell.best for cell in build(records).cells] == [True, True]


def test_the_same_record_twice_counts_once(unit):
    record = unit()
    assert build([record, record]) == build([record])


@pytest.mark.parametrize(
    ("one", "other", "labels"),
    [
        (
            {"settings": {"context": "document"}},
            {"settings": {"context": "sentence"}},
            ["context=document", "context=sentence"],
        ),
        ({"settings": {"k": 1}}, {"settings": {}}, ["k=1", "k=(unset)"]),
        ({"settings": {"k": 1}}, {"settings": {"k": "1"}}, ["k=1", 'k="1"']),
        ({"settings": {"k": 1}}, {"settings": {"k": True}}, ["k=1", "k=true"]),
        (
            {"settings": {"k": "(unset)"}},
            {"settings": {}},
            ['k="(unset)"', "k=(unset)"],
        ),
        (
            {"settings": {"a": "1, b=2"}},
            {"settings": {"a": "1", "b": "2"}},
            ['a="1", b="2"', 'a="1, b=2", b=(unset)'],
        ),
        ({"data": "gum"}, {"data": "ewt"}, ["data=ewt", "data=gum"]),
        ({"probe": "linear.v1"}, {"probe": "mlp.v1"}, ["probe=linear.v1", "probe=mlp.v1"]),
        (
            {"fingerprint": "abcdefghij1"},
            {"fingerprint": "abcdefghij2"},
            ["fingerprint=abcdefghij1", "fingerprint=abcdefghij2"],
        ),
        (
            {"data_hash": "1" * 64},
            {"data_hash": "2" * 64},
            ["data_hash=11111111", "data_hash=22222222"],
        ),
    ],
)
def test_units_that_differ_never_share_a_row(one, other, labels, unit):
    table = build([unit(value=0.8, **one), unit(value=0.9, **other)])
    assert [row.variant for row in table.rows] == labels
    assert all(len(cell.values) == 1 for cell in table.cells)


def test_differing_weights_are_told_apart_even_across_tasks(unit):
    table = build([unit(fingerprint="a" * 64), unit(task="coref.v1", fingerprint="b" * 64)])
    assert [row.variant for row in table.rows] == ["fingerprint=aaaaaaaa", "fingerprint=bbbbbbbb"]


def test_settings_that_differ_only_between_tasks_share_rows(unit):
    table = build(
        [unit(settings={"pool": "none"}), unit(task="coref.v1", settings={"pair": "concat"})]
    )
    assert [(row.variant, [c.status for c in row.cells]) for row in table.rows] == [
        ("", ["ok", "ok"])
    ]


def test_another_task_joins_the_row_whose_value_it_has(unit):
    table = build(
        [
            unit(settings={"context": "document"}),
            unit(settings={"context": "sentence"}),
            unit(task="coref.v1", settings={"context": "document"}),
        ]
    )
    cells = grid(table)
    assert cells["lstm", "context=document", 0]["coref.v1"].status == "ok"
    assert cells["lstm", "context=sentence", 0]["coref.v1"].status == "missing"


def test_baselines_stand_below_once_for_all_encoders(unit):
    given = {"per-type majority": 0.7, "control": 0.4, "majority": 0.2}
    table = build([unit(e, layer=i, baselines=given) for e in "ab" for i in range(2)])
    rows = [row for row in table.rows if row.layer is None]
    assert rows == list(table.rows[-3:])
    assert [(row.name, row.cells[0].value) for row in rows] == [
        ("majority", 0.2),
        ("per-type majority", 0.7),
        ("control", 0.4),
    ]
    assert not any(cell.best for row in rows for cell in row.cells)


def test_baselines_of_different_data_are_kept_apart(unit):
    table = build(
        [
            unit("a", data="gum", data_hash="1", baselines={"majority": 0.2}),
            unit("b", data="ewt", data_hash="2", baselines={"majority": 0.3}),
        ]
    )
    rows = [row for row in table.rows if row.layer is None]
    assert [(row.variant, row.cells[0].value) for row in rows] == [
        ("data=ewt", 0.3),
        ("data=gum", 0.2),
    ]


def test_a_baseline_that_differs_on_the_same_data_shows_its_range(unit):
    table = build([unit(layer=i, baselines={"control": v}) for i, v in enumerate([0.4, 0.5, 0.45])])
    cell = table.rows[-1].cells[0]
    assert (cell.status, cell.value, cell.interval) == ("range", None, (0.4, 0.5))
    assert any("differs" in line for line in legend(table))


def test_the_notes_name_data_and_probe(unit):
    notes = build([unit(), unit(task="coref.v1", data="gum")]).notes
    assert "data: builtin (pos.v1); gum (coref.v1)" in notes
    assert "probe: linear.v1" in notes


def test_layers_that_failed_alike_share_a_line(unit):
    table = build([unit(layer=i, value=None, error="disk full") for i in (0, 1, 2)])
    assert legend(table)[-1] == "failed: lstm, pos.v1, layers 0, 1, 2, seed 0: disk full"


def test_names_with_endless_digits_are_sorted_too(unit):
    names = ["x" + "9" * 5000, "x10", "x9"]
    assert [row.name for row in build([unit(name) for name in names]).rows] == names[::-1]


def test_no_records_make_no_table():
    with pytest.raises(DataError, match="no records"):
        build([])


def test_a_frame_is_flat_and_even(unit):
    rows = frame(
        [
            unit(settings={"context": "document"}, interval=(0.8, 0.95)),
            unit(layer=1, value=None, baselines={"majority": 0.2}),
        ]
    )
    assert list(rows[0]) == list(rows[1])
    assert [row["value"] for row in rows] == [0.9, None]
    assert [row["low"] for row in rows] == [0.8, None]
    assert [row["settings.context"] for row in rows] == ["document", None]
    assert [row["baselines.majority.accuracy"] for row in rows] == [None, 0.2]
    assert rows[0]["scores.accuracy"] == 0.9
    assert rows[0]["encoder"] == "lstm"
    assert not any(isinstance(value, dict) for row in rows for value in row.values())
    assert frame([]) == []


def test_the_notes_count_probes_that_were_not_fitted_well(unit):
    good, loose, edge = (
        unit(layer=layer).model_copy(
            update={"chosen": {"converged": layer != 1, "l2_is_at_the_edge": layer == 2}}
        )
        for layer in range(3)
    )
    notes = build([good, loose, edge]).notes
    assert "1 of 3 probes did not reach their optimum" in notes
    assert "1 of 3 probes chose an L2 at the end of the grid" in notes
    assert not [note for note in build([good]).notes if "of 1 probes" in note]
