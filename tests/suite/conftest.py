"""A tiny corpus whose words tell their labels, encoders that know them or do not, and plugins."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from layerwise.core import progress, registry
from layerwise.core.types import Document
from layerwise.encoders.base import fingerprint_of
from layerwise.results.records import Record, RecordFile
from layerwise.suite.config import RunConfig

torch.set_num_threads(1)

PARTS = {"n": "NOUN", "v": "VERB", "d": "DET"}
SIZES = {"train": 10, "dev": 4, "test": 6}


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test sees the user's cache, data or settings, nor leaves its own behind."""
    for name in ("LAYERWISE_DATA", "PROBE_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(progress, "_silent", False)
    registry._entries.cache_clear()
    yield
    registry._entries.cache_clear()


def write_corpus(folder: Path, *, seed: int = 0, sizes: dict[str, int] = SIZES) -> Path:
    """Three splits of documents of 3 sentences of 2 to 6 words; the first letter tells the part
    of speech, and no word of one split is in another."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for split, documents in sizes.items():
        lines = []
        for document in range(documents):
            lines.append(f"# newdoc id = {split}-{document}")
            for sentence in range(3):
                lines.append(f"# sent_id = {split}-{document}-{sentence}")
                length = int(random.integers(2, 7))
                for i in range(length):
                    letter = "nvd"[random.choice(3, p=[0.6, 0.25, 0.15])]
                    form = f"{letter}{split}{random.integers(10_000)}"
                    number = f"Number={'Sing' if random.random() < 0.5 else 'Plur'}"
                    head, relation = (i, "dep") if i else (0, "root")
                    fields = [i + 1, form, form, PARTS[letter], "_", number, head, relation]
                    lines.append("\t".join([*map(str, fields), "_", "_"]))
                lines.append("")
        (folder / f"tiny-{split}.conllu").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "tiny")


@pytest.fixture
def make_corpus() -> Callable[..., Path]:
    return write_corpus


class Fake:
    """Layer 0 is noise, layer 1 the first letter of the word; ``calls`` counts encoded documents.

    ``weight`` is the only weight; ``fail_at`` raises at that document.
    """

    name, dim, parameters, final_norm = "fake", 4, 1, False
    layer_names = ("noise", "letter")

    def __init__(self, weight: float = 1.0, fail_at: int = -1) -> None:
        self.weight, self.fail_at, self.calls = weight, fail_at, 0
        self.fingerprint = fingerprint_of({"w": np.array([weight])}, "fake")

    def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
        for document in documents:
            if self.calls == self.fail_at:
                raise RuntimeError("the fake\nencoder is broken")
            self.calls += 1
            digest = hashlib.sha256(" ".join(document.words).encode()).digest()
            noise = np.random.default_rng(list(digest)).normal(size=(len(document), 4))
            letters = [[word[0] == letter for letter in "nvdx"] for word in document.words]
            yield np.stack([noise, self.weight * np.array(letters)]).astype(np.float32)


class Entry(NamedTuple):
    """An entry point that is made up."""

    name: str
    thing: Any
    value: str = "a test's"
    dist: None = None

    def load(self) -> Any:
        if isinstance(self.thing, Exception):
            raise self.thing
        return self.thing


Register = Callable[[str, str, Any], None]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Makes ``thing`` what the registry finds under a name; an exception is one at import."""

    def make(kind: str, name: str, thing: Any) -> None:
        monkeypatch.setitem(registry._entries(kind), name, Entry(name, thing))

    return make


@pytest.fixture
def fake(register: Register) -> Callable[..., Fake]:
    """Registers a fake encoder, by default as ``fake``, and gives it."""

    def make(name: str = "fake", **options: Any) -> Fake:
        made = Fake(**options)
        register("encoder", name, lambda argument, given: made)
        return made

    return make


@pytest.fixture
def config(corpus: Path, tmp_path: Path) -> Callable[..., RunConfig]:
    """A run of the fake encoder on the tiny corpus, unless told otherwise."""

    def make(**changes: Any) -> RunConfig:
        plain = {
            "encoder": ("fake",),
            "task": ("pos",),
            "data": str(corpus),
            "workers": 1,
            "control_encoders": False,
            "output": tmp_path / "run",
        }
        return RunConfig(**(plain | changes))

    return make


@pytest.fixture
def lasting() -> Callable[[list[Record]], list[dict[str, Any]]]:
    """What must be the same in every run, in order: all but times and the machine's state."""

    def strip(records: list[Record]) -> list[dict[str, Any]]:
        whole = [record.model_dump() for record in records]
        for record in whole:
            del record["timing"], record["created"], record["provenance"]
        return sorted(whole, key=lambda r: (r["key"]["encoder"], r["key"]["task"], r["layer_name"]))

    return strip


@pytest.fixture
def recorded() -> Callable[[Path], list[Record]]:
    """The records of a run's folder; a damaged line fails the test."""

    def read(folder: Path) -> list[Record]:
        found = RecordFile(folder / "records.jsonl").read()
        assert found.problems == []
        return found.records

    return read


@dataclass
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    def one_line(self) -> str:
        """The error, which is all that was said on the error stream."""
        assert self.err.count("\n") == 1 and "Traceback" not in self.err, self.err
        return self.err


Command = Callable[..., Said]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs ``probe`` with these arguments in this process."""
    from layerwise.suite.cli import main

    def run(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["probe", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Said(code, said.out, said.err)

    return run
