"""Word form against context, from text to records and the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from layerwise.core.errors import DataError
from layerwise.core.types import Document
from layerwise.encoders.base import fingerprint_of
from layerwise.suite.config import RunConfig
from layerwise.suite.contextuality import FEWEST, MEASURES, evaluate, read_words

FORMS = [*(f"w{number}" for number in range(30)), *(f"rare{number}" for number in range(400))]


@pytest.fixture
def repetitive(tmp_path: Path) -> Path:
    """Sentences of 8 words, half of them of 30 forms that come again and again."""
    random = np.random.default_rng(0)
    folder = tmp_path / "again"
    folder.mkdir()
    for split, documents in (("train", 12), ("dev", 4), ("test", 4)):
        lines = []
        for document in range(documents):
            lines.append(f"# newdoc id = {split}-{document}")
            for sentence in range(5):
                lines.append(f"# sent_id = {split}-{document}-{sentence}")
                for i in range(8):
                    form = FORMS[
                        random.integers(30) if random.random() < 0.5 else random.integers(430)
                    ]
                    head, relation = (i, "dep") if i else (0, "root")
                    fields = [i + 1, form, form, "X", "_", "_", head, relation, "_", "_"]
                    lines.append("\t".join(map(str, fields)))
                lines.append("")
        (folder / f"a-{split}.conllu").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


class Deepening:
    """Layer 0 is the form's vector, layer 1 half form and half noise, layer 2 noise that all
    points one way."""

    name, dim, parameters, final_norm = "deepening", 48, 1, False
    layer_names = ("form", "both", "cone")
    fingerprint = fingerprint_of({}, "deepening")

    def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
        random = np.random.default_rng(len(documents))
        for document in documents:
            seeds = [int(word.strip("ware")) + 1000 * (word[0] == "r") for word in document.words]
            form = np.stack([np.random.default_rng(seed).normal(size=48) for seed in seeds])
            noise = random.normal(size=(2, *form.shape))
            cone = noise[1] + np.array([9.0, *np.zeros(47)])
            yield np.stack([form, form + noise[0], cone]).astype(np.float32)


@pytest.fixture
def found(register: Any, repetitive: Path, tmp_path: Path) -> dict[tuple[str, int], Any]:
    register("encoder", "deepening", lambda argument, given: Deepening())
    config = RunConfig(
        encoder=("deepening",),
        task=tuple(MEASURES),
        data=str(repetitive),
        output=tmp_path / "run",
    )
    outcome = evaluate(config)
    assert outcome.computed == len(outcome.records) == 15 and not outcome.errors
    again = evaluate(config)
    assert again.computed == 0 and len(again.records) == 15
    return {(r.key.task.partition(".")[0], r.key.layer): r for r in outcome.records}


def test_layers_are_what_they_were_made_to_be(found: dict[tuple[str, int], Any]) -> None:
    def score(measure: str, layer: int) -> float:
        record = found[measure, layer]
        assert record.status == "ok", record.error
        return float(record.scores[record.metric])

    # Chance pairs of one form are part of the cosine of random words.
    assert [score("anisotropy", layer) for layer in (0, 1)] == pytest.approx([0, 0], abs=0.05)
    assert score("anisotropy", 2) == pytest.approx(81 / (81 + 48), abs=0.05)
    expected = {0: 1, 1: 0.5, 2: 0}
    for layer, value in expected.items():
        assert score("self_similarity", layer) == pytest.approx(value, abs=0.06)
        assert found["form_variance", layer].scores["adjusted"] == pytest.approx(value, abs=0.06)
        assert found["intra_similarity", layer].scores["intra_sentence_similarity"] > 0.3
    assert score("mev", 0) > score("mev", 1) > score("mev", 2) == pytest.approx(0, abs=0.02)
    assert score("form_variance", 0) == pytest.approx(1)


def test_records_tell_what_they_stand_on(found: dict[tuple[str, int], Any]) -> None:
    for (measure, _), record in found.items():
        assert record.facts["scored_on"] == ["train", "dev", "test"]
        assert record.facts["words"] == 800 and record.facts["sentences"] == 100
        value, interval = record.scores[record.metric], record.interval
        assert interval.low - 1e-6 <= value <= interval.high + 1e-6 or measure == "anisotropy"
        sentences = measure in ("anisotropy", "intra_similarity")
        forms = record.facts[f"forms_of_{FEWEST}_occurrences"]
        assert interval.clusters == (100 if sentences else forms)
    chance = found["form_variance", 0].baselines["shuffled forms"]["eta_squared"]
    own = found["form_variance", 2].scores["eta_squared"]
    assert own == pytest.approx(chance, abs=0.03) and 0.02 < chance < 0.2


def test_too_little_text_is_an_error(corpus: Path) -> None:
    # Hardly a word of the tiny corpus comes twice.
    with pytest.raises(DataError, match="too few"):
        read_words(str(corpus))


def test_the_command_prints_a_table_without_a_best_layer(
    command: Callable[..., Any], register: Any, repetitive: Path, tmp_path: Path
) -> None:
    register("encoder", "deepening", lambda argument, given: Deepening())
    said = command(
        "contextuality", "-e", "deepening", "-e", "onehot", "-d", repetitive, "-o", tmp_path / "run"
    )
    assert said.code == 0, said.err
    for measure in MEASURES:
        assert f"{measure}.v1" in said.out
    assert "shuffled forms" in said.out and "best layer" not in said.out and "*" not in said.out
    assert "20 measured now" in said.err
