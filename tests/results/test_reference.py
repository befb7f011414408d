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


def of(name: str) -> list[Record]:
    found = RecordFile(REFERENCE.with_name(f"{name}.jsonl")).read()
    assert not found.problems
    assert '"/' not in REFERENCE.with_name(f"{name}.jsonl").read_text(encoding="utf-8")
    return [record for record in found.records if record.status == "ok"]


def best(records: list[Record], encoder: str, task: str) -> float:
    mine = [r for r in records if (r.key.encoder, r.key.task) == (encoder, task)]
    return max(record.scores[record.metric] for record in mine)


def test_word_identity_alone_scores_as_published() -> None:
    """Pimentel et al. 2020 on English UD: one-hot .856, random type vectors .647, linear probes."""
    records = of("ewt")
    assert best(records, "onehot", "pos.v1") == pytest.approx(0.856, abs=0.015)
    assert best(records, "random-vectors", "pos.v1") == pytest.approx(0.647, abs=0.03)
    for encoder in LAYERS:
        assert best(records, encoder, "pos.v1") > best(records, "onehot", "pos.v1") + 0.03


def test_every_feature_of_ewt_is_there_at_every_layer() -> None:
    records = of("ewt")
    features = {r.key.task for r in records if r.key.task.startswith("morph:")}
    assert len(features) == 16 and "morph:all.v1" in features
    for encoder, layers in LAYERS.items():
        for task in (*features, "arc.v1", "deprel.v1"):
            mine = [r for r in records if (r.key.encoder, r.key.task) == (encoder, task)]
            assert len(mine) == layers, (encoder, task)


def test_parallel_text_is_split_alike_in_every_language() -> None:
    records = [r for r in of("pud") if r.key.task == "pos.v1" and r.key.encoder == "minilm"]
    languages = {record.key.data for record in records}
    assert languages == {f"ud:{code}_pud" for code in ("ar", "cs", "en", "fi", "tr")}
    sizes = {
        tuple(record.facts["counts"][split]["sentences"] for split in ("train", "dev", "test"))
        for record in records
    }
    assert len(sizes) == 1 and sum(next(iter(sizes))) == 1000


def test_no_target_of_a_long_document_is_lost() -> None:
    records = [r for r in of("litbank") if r.key.task == "coref.v2"]
    counts = {encoder: set() for encoder in ("minilm", "transformer")}
    for record in records:
        if record.key.encoder in counts:
            counts[record.key.encoder].add(record.counts["test_targets"])
            assert record.counts["test_targets"] == record.facts["counts"]["test"]["targets"]
    assert counts["minilm"] == counts["transformer"] and len(counts["minilm"]) == 1
    windows = [r.facts["encoder"]["input"]["test"] for r in records if r.key.encoder == "minilm"]
    assert all(each["windows"] > 10 for each in windows)  # of ten documents
