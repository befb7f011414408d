"""A transcript is replayed exactly, or says that it cannot be."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from layerwise.core.errors import DataError
from layerwise.encoders.search.language_model.transcript import Reply, Transcript, key_of

FIRST: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "é"}]}
SECOND: dict[str, Any] = {"model": "m", "messages": []}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = Transcript(tmp_path / "t.jsonl")
    made.record(FIRST, Reply("one\n", tokens_read=3, seconds=0.5))
    made.record(SECOND, Reply(None, failure="status 500"))
    made.record(SECOND, Reply("two", truncated=True))
    return tmp_path / "t.jsonl"


def test_replies_come_back_in_their_order(path: Path) -> None:
    again = Transcript(path)
    assert again.replay(FIRST) == Reply("one\n", tokens_read=3, seconds=0.5)
    assert again.replay(SECOND) == Reply(None, failure="status 500")
    assert again.replay(SECOND) == Reply("two", truncated=True)
    assert again.replay(SECOND) is None


def test_another_question_is_refused(path: Path) -> None:
    again = Transcript(path)
    again.replay(FIRST)
    with pytest.raises(DataError, match="question 2 is not the one"):
        again.replay(FIRST | {"temperature": 1.0})


def test_the_hash_is_sha256_of_sorted_json() -> None:
    text = '{"messages":[{"content":"\\u00e9","role":"user"}],"model":"m"}'
    assert key_of(FIRST) == hashlib.sha256(text.encode()).hexdigest()


def test_failures_at_the_end_and_a_torn_line_are_asked_again(path: Path) -> None:
    whole = path.read_bytes()
    Transcript(path).record(SECOND, Reply(None, failure="no connection"))
    with path.open("ab") as stream:
        stream.write(whole[:40])
    again = Transcript(path)
    assert path.read_bytes() == whole
    assert [again.replay(sent) is None for sent in (FIRST, SECOND, SECOND, SECOND)] == [
        *[False] * 3,
        True,
    ]


@pytest.mark.parametrize(
    "bad", ["{}", "[]", "7", "no json", '{"question": "x", "sent": {}, "reply": {"content": "a"}}']
)
def test_a_file_of_something_else_is_refused(bad: str, path: Path) -> None:
    path.write_text(bad + "\n" + path.read_text())
    with pytest.raises(DataError, match=r"t\.jsonl:1: no record"):
        Transcript(path)


def test_a_changed_question_is_refused(path: Path) -> None:
    path.write_text(path.read_text().replace('"model":"m"', '"model":"n"', 1))
    with pytest.raises(DataError, match="no record"):
        Transcript(path)


def test_a_line_is_json_with_what_was_sent(path: Path) -> None:
    line = json.loads(path.read_text().splitlines()[0])
    assert line["sent"] == FIRST
    assert line["reply"]["content"] == "one\n"
