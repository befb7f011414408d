"""``probe data audit``: what it prints, and what it says of wrong arguments."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.suite.cli import _data_audit
from layerwise.tasks.audit import audit
from layerwise.tasks.corpora import load_corpus

Run = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command, which ends with 0, and gives what it prints."""

    def call(*arguments: object) -> str:
        capsys.readouterr()
        given = [str(argument) for argument in arguments]
        assert _data_audit.command(given, standalone_mode=False) == 0
        said = capsys.readouterr()
        assert said.err == ""
        return said.out

    return call


def words_of_test(corpus: Path) -> list[str]:
    documents = load_corpus(str(corpus)).splits["test"]
    return [word for document in documents for word in document.document.words]


def test_json_holds_the_audit(run: Run, corpus: Path) -> None:
    assert json.loads(run(corpus, "-f", "json")) == json.loads(
        json.dumps(audit(load_corpus(str(corpus))).facts())
    )


def test_the_terminal(run: Run, corpus: Path) -> None:
    lines = run(corpus).splitlines()
    assert lines[0] == "tiny; split: one file a split"
    table = {line[:26].strip(): line[26:].split() for line in lines}
    sizes = {line.split()[0]: line.split()[1:] for line in lines[3:6]}
    assert [sizes[split][0] for split in ("train", "dev", "test")] == ["10", "4", "6"]
    assert sizes["test"][2] == str(len(words_of_test(corpus)))
    # No word of one split is in another one.
    assert table["different forms"] == ["0.00%"] * 3
    assert table["documents of one id"] == ["0"] * 3
    assert not any("never in" in line for line in lines), "the splits have the same tags"


def test_other_text(run: Run, corpus: Path, tmp_path: Path) -> None:
    words = words_of_test(corpus)
    half = tmp_path / "half.txt.gz"
    half.write_bytes(gzip.compress(("one\ntwo\n" + " ".join(words[: len(words) // 2])).encode()))
    other = tmp_path / "other.txt"
    other.write_text("nothing of it\n")
    arguments = (corpus, "--against", half, "--against", other, "--ngram", 3)
    told = json.loads(run(*arguments, "-f", "json"))["against"]
    assert [file["file"] for file in told["files"]] == ["half.txt.gz", "other.txt"]
    assert told["files"][0]["words_read"] == 2 + len(words) // 2
    assert 0.3 < told["together"]["share_of_words"] <= 0.5
    assert told["files"][1]["ngrams_met"] == 0
    assert told["together"]["ngrams_met"] == told["files"][0]["ngrams_met"]
    first = told["examples"][0]
    assert first == {
        "document": "test-0", "words": " ".join(words[:3]), "file": "half.txt.gz", "line": 3
    }  # fmt: skip
    shown = run(*arguments)
    assert f"half.txt.gz:3: {' '.join(words[:3])} (test-0)" in shown
    assert "together" in shown and "test 3-grams" in shown


def test_split_by_sentence(run: Run, corpus: Path) -> None:
    told = json.loads(run(corpus, "--split", "sentence", "-f", "json"))
    assert "each sentence a document of its own" in told["split"]
    assert sum(size["documents"] for size in told["sizes"].values()) == 20 * 3
    assert all(pair["sentences"] == 0 for pair in told["shared"])


def test_little_is_not_shown_as_nothing() -> None:
    assert [_data_audit._percent(share) for share in (0.0, 1e-6, 0.5, 1.0, None)] == [
        "0.00%", "<0.01%", "50.00%", "100.00%", "no lemmas"
    ]  # fmt: skip


def test_wrong_arguments(run: Run, corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        run(corpus, "--against", tmp_path / "none.txt")
    with pytest.raises(UsageError, match="--ngram: not a number of words"):
        run(corpus, "--ngram", 0)
    with pytest.raises(UsageError, match="no such corpus"):
        run("nonsense")
    (tmp_path / "bad.txt").write_bytes(b"caf\xe9")
    with pytest.raises(DataError, match=r"bad.txt:1: not UTF-8"):
        run(corpus, "--against", tmp_path / "bad.txt")
