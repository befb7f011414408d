"""The lines of a file of JSON objects, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from ..core.errors import DataError
from .conllu_text import read_bytes, split_lines
from .faults import raising


class JsonLine(NamedTuple):
    """The object of a line; ``number`` counts from 1, ``where`` is ``FILE:LINE``."""

    number: int
    where: str
    value: Mapping[str, Any]

    def text(self, name: str) -> str:
        """The value of that name. Raises DataError unless it is text and not only blanks."""
        found = self.value.get(name)
        if not isinstance(found, str) or not found.strip():
            raise DataError(
                f"no text under {name!r}", where=self.where, cure=f'write "{name}": "..."'
            )
        return found


def json_lines(path: Path) -> Iterator[JsonLine]:
    """The objects of a file, plain or gzip, in order.

    Raises DataError with ``where="FILE:LINE"`` for a line that is no JSON object (an empty one is
    none), and for NaN, infinities and halves of characters, which JSON and UTF-8 do not have.
    """
    lines = split_lines(read_bytes(path), raising(str(path), {}))
    if not lines[-1]:
        lines.pop()
    if not lines:
        raise DataError("an empty file", where=str(path), cure="write a JSON object on each line")
    for number, line in enumerate(lines, 1):
        where = f"{path}:{number}"
        try:
            value = json.loads(line, parse_constant=_no_constant)
            if "\\u" in line:
                json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"not JSON ({error})", where=where, cure="write one JSON object on each line"
            ) from error
        if not isinstance(value, dict):
            raise DataError(
                f"a JSON {type(value).__name__} where an object is due",
                where=where,
                cure='write {"NAME": VALUE, ...} on each line',
            )
        yield JsonLine(number, where, value)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
