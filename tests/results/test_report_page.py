"""The page against its records: its numbers, its texts, and what a browser may do with it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any

import pytest

from layerwise.core.errors import DataError
from layerwise.results import table
from layerwise.results.records import Key, Record
from layerwise.results.render import layer_text, number, row_text
from layerwise.results.report.page import GUARD, Command, page
from layerwise.results.report.series import AS_SHOWN, LAST, ON_DEV, ONLY, series_of

from .test_report_markup import Seen

HOSTILE = "<img src=x onerror=alert(1)>\u202e\x1b[31m\"'`</script>=1+1"


def nothing_kept(record: Record) -> None:
    return None


@pytest.fixture(scope="module")
def records(unit: Any) -> list[Record]:
    found = []
    for encoder in ("lstm", "lstm+random", "onehot"):
        for task in ("pos.v1", "coref.v1"):
            for layer in range(1 if encoder == "onehot" else 3):
                value = 0.5 + layer / 7 + len(encoder) / 100
                found.append(
                    unit(
                        encoder,
                        task,
                        layer,
                        value,
                        interval=(value - 0.01, value + 0.02),
                        baselines={"majority": 0.25, "per-type majority": 0.4321},
                        extra={"selectivity": value / 3, "accuracy[form=seen]": value / 2},
                    )
                )
    return found


@pytest.fixture(scope="module")
def written(records: list[Record]) -> str:
    return page(records, nothing_kept, [Command("probe run -e 'a b'", "a note")], ["x:3: torn"])


def blocks(html: str) -> dict[str, Any]:
    found = re.findall(r'<script type="application/json" id="([^"]+)">(.*?)</script>', html, re.S)
    return {name: json.loads(text) for name, text in found}


def rows_of(html: str, id_: str) -> list[list[str]]:
    """The cells' texts of a table's rows, read by an expression of our own."""
    inside = html[html.index(f'id="{id_}"') :]
    inside = inside[: inside.index("</tbody>")]
    rows = re.findall(r"<tr[ >].*?</tr>", inside, re.S)
    return [
        [Seen(cell).text for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", row, re.S)]
        for row in rows
    ]


def test_scripts_run_by_their_hashes_and_nothing_is_loaded(written: str) -> None:
    seen = Seen(written[: written.index("<body>")])
    policies = [
        attributes["content"]
        for name, attributes in seen.elements
        if name == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert len(policies) == 1 and policies[0] is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policies[0].split(";"))
    assert rules["default-src"] == "'none'" and rules["img-src"] == "data:"
    assert rules["base-uri"] == rules["form-action"] == "'none'"
    assert "connect-src" not in rules and "unsafe-eval" not in policies[0]
    scripts = re.findall(r"<script>(.*?)</script>", written, re.S)
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    ]
    assert len(scripts) == 2 and rules["script-src"].split() == hashes
    whole = Seen(re.sub(r"<script>.*?</script>", "", written, flags=re.S))
    for _, attributes in whole.elements:
        assert not any(name.startswith("on") for name in attributes)
        assert "src" not in attributes and "style" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    assert len(written.encode()) < 6e6


def test_the_table_has_the_numbers_of_the_records(records: list[Record], written: str) -> None:
    built = table.build(records)
    found = {(row[0], row[1]): row[2:] for row in rows_of(written, "units")}
    layers = [row for row in built.rows if row.layer is not None]
    assert len(found) == len(layers)
    for row in layers:
        cells = found[row_text(row), layer_text(row)]
        for cell, column, text in zip(row.cells, built.columns, cells, strict=True):
            if cell.value is None:
                assert text == "–"
                continue
            assert text.startswith(number(cell.value, column.metric))
            if cell.interval is not None:
                low, high = (number(end, column.metric) for end in cell.interval)
                assert text.endswith(f"[{low}, {high}]")


def test_pictures_have_the_numbers_of_the_records(records: list[Record], written: str) -> None:
    drawn = {
        (group["task"], series["encoder"], layer, name): value
        for group in blocks(written)["numbers"]["groups"]
        for series in group["series"]
        for name, values in series["values"].items()
        for layer, value in zip(series["layers"], values, strict=True)
    }
    told = {
        (r.key.task, r.key.encoder, r.key.layer, name): float(f"{value:.3f}")
        for r in records
        for name, value in r.scores.items()
    }
    assert drawn == told


def test_controls_stand_beside_the_chosen_layer(written: str) -> None:
    [text] = re.findall(r'<section id="best".*?</section>', written, re.S)
    rows = re.findall(r"<tr>(.*?)</tr>", text, re.S)[1:]
    cells = [[Seen(c).text for c in re.findall(r"<t[hd][ >].*?</t[hd]>", r, re.S)] for r in rows]
    # The last layer of three has the highest of all: 0.5 + 2/7 + 0.04, the twin's name is longer.
    assert [row[:4] for row in cells] == [
        ["coref.v1", "lstm", "2 block 2 ¹", "0.826 f1"],
        ["pos.v1", "lstm", "2 block 2 ¹", "0.826 accuracy"],
    ]
    assert cells[1][8:] == ["0.896 (layer 2)", "0.560 (onehot)", "0.432 (per-type majority)"]
    assert AS_SHOWN in Seen(text).text


def test_hostile_names_are_text(unit: Any) -> None:
    records = [
        unit(HOSTILE, layer_name=HOSTILE, baselines={HOSTILE: 0.1}, data=HOSTILE),
        unit(HOSTILE, layer=1, value=None, error=HOSTILE, data=HOSTILE),
        unit("other", extra={f"accuracy[{HOSTILE}=a]": 0.3}, probe=HOSTILE, data=HOSTILE),
    ]
    html = page(records, nothing_kept, [Command(HOSTILE, HOSTILE)], [HOSTILE])
    body = html[html.index("<body>") :]
    body = re.sub(r"<script>.*?</script>", "", body, flags=re.S)
    seen = Seen(body)
    assert "img" not in {name for name, _ in seen.elements}
    assert not {"\x1b", "\u202e"} & {*html}
    shown = Seen(re.sub(r"<script .*?</script>", "", body, flags=re.S)).text
    assert shown.count("<img src=x onerror=alert(1)>\\u202e\\x1b[31m\"'`</script>=1+1") >= 8
    [series] = [s for g in blocks(html)["numbers"]["groups"] for s in g["series"]][:1]
    assert series["encoder"].startswith("<img")


def test_everything_asked_for_is_there(written: str) -> None:
    text = Seen(re.sub(r"<script.*?</script>", "", written, flags=re.S)).text
    for part in (GUARD, "probe run -e 'a b'", "# a note", "x:3: torn", "Peters, Matthew E."):
        assert part in text
    for id_ in ("run", "best", "pictures", "scores", "errors", "strata", "audit", "provenance"):
        assert f'<section id="{id_}"' in written and f'href="#{id_}"' in written


def test_the_same_records_give_the_same_page(records: list[Record], written: str) -> None:
    commands = [Command("probe run -e 'a b'", "a note")]
    assert page(records, nothing_kept, commands, ["x:3: torn"]) == written


def test_failed_units_are_told_and_alone_are_no_page(unit: Any) -> None:
    failed = unit("lstm", layer=1, value=None, error="out of memory")
    html = page([unit("lstm"), failed], nothing_kept)
    assert "1 unit failed" in html and "out of memory" in html
    with pytest.raises(DataError, match="no scores"):
        page([failed], nothing_kept)


def test_the_layer_is_chosen_on_dev(unit: Any) -> None:
    def with_dev(layer: int, test: float, dev: float | None, **more: Any) -> Record:
        record = unit("lstm", layer=layer, value=test, **more)
        return record.model_copy(update={"dev_scores": {} if dev is None else {record.metric: dev}})

    def chosen(*records: Record) -> tuple[int, str]:
        [series] = series_of(records)
        return series.choice.layer.number, series.choice.how

    assert chosen(with_dev(0, 0.9, 0.5), with_dev(1, 0.8, 0.7), with_dev(2, 0.7, 0.7)) == (
        1,
        ON_DEV,
    )
    assert chosen(with_dev(0, 0.9, 0.5), with_dev(1, 0.8, None)) == (0, AS_SHOWN)
    costs = {"metric": "cross_entropy_nats"}
    assert chosen(with_dev(0, 2.0, 3.0, **costs), with_dev(1, 3.0, 2.0, **costs)) == (1, ON_DEV)
    shapes = {"metric": "cosine"}
    assert chosen(with_dev(0, 0.9, 0.9, **shapes), with_dev(1, 0.1, 0.1, **shapes)) == (1, LAST)
    assert chosen(with_dev(2, 0.9, 0.9)) == (2, ONLY)


def test_seeds_are_averaged(unit: Any) -> None:
    records = [unit(value=value, seed=seed) for seed, value in enumerate((0.2, 0.3, 0.7))]
    [series] = series_of(records)
    assert series.layers[0].score("accuracy") == pytest.approx(0.4)
    [row] = rows_of(page(records, nothing_kept), "units")
    assert row[2] == "0.400"


def test_times_are_joined_by_weights_and_layer(unit: Any) -> None:
    def timed(layer: int, milliseconds: float, batch: int) -> Record:
        key = Key(
            encoder="renamed",
            fingerprint="lstm-weights",
            task="speed.v1",
            data="builtin",
            data_hash="t",
            layer=layer,
            probe="stopwatch.v1",
            seed=0,
            settings={"batch_size": batch, "length": 20, "device": "cpu: x", "threads": 1},
        )
        scores = {
            "milliseconds": milliseconds,
            "milliseconds_q25": milliseconds - 1,
            "milliseconds_q75": milliseconds + 1,
            "words_per_second": 20 / milliseconds * 1e3,
        }
        return Record(
            key=key,
            layer_name="block",
            layers=3,
            status="ok",
            metric="milliseconds",
            scores=scores,
            counts={"repeats": 3, "words": 20 * batch, "texts": batch},
            facts={"precision": "float32", "kernels": [], "cost": "the time to reach the layer"},
        )

    costs = [timed(0, 3.25, 1), timed(2, 9.5, 1), timed(2, 40.0, 16)]
    html = page([*(unit("lstm", layer=n) for n in range(3)), *costs], nothing_kept)
    numbers = blocks(html)["numbers"]
    assert numbers["sizes"] == ["batch 1, 20 words", "batch 16, 20 words"]
    assert numbers["groups"][0]["series"][0]["ms"] == [[3.25, None, 9.5], [None, None, 40.0]]
    assert 'id="size"' in html
    assert 'id="size"' not in page([unit("gated_cnn"), *costs], nothing_kept)
