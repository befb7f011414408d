"""The character model behind the OpenAI chat API, on this machine alone.

    python -m layerwise.encoders.search.language_model.server SCORED [--port 8000]

SCORED is a file of lines ``loss<TAB>candidate``. A stand-in for a large model where there is none:
it has seen these scores and nothing else, it reads no description, and of a conversation it heeds
only which candidates were named before.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ....core.errors import DataError
from .character_model import CharacterModel, train_character_model
from .prompt import fenced

NAME = "character-model"
_PATH = "/v1/chat/completions"
_LARGEST = 4 << 20  # bytes of a request
_BLOCK = re.compile(r"```\n(.+)\n```")


@contextmanager
def serving(model: CharacterModel, port: int = 0) -> Iterator[str]:
    """Serve in a thread of its own on the loopback; gives the address for ``base_url``.

    ``port`` 0 takes a free one.
    """
    server = _Server(("127.0.0.1", port), model)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(model: CharacterModel, request: Any) -> dict[str, Any]:
    """A chat completion for a request's body. DataError for a body that is not one."""
    try:
        messages = [(each["role"], str(each["content"])) for each in request["messages"]]
        temperature = float(request.get("temperature", 0.0) or 0.0)
        seed = int(request.get("seed", 0) or 0)
    except (TypeError, KeyError, AttributeError, ValueError):
        raise DataError("no list of messages", where="request") from None
    named = {
        text
        for role, content in messages
        if role == "assistant"
        for text in _BLOCK.findall(content)
    }
    # Another draw for every turn, the same for the same turn.
    draw = random.Random(f"{seed}/{len(messages)}").randrange(2**31)
    reply = model.propose(named, temperature, draw)
    read, written = sum(len(content) for _, content in messages), len(reply) + 1
    return {
        "id": f"chatcmpl-{len(messages)}",
        "object": "chat.completion",
        "created": 0,
        "model": NAME,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": fenced(reply)},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
        },
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], model: CharacterModel) -> None:
        super().__init__(address, _Handler)
        self.model = model


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    server: _Server

    def do_POST(self) -> None:
        try:
            length = int(self.headers.get("Content-Length", 0))
        except ValueError:
            length = -1
        if not 0 <= length <= _LARGEST:
            self.close_connection = True  # the body is still on its way
            return self._send(413, _error("the request is too large"))
        body = self.rfile.read(length)
        if self.path != _PATH:
            return self._send(404, _error(f"only {_PATH} is served"))
        try:
            return self._send(200, answer(self.server.model, json.loads(body)))
        except (DataError, ValueError, RecursionError) as error:
            return self._send(400, _error(str(error)))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a request's headers may hold a key."""

    def _send(self, status: int, value: dict[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _error(told: str) -> dict[str, Any]:
    return {"error": {"message": told, "type": "invalid_request_error", "code": None}}


def read_scored(path: Path) -> tuple[list[str], list[float]]:
    """Candidates and losses of a file of lines ``loss<TAB>candidate``; DataError names the line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read ({error})", where=str(path)) from error
    candidates, losses = [], []
    for number, line in enumerate(lines, start=1):
        loss, tab, candidate = line.partition("\t")
        try:
            losses.append(float(loss))
        except ValueError:
            tab = ""
        if not tab or not candidate:
            raise DataError("not a loss, a tab and a candidate", where=f"{path}:{number}")
        candidates.append(candidate)
    return candidates, losses


def main() -> None:
    """Train on a file, then serve until interrupted."""
    parser = argparse.ArgumentParser(description="A character model behind the OpenAI chat API.")
    parser.add_argument("scored", type=Path, help="lines of a loss, a tab and a candidate")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    model = train_character_model(*read_scored(asked.scored), seed=asked.seed)
    with serving(model, asked.port) as address:
        print(f"--base-url {address} --model {NAME}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
