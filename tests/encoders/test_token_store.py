"""The store of a text: what it holds is the text, made once, whatever happens to it."""

from __future__ import annotations

import os
import random
import signal
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from layerwise.core import files
from layerwise.core.errors import DataError
from layerwise.encoders import token_store as module
from layerwise.encoders.character_cnn import BEGIN, END
from layerwise.encoders.running_text import split_words
from layerwise.encoders.token_store import TokenStore, count, open_store
from layerwise.encoders.training_text import Windows, build_vocabulary, read_text


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def store_of(*paths: Path) -> TokenStore:
    return open_store(paths, [files.sha256_of(path) for path in paths])


def write(path: Path, seed: int, lines: int = 60) -> str:
    """Text of words of all sorts, some of them of several bytes a letter."""
    drawn = random.Random(seed)
    words = ["a", "b", "naïve", "Straße", "日本", "x" * 90, "don't", "end.", "--", "😀", "e\u0301"]
    text = "\n".join(" ".join(drawn.choices(words, k=drawn.randrange(9))) for _ in range(lines))
    path.write_text(text, encoding="utf-8")
    return text


@pytest.fixture
def text(tmp_path: Path) -> Path:
    write(tmp_path / "text", 0)
    return tmp_path / "text"


class TestContent:
    @pytest.mark.parametrize("block", [1, 3, 4096])
    def test_it_is_the_text_word_by_word(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
    ) -> None:
        monkeypatch.setattr(module, "_LINES", block)
        monkeypatch.setattr(module, "_FLUSH", 7)
        monkeypatch.setattr(module, "_COUNTED", 5)
        parts = [write(tmp_path / f"{i}", i) for i in range(2)]
        words = [split_words(part) for part in parts]
        joined = [*words[0], *words[1]]
        store = store_of(tmp_path / "0", tmp_path / "1")
        assert [store.types[i] for i in store.words] == joined
        assert store.file_words == [len(part) for part in words]
        assert list(store.types) == [BEGIN, END, *dict.fromkeys(joined)]
        expected = Counter(joined)
        assert store.counts.tolist() == [expected[name] for name in store.types]

    def test_types_are_a_sequence(self, text: Path) -> None:
        types = store_of(text).types
        names = list(types)
        assert [types[i] for i in range(len(types))] == names
        assert types[-1] == names[-1] and types[1:4] == names[1:4] and types[::-2] == names[::-2]
        for beyond in (len(types), -len(types) - 1):
            with pytest.raises(IndexError):
                types[beyond]

    def test_words_lie_on_the_disk_and_cannot_be_changed(self, text: Path) -> None:
        store = store_of(text)
        assert isinstance(store.words.base, np.memmap)
        with pytest.raises(ValueError, match="read-only"):
            store.words[0] = 3

    def test_a_text_without_words_is_an_empty_store(self, tmp_path: Path) -> None:
        (tmp_path / "empty").write_text(" \n\n")
        store = store_of(tmp_path / "empty")
        assert len(store.words) == 0 and list(store.types) == [BEGIN, END]
        assert store.counts.tolist() == [0, 0]

    def test_counting_by_blocks_is_counting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "_COUNTED", 7)
        words = np.random.default_rng(0).integers(0, 9, 50).astype(np.int32)
        assert count(words, 12).tolist() == np.bincount(words, minlength=12).tolist()


class TestReuse:
    def test_it_is_made_once_for_the_same_content(
        self, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = list(store_of(text).words)
        (tmp_path / "elsewhere").write_bytes(text.read_bytes())
        monkeypatch.setattr(module, "read_words", lambda _: pytest.fail("tokenised again"))
        assert list(store_of(text).words) == first
        assert list(store_of(tmp_path / "elsewhere").words) == first

    def test_other_text_and_another_order_and_tokenisation_are_other_entries(
        self, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(tmp_path / "other", 1)
        made = []
        make = module._make
        monkeypatch.setattr(
            module, "_make", lambda folder, paths: (made.append(folder), make(folder, paths))
        )
        store_of(text)
        store_of(text, tmp_path / "other")
        store_of(tmp_path / "other", text)
        monkeypatch.setattr(module, "TOKENISATION", "another")
        store_of(text)
        assert len(set(made)) == 4

    @pytest.mark.parametrize("part", ["words.int32", "types.txt", "types.npy", "manifest.json"])
    @pytest.mark.parametrize("damage", ["flipped", "cut", "lost"])
    def test_a_damaged_one_is_made_anew(
        self, text: Path, cache: Path, part: str, damage: str
    ) -> None:
        expected = list(store_of(text).words)
        (path,) = cache.glob(f"text/*/*/{part}")
        whole = path.read_bytes()
        if damage == "lost":
            path.unlink()
        elif damage == "cut":
            path.write_bytes(whole[: len(whole) // 2])
        else:
            path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert list(store_of(text).words) == expected
        assert path.read_bytes() == whole

    @pytest.mark.parametrize("call", range(1, 5))
    def test_a_kill_at_any_write_is_made_good(
        self, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
    ) -> None:
        expected = list(store_of(text).words)
        monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "killed"))
        child = os.fork()
        if child == 0:
            replace, calls = os.replace, []

            def dying(*arguments: Path) -> None:
                calls.append(1)
                if len(calls) == call:
                    os.kill(os.getpid(), signal.SIGKILL)
                replace(*arguments)

            monkeypatch.setattr(os, "replace", dying)
            store_of(text)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        assert list(store_of(text).words) == expected
        (folder,) = (tmp_path / "killed").glob("text/*/*/")
        assert not list(folder.glob(".*"))  # nothing half-written is left

    def test_an_unreadable_file_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "text").write_bytes(b"\xff\xfe\xfa")
        with pytest.raises(DataError, match=r"text: cannot be read as UTF-8"):
            store_of(tmp_path / "text")


def test_memory_does_not_grow_with_the_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FLUSH", 1 << 12)
    monkeypatch.setattr(module, "_COUNTED", 1 << 12)
    monkeypatch.setattr(module, "_LINES", 1 << 6)
    monkeypatch.setattr(files, "_CHUNK", 1 << 12)
    drawn = random.Random(0)
    words = [f"w{i}" for i in range(500)]
    lines = "".join(" ".join(drawn.choices(words, k=50)) + "\n" for _ in range(160))
    peaks = []
    for times in (1, 16):
        path = tmp_path / f"{times}"
        path.write_text(lines * times)
        tracemalloc.start()  # mapped files are no part of it
        text = read_text([path])
        build_vocabulary(text, 100)
        Windows(text, window=20, batch=4, seed=0)(7)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(text.words) == 8_000 * times
    # A byte a word would be 120 kB more; the order of the 6,000 windows takes 8 bytes each.
    assert peaks[1] - peaks[0] < 8 * 6_000 + 30_000 < 8_000 * 15
