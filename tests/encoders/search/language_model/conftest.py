"""What tests of the language model share: a table with known losses, a server with a script."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from layerwise.encoders.search.language_model.prompt import fenced
from layerwise.encoders.search.language_model.strategy import LanguageModelSearch
from layerwise.encoders.search.protocols import Estimate
from layerwise.encoders.search.tables.nasbench_201 import NasBench201

KEY = "sk-secret-0123456789"


@pytest.fixture
def space() -> NasBench201:
    """Six digits; the accuracy is 50, and 8 more for every 3."""
    names = ["".join(digits) for digits in itertools.product("01234", repeat=6)]
    accuracy = {name: 50.0 + 8 * name.count("3") for name in names}
    return NasBench201("toy", accuracy, accuracy)


def completion(content: str, finish: str = "stop") -> dict[str, Any]:
    """A chat completion, as the API has it."""
    message = {"role": "assistant", "content": content}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }


class Script:
    """Replies in their order: a text, a body, a status with headers, seconds of silence, a rule.

    ``requests`` holds what was sent. The last reply is given again and again.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.address = server.url_for("/v1")
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.replies: list[Any] = []
        server.expect_request("/v1/chat/completions", method="POST").respond_with_handler(self.give)

    def give(self, request: Request) -> Response:
        self.requests.append(json.loads(request.data))
        self.headers.append(dict(request.headers))
        reply = self.replies[min(len(self.requests), len(self.replies)) - 1]
        if isinstance(reply, float):
            time.sleep(reply)
            reply = fenced("000000")
        if isinstance(reply, Response):
            return reply
        if callable(reply):
            reply = reply(self.requests[-1]["messages"])
        body = completion(reply) if isinstance(reply, str) else reply
        return Response(json.dumps(body), content_type="application/json")

    def said(self, request: int = -1) -> list[str]:
        """The contents of a request's messages."""
        return [message["content"] for message in self.requests[request]["messages"]]


@pytest.fixture(scope="session")
def server() -> Iterator[HTTPServer]:
    """A server of threads, where a silent reply holds no other up."""
    with HTTPServer(threaded=True) as started:
        yield started


@pytest.fixture
def script(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Script:
    """The server with a new script; the environment holds ``KEY``."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.clear()
    return Script(server)


Make = Callable[..., LanguageModelSearch]


@pytest.fixture
def make(space: NasBench201, script: Script) -> Make:
    """A search of the script's server that never waits."""

    def made(*replies: Any, **options: Any) -> LanguageModelSearch:
        script.replies += replies
        options = {"base_url": script.address, "model": "any", "sleep": lambda s: None} | options
        return LanguageModelSearch(space, **options)

    return made


@pytest.fixture
def run(space: NasBench201) -> Callable[[LanguageModelSearch], list[str]]:
    """Asks to the end and tells the table's losses; the candidates."""

    def asked(search: LanguageModelSearch) -> list[str]:
        found = []
        while (trial := search.ask()) is not None:
            found.append(trial.candidate)
            search.tell(trial, Estimate(tuple(space.runs(trial.candidate))))
        return found

    return asked
