"""``probe similarity``: words, layers, a reference to take off, and every kind of output."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from layerwise.core.errors import DataError
from layerwise.encoders.base import EncoderOptions
from layerwise.encoders.loading import load_encoder
from layerwise.suite.similarity import layer_similarities, sentence_of
from layerwise.tasks.corpora import load_corpus

TEXT = "The cat didn't see the dog's mat."
WORDS = ["The", "cat", "did", "n't", "see", "the", "dog", "'s", "mat", "."]


def test_text_becomes_words_that_stand_where_they_stood() -> None:
    sentence = sentence_of(TEXT)
    assert list(sentence.words) == WORDS and sentence.text == TEXT
    for word, (start, end) in zip(sentence.words, sentence.offsets, strict=True):
        assert TEXT[start:end] == word
    assert sentence_of("", ["do", "n't"]).text == "do n't"
    with pytest.raises(DataError):
        sentence_of("  ")


def test_cosines_are_of_the_encoders_vectors(fake: Any, corpus: Path) -> None:
    encoder = fake()
    sentence = sentence_of("", ["ncat", "vsee", "ndog"])
    found = layer_similarities(encoder, sentence, [1, 0])
    assert [one.layer for one in found] == [1, 0] and found[0].name == "letter"
    assert found[0].cosines.tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    # Less the mean of the training words, of which three fifths are nouns.
    (centred,) = layer_similarities(encoder, sentence, [1], str(corpus))
    train = [annotated.document for annotated in load_corpus(str(corpus)).splits["train"]]
    mean = np.concatenate([array[1] for array in encoder.encode(train)]).mean(axis=0)
    vectors = np.eye(4)[[0, 1, 0]] - mean
    np.testing.assert_allclose(centred.cosines, cosine_similarity(vectors), atol=1e-3)
    assert centred.cosines[0, 1] < -0.1


def test_static_vectors_know_equal_words_only() -> None:
    encoder = load_encoder("onehot", EncoderOptions())
    (found,) = layer_similarities(encoder, sentence_of("the cat the dog"), [0])
    assert found.cosines.tolist() == [[1, 0, 1, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]]


class TestCommand:
    @pytest.fixture
    def similar(self, command: Any, fake: Any) -> Any:
        fake()
        return lambda *given: command(
            "similarity", "-e", "fake", "--words", "ncat vsee ndog", *given
        )

    def test_the_terminal(self, similar: Any) -> None:
        said = similar("--layers", "1")
        assert said.code == 0 and said.err == ""
        head, _, title, _, first, *_ = said.out.splitlines()
        assert head == "cosine, fake" and title == "1 letter"
        assert first == "1 ncat 1.00  .00 1.00"

    def test_json_and_csv_hold_the_numbers(self, similar: Any, tmp_path: Path) -> None:
        printed = json.loads(similar("-f", "json", "-o", tmp_path / "s.json").out)
        assert printed == json.loads((tmp_path / "s.json").read_text())
        assert printed["words"] == ["ncat", "vsee", "ndog"] and len(printed["layers"]) == 2
        assert similar("-o", tmp_path / "s.csv").code == 0
        rows = list(csv.DictReader((tmp_path / "s.csv").read_text().splitlines()))
        assert len(rows) == 2 * 3
        for row in rows:
            matrix = printed["layers"][int(row["layer"])]["cosines"]
            value = matrix[int(row["place1"]) - 1][int(row["place2"]) - 1]
            assert float(row["cosine"]) == value

    @pytest.mark.parametrize(
        "ending, start", [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")]
    )
    def test_pictures(self, similar: Any, tmp_path: Path, ending: str, start: bytes) -> None:
        assert similar("-o", tmp_path / f"heat.{ending}").code == 0
        assert (tmp_path / f"heat.{ending}").read_bytes().startswith(start)

    def test_what_cannot_be_is_said_before_the_work(self, command: Any, similar: Any) -> None:
        assert similar("--text", "and text").code == 2
        assert command("similarity", "-e", "fake").code == 2
        assert "did you mean .png" in similar("-o", "heat.pnh").one_line()
        assert "outside the layers" in similar("--layers", "7").one_line()

    def test_an_encoder_that_fails(self, command: Any, fake: Any) -> None:
        fake("broken", fail_at=0)
        said = command("similarity", "-e", "broken", "--text", "a b")
        assert said.code == 3 and "the fake encoder is broken" in said.one_line()
