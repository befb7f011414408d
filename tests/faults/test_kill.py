"""Kills, full disks and crowds: the same command again ends where an undisturbed one does."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from layerwise.core.errors import LayerwiseError
from layerwise.core.types import Document, Sentence
from layerwise.encoders import pretrain as pretraining
from layerwise.encoders import store as storing
from layerwise.encoders.bilm import BiLMSettings
from layerwise.encoders.character_cnn import CharacterSettings
from layerwise.encoders.store import Store
from layerwise.encoders.training_settings import TrainingSettings

torch.set_num_threads(1)


def start(work: Callable[[], object]) -> int:
    """Do the work in a process of its own, and give its id."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def end(child: int) -> int:
    """0 when it went well, 1 after an exception, minus the signal when it was killed."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dying(function: Callable[..., Any], call: int, after: bool) -> Callable[..., Any]:
    """The function, but the process is killed right before (or after) the given call of it."""
    calls = 0

    def wrapped(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and not after:
            die()
        result = function(*arguments, **options)
        if calls == call:
            die()
        return result

    return wrapped


class Words:
    """Vectors by document, whatever the batch; ``log`` gets a line for each document encoded."""

    name, dim, parameters, final_norm, fingerprint = "words", 4, 0, False, "a" * 64
    layer_names = ("words", "context")

    def __init__(self, log: Path, kind: str = "plain", die_at: int = -1, nap: float = 0) -> None:
        self.log, self.kind, self.die_at, self.nap = log, kind, die_at, nap

    def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
        for document in documents:
            number = int(document.id)
            if number == self.die_at:
                die()
            with self.log.open("a") as stream:
                stream.write(f"{number}\n")
            time.sleep(self.nap)
            random = np.random.default_rng(number)
            array = random.normal(size=(2, len(document), 4)).astype(np.float32)
            if self.kind == "too large at the start" and number == 0:
                array *= 1e6
            if self.kind == "too large at the end" and number == 7:
                array *= 1e6
            if self.kind == "constant at the end" and number == 7:
                array[:] = 0.1  # by itself too coarse, and harmless in the whole
            yield array


KINDS = ["plain", "too large at the start", "too large at the end", "constant at the end"]
LENGTHS = [9, 1, 50, 3] * 2
TEXT = [Document(str(i), (Sentence.from_words(["w"] * n),)) for i, n in enumerate(LENGTHS)]


def entry(folder: Path, text: Sequence[Document] = TEXT) -> tuple[str, bytes]:
    """The type and the bytes of the one entry of a store."""
    store = Store(folder)
    found = store.find(Words(folder / "log"), text)
    assert found is not None
    return found.manifest["dtype"], (found.folder / "layers.npy").read_bytes()


def numbers(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().split()] if log.exists() else []


class TestExtraction:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("noting", [-1.0, 1e9], ids=["noting each document", "noting none"])
    def test_a_killed_one_goes_on_to_the_same_array(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, noting: float
    ) -> None:
        monkeypatch.setattr(storing, "_SAVE_EVERY", noting)
        whole = tmp_path / "whole"
        Store(whole).activations(Words(tmp_path / "whole.log", kind), TEXT)
        expected = entry(whole)
        for place in range(len(TEXT)):
            folder, log = tmp_path / f"killed-{place}", tmp_path / f"{place}.log"
            killed = Words(log, kind, die_at=place)
            child = start(lambda f=folder, k=killed: Store(f).activations(k, TEXT))  # type: ignore[misc]
            assert end(child) == -signal.SIGKILL
            before = numbers(log)
            Store(folder).activations(Words(log, kind), TEXT)
            assert entry(folder) == expected
            after = numbers(log)[len(before) :]
            if noting < 0 and place > 0:
                assert after[0] == place  # nothing that was noted is done again
            if noting > 0:
                assert after[0] == 0

    @pytest.mark.parametrize("kind", ["too large at the end", "too large at the start"])
    def test_kills_upon_kills_do_no_harm(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        """In the second pass, in float32, and once more; notes of one pass are none of another."""
        monkeypatch.setattr(storing, "_SAVE_EVERY", -1.0)
        whole, folder, log = tmp_path / "whole", tmp_path / "killed", tmp_path / "log"
        Store(whole).activations(Words(tmp_path / "whole.log", kind), TEXT)
        for call in (3, 12, 7, 2, 5, 12, 16):

            def work(call: int = call) -> None:
                storing._write = dying(storing._write, call, after=call % 2 == 0)
                Store(folder).activations(Words(log, kind), TEXT)

            assert end(start(work)) in (0, -signal.SIGKILL)
        Store(folder).activations(Words(log, kind), TEXT)
        assert entry(folder) == entry(whole)
        assert entry(folder)[0] == "float32"

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("name", ["replace", "fsync", "pwrite", "ftruncate"])
    def test_a_kill_at_any_write_leaves_a_whole_entry_or_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, after: bool
    ) -> None:
        monkeypatch.setattr(storing, "_SAVE_EVERY", -1.0)
        whole, log, text = tmp_path / "whole", tmp_path / "log", TEXT[:2]
        Store(whole).activations(Words(log), text)
        expected = entry(whole, text)
        for call in range(1, 100):
            folder = tmp_path / f"{call}"

            def work(call: int = call, folder: Path = folder) -> None:
                setattr(os, name, dying(getattr(os, name), call, after))
                Store(folder).activations(Words(log), text)

            status = end(start(work))
            found = Store(folder).find(Words(log), text)
            if found is not None:
                assert (found.folder / "layers.npy").read_bytes() == expected[1]
            if status == 0:
                break
            assert status == -signal.SIGKILL
            Store(folder).activations(Words(log), text)
            assert entry(folder, text) == expected
        assert 1 < call < 99

    def test_a_full_disk_is_told_and_the_next_run_goes_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(storing, "_SAVE_EVERY", -1.0)
        whole, folder, log = tmp_path / "whole", tmp_path / "full", tmp_path / "log"
        Store(whole).activations(Words(tmp_path / "other.log"), TEXT)
        pwrite, calls = os.pwrite, 0

        def full(descriptor: int, data: bytes, place: int) -> int:
            nonlocal calls
            calls += 1
            if calls > 8:
                raise OSError(errno.ENOSPC, "No space left on device")
            return pwrite(descriptor, data, place)

        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", full)
            with pytest.raises(LayerwiseError, match=r"layers\.npy: .*No space left") as caught:
                Store(folder).activations(Words(log), TEXT)
        assert caught.value.cure
        assert Store(folder).find(Words(log), TEXT) is None
        done = len(numbers(log))
        Store(folder).activations(Words(log), TEXT)
        assert entry(folder) == entry(whole)
        assert numbers(log)[done] > 0

    def test_short_writes_are_written_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole, folder = tmp_path / "whole", tmp_path / "short"
        Store(whole).activations(Words(tmp_path / "log"), TEXT)
        pwrite = os.pwrite
        monkeypatch.setattr(os, "pwrite", lambda d, data, p: pwrite(d, bytes(data)[:200], p))
        Store(folder).activations(Words(tmp_path / "log"), TEXT)
        assert entry(folder) == entry(whole)

    def test_a_crowd_extracts_once(self, tmp_path: Path) -> None:
        folder, log = tmp_path / "store", tmp_path / "log"

        def work() -> None:
            found = Store(folder).activations(Words(log, nap=0.02), TEXT)
            assert found.layer(1).shape == (126, 4)

        assert [end(child) for child in [start(work) for _ in range(4)]] == [0] * 4
        assert numbers(log) == list(range(len(TEXT)))

    def test_a_crowd_before_a_damaged_entry_mends_it_once(self, tmp_path: Path) -> None:
        folder, log = tmp_path / "store", tmp_path / "log"
        found = Store(folder).activations(Words(tmp_path / "first.log"), TEXT)
        expected = entry(folder)
        os.truncate(found.folder / "layers.npy", 300)

        def work() -> None:
            mended = Store(folder).activations(Words(log, nap=0.02), TEXT)
            assert mended.layer(0).shape == (126, 4)

        assert [end(child) for child in [start(work) for _ in range(4)]] == [0] * 4
        assert numbers(log) == list(range(len(TEXT)))
        assert entry(folder) == expected
        assert len(list(found.folder.parent.glob("*.damaged-*"))) == 1

    def test_a_killed_one_holds_up_nobody(self, tmp_path: Path) -> None:
        folder, log = tmp_path / "store", tmp_path / "log"
        child = start(lambda: Store(folder).activations(Words(log, die_at=4), TEXT))
        others = [start(lambda: Store(folder).activations(Words(log), TEXT)) for _ in range(2)]
        assert end(child) in (0, -signal.SIGKILL)
        assert [end(other) for other in others] == [0, 0]


def plain_names(folder: Path) -> set[str]:
    """The folder's files, less the hidden ones: locks, and what a kill left half-written."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


SETTINGS = BiLMSettings(
    architecture="transformer",
    stack={"dim": 4, "layers": 1, "heads": 1, "feed_forward": 4, "dropout": 0.2},
    characters=CharacterSettings(embedding=2, filters=((1, 2),), highways=1),
    window=4,
)
STEPS = 3
PLAN = TrainingSettings(budget=f"{STEPS}steps", batch=2, vocabulary=6, seed=1)


class TestPretraining:
    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    def test_a_kill_at_any_write_ends_in_the_same_weights(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
    ) -> None:
        monkeypatch.setattr(pretraining, "_SAVE_EVERY", -1.0)
        text = tmp_path / "text"
        text.write_text("the cat sat on a mat and the dog saw it " * 3)

        def train(folder: Path) -> dict[str, Any]:
            monkeypatch.setenv("LAYERWISE_CACHE", str(folder / "cache"))
            return pretraining.pretrain(SETTINGS, PLAN, [text], [], folder, "probe pretrain")

        card = train(tmp_path / "whole")
        expected = (tmp_path / "whole" / "weights.safetensors").read_bytes()
        for call in range(1, 100):
            folder = tmp_path / f"{call}"

            def work(call: int = call, folder: Path = folder) -> None:
                os.replace = dying(os.replace, call, after)
                train(folder)

            status = end(start(work))
            if status == 0:
                break
            assert status == -signal.SIGKILL
            again = train(folder)
            assert (folder / "weights.safetensors").read_bytes() == expected
            assert again | {"seconds": 0} == card | {"seconds": 0}
            assert plain_names(folder) == plain_names(tmp_path / "whole")
        # It was killed at each part of the text's store, at each state, at each part of the result.
        assert call > 4 + STEPS + 3
