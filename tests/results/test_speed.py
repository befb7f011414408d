"""Tables of times, and times beside scores: nothing joined that is not the same encoder."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from layerwise.core.errors import DataError
from layerwise.results import render, table
from layerwise.results.records import Key, Record
from layerwise.results.speed import REACHED, beside, build, split

CPU = "cpu: Some"


def cost(
    milliseconds: float | None,
    layer: int = 0,
    encoder: str = "lstm",
    *,
    batch: int = 1,
    length: int = 20,
    device: str = CPU,
    threads: int = 2,
    fingerprint: str = "",
    **changes: Any,
) -> Record:
    """An invented time; None makes a failed one."""
    good = milliseconds is not None
    scores = {}
    if milliseconds is not None:
        scores = {
            "milliseconds": milliseconds,
            "milliseconds_q25": milliseconds - 0.25,
            "milliseconds_q75": milliseconds + 0.5,
            "words_per_second": 1e3 * batch * length / milliseconds,
            "peak_megabytes": 1.5 * batch * length,
        }
    key = Key(
        encoder=encoder,
        fingerprint=fingerprint or f"{encoder}-weights",
        task="speed.v1",
        data="builtin",
        data_hash=f"{batch} {length}",
        layer=layer,
        probe="stopwatch.v1",
        seed=0,
        settings={"batch_size": batch, "length": length, "device": device, "threads": threads},
    )
    return Record(
        key=key,
        layer_name="words" if layer == 0 else f"block {layer}",
        layers=3,
        status="ok" if good else "failed",
        error=None if good else "out of memory",
        metric="milliseconds",
        scores=scores,
        counts={"repeats": 7, "texts": batch, "words": batch * length, **changes.pop("counts", {})},
        facts={"cost": REACHED, "precision": "float32", "kernels": ["step loop"]}
        | changes.pop("facts", {}),
        timing={"encode_seconds": 0.5, "prepare_seconds": 0.125, "forward_seconds": 0.25}
        | changes.pop("timing", {}),
        provenance={"packages": {"torch": "9.9"}},
        **changes,
    )


def grid(of: table.Table) -> dict[tuple[str, str, int | None], list[float | None]]:
    return {(r.name, r.variant, r.layer): [cell.value for cell in r.cells] for r in of.rows}


class TestTable:
    def test_layers_stand_against_sizes_with_time_and_rate(self) -> None:
        costs = [cost(2.0 + layer, layer, batch=b) for b in (64, 1) for layer in (0, 1)]
        built = build([*costs, cost(9.0, 1, length=128)])
        assert [f"{c.task} {c.metric}" for c in built.columns] == [
            *("batch 1, 20 words ms", "batch 1, 20 words words/s"),
            *("batch 1, 128 words ms", "batch 1, 128 words words/s"),
            *("batch 64, 20 words ms", "batch 64, 20 words words/s"),
        ]
        cells = grid(built)
        assert cells["lstm", "", 0] == [2.0, 10_000, None, None, 2.0, 640_000]
        assert cells["lstm", "", 1][2] == 9.0

    def test_below_stands_what_is_no_part_of_the_model(self) -> None:
        cells = grid(build([cost(2.0), cost(3.0, 1)]))
        assert cells["lstm: before the model", "", None] == [125.0, 160.0]
        assert cells["lstm: all of encode", "", None] == [500.0, 40.0]

    def test_an_interval_is_of_quartiles_and_says_so(self) -> None:
        built = build([cost(2.0)])
        assert built.rows[0].cells[0].interval == (1.75, 2.5)
        assert built.interval_note == "[low, high]: quartiles over 7 repeats"
        assert render.shown(built.rows[0].cells[0], "ms", intervals=True) == "2.00 [1.75, 2.50]"

    def test_no_layer_is_called_the_best(self) -> None:
        built = build([cost(2.0), cost(3.0, 1)])
        assert not any(cell.best for cell in built.cells)

    def test_machines_and_weights_never_share_a_row(self) -> None:
        costs = [
            cost(2.0),
            cost(1.0, device="cuda: Big"),
            cost(3.0, threads=8),
            cost(4.0, fingerprint="other"),
        ]
        rows = [row for row in build(costs).rows if row.layer == 0]
        assert sorted(row.cells[0].value or 0 for row in rows) == [1, 2, 3, 4]
        assert len({row.variant for row in rows}) == 4

    def test_sizes_alone_set_no_rows_apart(self) -> None:
        built = build([cost(2.0), cost(3.0, batch=64), cost(4.0, length=512)])
        assert [row.layer for row in built.rows] == [0, None, None]

    def test_what_failed_says_so(self) -> None:
        built = build([cost(2.0), cost(None, length=512)])
        assert [cell.status for cell in built.rows[0].cells] == ["ok", "ok", "failed", "failed"]
        lines = render.legend(built)
        assert lines[-1] == "failed: lstm, batch 1, 512 words, layer 0, seed 0: out of memory"

    def test_all_failed_is_a_table_too(self) -> None:
        built = build([cost(None)])
        assert built.interval_note == "" and built.rows[0].cells[0].status == "failed"
        assert "out of memory" in render.to_markdown(built)

    def test_a_later_record_of_a_unit_counts(self) -> None:
        assert build([cost(2.0), cost(5.0)]).rows[0].cells[0].value == 5.0

    def test_there_must_be_times(self, unit: Any) -> None:
        with pytest.raises(DataError, match="run `probe time` first"):
            build([unit()])

    def test_every_format_has_it(self) -> None:
        built = build([cost(2.0), cost(1234.5678, 1)])
        for renderer in render.FORMATS.values():
            text = renderer(built)
            assert "1234.57" in text and "2.00" in text
        assert "10000" in render.to_csv(built) and "10000.0" not in render.to_csv(built)


class TestNotes:
    def note(self, *costs: Record) -> str:
        return "\n".join(build(costs).notes)

    def test_the_machine_the_kernels_and_the_memory(self) -> None:
        notes = self.note(cost(2.0), cost(3.0, batch=64, length=512))
        assert "on cpu: Some, 2 threads, torch 9.9" in notes
        assert "lstm: float32, step loop" in notes
        peak = "30 MB at batch 1, 20 words; 4.915e+04 MB at batch 64, 512 words"
        assert f"lstm: peak of a pass {peak}" in notes

    def test_windows_are_told(self) -> None:
        notes = self.note(cost(2.0), cost(3.0, length=512, counts={"windows": 7}))
        assert "lstm: longer than its window: 7 windows a text at batch 1, 512 words" in notes
        assert "window" not in self.note(cost(2.0, counts={"windows": 1}))

    def test_a_whole_without_layers_is_told(self) -> None:
        told = "all of encode: it calls no torch module"
        assert f"lstm: {told}" in self.note(cost(2.0, facts={"cost": told}))
        assert REACHED not in self.note(cost(2.0))

    def test_what_the_marks_cost(self) -> None:
        notes = self.note(
            cost(2.0, timing={"marked_forward_seconds": 0.255}),
            cost(2.0, 1, timing={"marked_forward_seconds": 0.24}),
        )
        assert "changed a pass by -1.0 % (median; -4.0 to +2.0)" in notes

    def test_a_busy_machine_is_told(self) -> None:
        assert "passes had from 40 % of one" in self.note(cost(2.0, facts={"processor_share": 0.4}))
        assert "other work" not in self.note(cost(2.0, facts={"processor_share": 0.99}))


class TestBeside:
    def joined(self, records: list[Record]) -> table.Table:
        return beside(table.build(split(records)[0]), records)

    def test_a_layers_time_stands_beside_its_score(self, unit: Any) -> None:
        scores = [unit(e, layer=k, value=0.5 + k / 10) for e in ("gru", "lstm") for k in (0, 1)]
        costs = [cost(2.0 + k, k, e) for e in ("lstm", "gru") for k in (0, 1)]
        built = self.joined([*scores, *costs])
        column = built.columns[-1]
        assert (column.task, column.metric) == ("speed.v1", "ms (batch 1, 20 words)")
        assert grid(built)["lstm", "", 1] == [0.6, 3.0] and grid(built)["gru", "", 0] == [0.5, 2.0]

    def test_other_weights_of_that_name_are_another_encoder(self, unit: Any) -> None:
        built = self.joined([unit(), unit(fingerprint="new"), cost(2.0), cost(9.0, 1)])
        values = {row.variant: row.cells[-1].value for row in built.rows}
        assert values == {"fingerprint=lstm-wei": 2.0, "fingerprint=new": None}

    def test_an_encoder_of_another_name_with_the_same_weights_is_the_same(self, unit: Any) -> None:
        built = self.joined(
            [unit("mine", fingerprint="w"), cost(2.0, encoder="x", fingerprint="w")]
        )
        assert built.rows[0].cells[-1].value == 2.0

    def test_the_smallest_size_is_shown(self, unit: Any) -> None:
        costs = [cost(8.0, batch=64), cost(4.0, length=128), cost(2.0, length=50)]
        built = self.joined([unit(), *costs])
        assert built.columns[-1].metric == "ms (batch 1, 50 words)"
        assert built.rows[0].cells[-1].value == 2.0

    def test_each_machine_has_a_column(self, unit: Any) -> None:
        built = self.joined(
            [unit(), cost(2.0), cost(1.0, device="cuda: Big"), cost(3.0, threads=8)]
        )
        assert [column.metric for column in built.columns[1:]] == [
            "ms (batch 1, 20 words, cpu: Some, 2 threads)",
            "ms (batch 1, 20 words, cpu: Some, 8 threads)",
            "ms (batch 1, 20 words, cuda: Big, 2 threads)",
        ]
        assert [cell.value for cell in built.rows[0].cells[1:]] == [2.0, 3.0, 1.0]

    def test_baselines_have_no_time_and_unknown_layers_stay_missing(self, unit: Any) -> None:
        scores = [unit(layer=k, baselines={"majority": 0.1}) for k in (0, 1)]
        built = self.joined([*scores, cost(2.0, 1)])
        assert [row.cells[-1].status for row in built.rows] == ["missing", "ok", "missing"]

    def test_a_failure_is_shown(self, unit: Any) -> None:
        built = self.joined([unit(), cost(None)])
        assert built.rows[0].cells[-1].status == "failed"

    def test_the_scores_stay_as_they_were(self, unit: Any) -> None:
        scores = [unit(layer=k, value=0.5 + k / 10) for k in (0, 1)]
        built = self.joined([*scores, cost(2.0), cost(3.0, 1)])
        plain = table.build(scores)
        assert built.columns[:-1] == plain.columns and built.failures == plain.failures
        assert [replace(row, cells=row.cells[:-1]) for row in built.rows] == list(plain.rows)

    def test_without_times_it_says_how_to_get_them(self, unit: Any) -> None:
        built = self.joined([unit(), cost(2.0, encoder="other")])
        assert built.columns == table.build([unit()]).columns
        assert "`probe time` measures them" in built.notes[-1]
