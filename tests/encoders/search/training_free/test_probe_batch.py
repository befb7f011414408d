"""Which words a batch holds, and how their vectors are drawn."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from layerwise.core.errors import DataError
from layerwise.encoders.search.training_free.probe_batch import random_batch, text_batch


def test_a_text_is_cut_into_stretches_and_rare_words_are_one(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("b a b c\nb a d e f g\n", encoding="utf-8")
    found = text_batch([path], batch=2, time=3, vocabulary=4)
    # b, a and the first of those that come once have numbers.
    assert found.words.tolist() == [[1, 2, 1, 3], [1, 2, 0, 0]]


def test_too_little_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("three short words", encoding="utf-8")
    with pytest.raises(DataError, match=r"text.txt: 3 words, and 8 are read; give more text"):
        text_batch([path], batch=2, time=3)


def test_random_words_are_as_frequent_as_zipf_has_it() -> None:
    words = random_batch(200, 100, vocabulary=50, seed=3).words
    assert words.shape == (200, 101) and words.min() == 0 and words.max() <= 49
    shares = torch.bincount(words.flatten(), minlength=50) / words.numel()
    expected = torch.log1p(1 / torch.arange(1, 50)) / torch.log(torch.tensor(50.0))
    assert torch.allclose(shares[:49], expected, atol=0.01)


def test_vectors_belong_to_words_and_to_a_seed() -> None:
    batch = random_batch(20, 30, vocabulary=10)
    state = torch.random.get_rng_state()
    first, again, other = batch.vectors(4, 1), batch.vectors(4, 1), batch.vectors(4, 2)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert first.shape == (20, 30, 4)
    assert torch.equal(first, again) and not torch.equal(first, other)
    same = batch.words[:, :-1] == batch.words[0, 0]
    assert same.sum() > 1 and (first[same] == first[0, 0]).all()


def test_how_wide_vectors_spread() -> None:
    batch = random_batch(64, 24)
    table = random_batch(100, 100).vectors(64, 0)
    assert table.std() == pytest.approx(1, abs=0.1)
    narrow = batch.vectors(64, 0, "narrow")
    assert narrow.abs().max() <= 0.1 and narrow.std() == pytest.approx(0.2 / 12**0.5, abs=0.005)
