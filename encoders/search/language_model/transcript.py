"""The transcript of a search: every question to the language model, and its reply.

One JSON object a line. ``question`` is the SHA-256 of all that was sent, by which a replay knows
that it asks the same. There are no headers in it and no key.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ....core.errors import DataError
from ....core.files import append_line, canonical_json, write_text


@dataclass(frozen=True)
class Reply:
    """What a server replied; ``content`` is None where it gave no reply, for ``failure``.

    ``truncated``: it was cut off at the most tokens. ``tokens_read`` and ``tokens_written`` are
    the server's own counts, ``seconds`` the time until the reply was there, waits included.
    """

    content: str | None
    truncated: bool = False
    failure: str = ""
    model: str = ""
    tokens_read: int | None = None
    tokens_written: int | None = None
    seconds: float = 0.0


def key_of(sent: dict[str, Any]) -> str:
    """The SHA-256 of what is sent, in hex."""
    return hashlib.sha256(canonical_json(sent).encode()).hexdigest()


class Transcript:
    """Replies of the file first, in their order; then it grows.

    Failures at the end of the file are dropped, and so is a last line that a killed search left
    torn: these questions are asked again.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._recorded: list[tuple[str, Reply]] = []
        self._replayed = 0
        if path is not None and path.exists():
            self._recorded = _read(path)

    def replay(self, sent: dict[str, Any]) -> Reply | None:
        """The recorded reply; None after the last. DataError where the record asks otherwise."""
        if self._replayed == len(self._recorded):
            return None
        question, reply = self._recorded[self._replayed]
        self._replayed += 1
        if question != key_of(sent):
            raise DataError(
                f"question {self._replayed} is not the one that this search asks",
                where=str(self.path),
                cure="search with the same space, options and answers, or name another file",
            )
        return reply

    def record(self, sent: dict[str, Any], reply: Reply) -> None:
        """Append a question and its reply."""
        if self.path is not None:
            line = {"question": key_of(sent), "sent": sent, "reply": asdict(reply)}
            append_line(self.path, canonical_json(line))


def _read(path: Path) -> list[tuple[str, Reply]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=str(path)) from error
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(_record(line))
        except (ValueError, TypeError, KeyError) as error:
            if number < len(lines):
                raise DataError(
                    "no record of a transcript", where=f"{path}:{number}", cure="name another file"
                ) from error
    while found and found[-1][1].content is None:
        found.pop()
    if len(found) < len(lines):
        kept = [line.decode() + "\n" for line in lines[: len(found)]]
        write_text(path, "".join(kept))
    return found


def _record(line: bytes) -> tuple[str, Reply]:
    value = json.loads(line)
    if set(value["reply"]) != {field.name for field in fields(Reply)}:
        raise ValueError("other fields")
    if value["question"] != key_of(value["sent"]):
        raise ValueError("the question was changed")
    return value["question"], Reply(**value["reply"])
