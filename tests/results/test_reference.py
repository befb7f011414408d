"""What the committed reference records say, so that no edit can make them say less."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from layerwise.results.records import Record, RecordFile

REFERENCE = Path(__file__).parents[2] / "results" / "reference" / "gum_open.jsonl"
LAYERS = {"transformer": 5, "lstm": 3, "gated_cnn": 7, "minilm": 7}
ENCODERS = {
    **LAYERS,
    **{f"{encoder}+random": layers for encoder, layers in LAYERS.items()},
    "onehot": 1,
    "random-vectors": 1,
}
FITTED = ("pos.v1", "morph:Number.v1", "deprel.v1", "constituent.v1", "coref.v1")
TASKS = (*FITTED, "pronoun.v1")
Curve = Callable[[str, str], list[float]]


@pytest.fixture(scope="module")
def records() -> list[Record]:
    found = RecordFile(REFERENCE).read()
    assert not found.problems
    return found.records


@pytest.fixture(scope="module")
def curve(records: list[Record]) -> Curve:
    def scores(encoder: str, task: str) -> list[float]:
        mine = [r for r in records if (r.key.encoder, r.key.task) == (encoder, task)]
        return [r.scores[r.metric] for r in sorted(mine, key=lambda r: r.key.layer)]

    return scores


def test_every_unit_is_there_and_at_its_optimum(records: list[Record], curve: Curve) -> None:
    assert len(records) == sum(ENCODERS.values()) * len(TASKS)
    assert all(record.status == "ok" for record in records)
    fitted = [record.chosen for record in records if record.key.task in FITTED]
    assert all(chosen["converged"] and not chosen["l2_is_at_the_edge"] for chosen in fitted)
    for encoder, layers in ENCODERS.items():
        for task in TASKS:
            assert len(curve(encoder, task)) == layers


@pytest.mark.parametrize("task", ["pos.v1", "deprel.v1", "constituent.v1"])
@pytest.mark.parametrize("encoder", ["transformer", "lstm", "gated_cnn"])
def test_context_beats_the_characters_and_random_weights(
    curve: Curve, encoder: str, task: str
) -> None:
    trained, drawn = curve(encoder, task), curve(f"{encoder}+random", task)
    assert min(trained[1:]) > trained[0]
    assert max(trained) > max(drawn) + 0.03


def test_minilm_peaks_in_the_middle_near_the_published_quick_probe(curve: Curve) -> None:
    measured = curve("minilm", "pos.v1")
    quick = [0.873, 0.910, 0.929, 0.932, 0.929, 0.906, 0.845]
    assert all(abs(a - b) < 0.03 for a, b in zip(measured, quick, strict=True))
    assert max(measured) == pytest.approx(0.93, abs=0.01)
    assert measured.index(max(measured)) in (2, 3, 4)
    assert measured[-1] < measured[1]
    assert max(curve("minilm+random", "pos.v1")) < min(measured) - 0.2


def test_records_tell_no_ones_folders() -> None:
    assert '"/' not in REFERENCE.read_text(encoding="utf-8")  # no value is an absolute path


def test_coreference_states_its_negatives(records: list[Record]) -> None:
    pairs = [record for record in records if record.key.task == "coref.v1"]
    assert {record.facts["task"]["ratio"] for record in pairs} == {1}
    assert {record.facts["clusters"] for record in pairs} == {"document"}
