"""A server that is slow, busy, broken or hostile, and the key that nobody sees."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Response

from layerwise.core.errors import ModelError, UsageError
from layerwise.encoders.search.language_model.connection import LONGEST_WAIT, Connection
from layerwise.encoders.search.language_model.prompt import fenced
from layerwise.encoders.search.language_model.transcript import Reply

from .conftest import KEY, Make, Script, completion

SENT: dict[str, Any] = {"model": "any", "messages": [{"role": "user", "content": "hello"}]}


def asked(
    script: Script, *replies: Any, retries: int = 2, timeout: float = 20
) -> tuple[Reply, list[float]]:
    script.replies += replies
    waits: list[float] = []
    connection = Connection(script.address, "OPENAI_API_KEY", timeout, retries, waits.append)
    reply = connection.ask(SENT)
    return reply, waits


def test_a_reply_comes_with_its_counts_and_the_request_with_its_key(script: Script) -> None:
    reply, waits = asked(script, "hello")
    assert (reply.content, reply.truncated, reply.model) == ("hello", False, "scripted")
    assert (reply.tokens_read, reply.tokens_written, waits) == (7, 3, [])
    assert script.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert script.requests == [SENT]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_server_is_asked_again(status: int, script: Script) -> None:
    reply, waits = asked(script, Response("busy", status), Response("busy", status), "hello")
    assert (reply.content, waits) == ("hello", [1.0, 2.0])


@pytest.mark.parametrize(
    ("after", "wait"), [("7", 7.0), ("0", 1.0), ("1e9", LONGEST_WAIT), ("Sunday", 1.0), ("nan", 1)]
)
def test_retry_after_is_kept_within_a_cap(after: str, wait: float, script: Script) -> None:
    reply, waits = asked(script, Response("busy", 429, {"Retry-After": after}), "hello")
    assert (reply.content, waits) == ("hello", [wait])


def test_patience_has_an_end(script: Script) -> None:
    reply, waits = asked(script, Response("busy", 429))
    assert (reply.content, reply.failure, len(script.requests)) == (None, "status 429", 3)
    assert waits == [1.0, 2.0]


def test_a_silent_server_is_given_up_in_time(script: Script) -> None:
    reply, _ = asked(script, 1.5, retries=0, timeout=0.2)
    assert (reply.content, reply.failure) == (None, "no reply in time")
    assert reply.seconds < 1.4


def test_no_server_is_told(script: Script) -> None:
    connection = Connection("http://127.0.0.1:9/v1", "OPENAI_API_KEY", 1, 0)
    assert connection.ask(SENT).failure == "no connection"


@pytest.mark.parametrize(
    "body",
    [
        Response("{not json", content_type="application/json"),
        Response("<html>", content_type="text/html"),
        Response("[1]", content_type="application/json"),
        {},
        {"choices": []},
        {"choices": None},
        {"choices": [{}]},
        {"choices": [{"message": {"content": 5}, "finish_reason": "stop"}]},
    ],
    ids=str,
)
def test_what_is_no_completion_is_a_failure(body: Any, script: Script) -> None:
    reply, _ = asked(script, body, retries=0)
    assert (reply.content, reply.failure) == (None, "a reply that is no chat completion")


def test_missing_counts_and_content_are_borne(script: Script) -> None:
    body = completion("") | {"usage": None}
    body["choices"][0]["message"]["content"] = None
    reply, _ = asked(script, body)
    assert (reply.content, reply.tokens_read, reply.tokens_written) == ("", None, None)


@pytest.mark.parametrize(
    ("status", "cure"), [(400, "--model"), (404, "--model"), (401, "OPENAI_API_KEY")]
)
def test_a_refusal_ends_it_at_once(status: int, cure: str, script: Script) -> None:
    with pytest.raises(ModelError, match=cure):
        asked(script, Response("no such model", status))
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    "address", ["", "localhost:8000", "ftp://host/v1", "http://", "file:///etc", "http://[/"]
)
def test_an_address_is_http_or_https(address: str) -> None:
    with pytest.raises(UsageError, match="--base-url"):
        Connection(address, "OPENAI_API_KEY", 1, 0)


@pytest.mark.parametrize("address", [f"https://me:{KEY}@host/v1", f"https://host/v1?key={KEY}"])
def test_an_address_with_a_secret_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(UsageError, match="environment") as caught:
        Connection(address, "OPENAI_API_KEY", 1, 0)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_only_a_far_host_without_encryption_is_warned_of(host: str) -> None:
    Connection(f"http://{host}/v1", "OPENAI_API_KEY", 1, 0)
    Connection("https://example.org/v1", "OPENAI_API_KEY", 1, 0)
    with pytest.warns(UserWarning, match=r"example\.org unencrypted"):
        Connection("http://example.org/v1", "OPENAI_API_KEY", 1, 0)


def test_no_key_is_needed_where_the_server_wants_none(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    assert asked(script, "hello")[0].content == "hello"


def test_the_key_is_seen_nowhere(
    make: Make,
    script: Script,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A server that repeats the key in replies and errors, all logs, files, and tracebacks."""
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "transcript.jsonl"
    search = make(
        f"your key is {KEY}",
        Response(f"busy, {KEY}", 429),
        completion(fenced("333333")) | {"model": KEY},
        Response(f'{{"error": {{"message": "bad key {KEY}"}}}}', 401),
        transcript=path,
    )
    trial = search.ask()
    assert trial is not None and trial.candidate == "333333"
    with pytest.raises(ModelError) as caught:
        search.ask()
    error = caught.value
    assert error.__cause__ is None and error.__suppress_context__
    seen = [
        repr(search),
        str(error),
        repr(error),
        "".join(traceback.format_exception(error)),
        caplog.text,
        *capfd.readouterr(),
        *(file.read_text() for file in tmp_path.rglob("*") if file.is_file()),
        *map(str, script.requests),
    ]
    assert "[key]" in path.read_text()
    assert not [text for text in seen if KEY in text]
    assert any(KEY in str(headers) for headers in script.headers)  # it was in use
