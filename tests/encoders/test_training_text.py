"""Vocabulary, batches and windows: every word is read, once an epoch, and any step by itself."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layerwise.encoders.character_cnn import BEGIN, END, CharacterCNN, CharacterSettings
from layerwise.encoders.training_text import (
    UNKNOWN,
    Text,
    Windows,
    build_vocabulary,
    make_batch,
    read_text,
    sample_text,
    targets_by_type,
    targets_of,
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "cache"))


def as_text(words: list[str]) -> Text:
    types = [BEGIN, END, *dict.fromkeys(words)]
    numbers = np.array([types.index(word) for word in words], dtype=np.int32)
    return Text(types, numbers, np.bincount(numbers, minlength=len(types)), [])


class TestText:
    def test_files_follow_one_another(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("one two")
        (tmp_path / "b").write_text("two, three")
        read = read_text([tmp_path / "a", tmp_path / "b"])
        assert [read.types[i] for i in read.words] == ["one", "two", "two", ",", "three"]
        assert [source["words"] for source in read.sources] == [2, 3]
        assert list(read.types)[:2] == [BEGIN, END]

    @pytest.mark.parametrize("tail", [0, 1, 4, 7])
    def test_its_parts_count_their_own_words(self, tail: int) -> None:
        whole = "a b a c b a d".split()
        first, last = as_text(whole).split(tail)
        cut = len(whole) - tail
        for part, words in ((first, whole[:cut]), (last, whole[cut:])):
            assert [part.types[i] for i in part.words] == words
            expected = Counter(words)
            assert part.counts.tolist() == [expected[name] for name in part.types]

    @pytest.mark.parametrize("most", [0, 1, 5, 6, 7, 100])
    def test_a_sample_is_its_beginning(self, tmp_path: Path, most: int) -> None:
        (tmp_path / "a").write_text("one two\ntwo, three")
        (tmp_path / "b").write_text("four")
        paths = [tmp_path / "a", tmp_path / "b"]
        read = read_text(paths)
        sample, complete = sample_text(paths, most)
        assert len(sample.words) == {0: 0, 1: 2, 5: 5}.get(most, 6)
        assert sample.words.tolist() == read.words[: len(sample.words)].tolist()
        assert sample.types == list(read.types)[: len(sample.types)]
        assert complete == (most > 5)
        assert sample.counts.sum() == len(sample.words)


class TestVocabulary:
    def test_the_frequent_words_come_first_and_ties_in_order(self) -> None:
        text = as_text("b a c b c z b y".split())
        assert build_vocabulary(text, 100) == [UNKNOWN, "b", "c", "a", "y", "z"]
        assert build_vocabulary(text, 4) == [UNKNOWN, "b", "c", "a"]

    @pytest.mark.parametrize("size", [2, 3, 5, 9, 17, 60, 61, 62, 1000])
    def test_it_is_the_sorted_counts_cut(self, size: int) -> None:
        drawn = np.random.default_rng(size).zipf(1.3, 400) % 60
        words = [f"w{number}" for number in drawn]
        ranked = sorted(Counter(words).items(), key=lambda pair: (-pair[1], pair[0]))
        expected = [UNKNOWN, *(word for word, _ in ranked)][:size]
        assert build_vocabulary(as_text(words), size) == expected

    def test_the_marks_are_never_predicted(self) -> None:
        assert not {BEGIN, END} & set(build_vocabulary(as_text(["a"]), 100))

    def test_words_that_only_the_held_out_part_has_are_no_part_of_it(self) -> None:
        first, _ = as_text("a b a b c c c".split()).split(3)
        assert build_vocabulary(first, 100) == [UNKNOWN, "a", "b"]

    def test_targets_are_places_in_it(self) -> None:
        text = as_text("b a c b".split())
        assert targets_by_type(text.types, [UNKNOWN, "c", "b"]).tolist() == [0, 0, 2, 0, 1]
        assert targets_of(text, [UNKNOWN, "c", "b"]).tolist() == [2, 0, 1, 2]


class TestBatch:
    def test_it_holds_the_windows_words_and_their_characters(self) -> None:
        names = "bee a bee longer-word a x bee é".split()
        text = as_text(names)
        vocabulary = [UNKNOWN, "a", "x"]
        network = CharacterCNN(CharacterSettings(embedding=2, filters=((3, 2),)), 4)
        rows = text.words.reshape(2, 4)
        batch = make_batch(rows, text, targets_by_type(text.types, vocabulary), network.codes)
        assert batch.words.shape == batch.targets.shape == (2, 4)
        assert [vocabulary[i] for i in batch.targets.flatten()] == [
            name if name in vocabulary else UNKNOWN for name in names
        ]
        spelled = network.codes([BEGIN, END, *names])
        width = batch.codes.shape[1]
        assert not spelled[:, width:].any()  # what the others have more is padding
        assert batch.codes[:2].tolist() == spelled[:2, :width].tolist()
        assert batch.codes[batch.words.flatten()].tolist() == spelled[2:, :width].tolist()


class TestWindows:
    @pytest.mark.parametrize("count", [7, 11, 12, 13, 18, 25])
    def test_every_word_is_in_some_window_and_each_window_once_an_epoch(self, count: int) -> None:
        text = as_text([f"w{i}" for i in range(count)])
        windows = -(-count // 6)
        feed = Windows(text, window=6, batch=1, seed=3)
        epochs = []
        for epoch in range(3):
            rows = []
            for step in range(epoch * windows, (epoch + 1) * windows):
                rows.append(tuple(feed(step)[0].tolist()))
                first = rows[-1][0]
                assert rows[-1] == tuple(range(first, first + 6))
            assert len(set(rows)) == windows
            assert {number for row in rows for number in row} == set(range(2, count + 2))
            epochs.append(rows)
        if windows > 4:
            assert epochs[0] != epochs[1]

    @pytest.mark.parametrize("batch", [1, 3, 7])
    def test_any_step_can_be_had_at_once(self, batch: int) -> None:
        text = as_text([f"w{i}" for i in range(40)])

        def feed(step: int) -> Any:
            return Windows(text, window=6, batch=batch, seed=3)(step)

        through = Windows(text, window=6, batch=batch, seed=3)
        batches = [through(step) for step in range(8)]
        for step in (7, 2, 5):
            assert np.array_equal(feed(step), batches[step])

    def test_steps_of_larger_batches_are_those_of_smaller_ones_joined(self) -> None:
        text = as_text([f"w{i}" for i in range(50)])
        large = Windows(text, window=6, batch=6, seed=1)(2)
        small = [Windows(text, window=6, batch=2, seed=1)(step) for step in (6, 7, 8)]
        assert np.array_equal(large, np.concatenate(small))
