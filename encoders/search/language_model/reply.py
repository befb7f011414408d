"""A reply of a language model as a candidate: exact, or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ....core.errors import DataError
from ..protocols import SearchSpace

LONGEST = 20_000
"""Characters of a reply that are read; the end counts."""

_WHERE = "reply"
_CURE = "reply with one candidate, alone in a fenced block"
_BLOCK = re.compile(r"^[ \t]*```[^\n`]*\n(.*?)^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)
_THOUGHT = "</think>"  # what some servers leave between a model's thoughts and its reply


class ReplyError(DataError):
    """A reply without exactly one new candidate, whatever the space."""


def read_reply(reply: str, space: SearchSpace) -> str:
    """The one candidate of a reply, as its space writes it.

    It stands alone in a fenced block, alone on a line of a reply without such blocks, or in a JSON
    object ``{"candidate": ...}``, alone or in a block. ReplyError for none and for several that
    differ, the space's DataError for one that it cannot read.
    """
    text = reply[-LONGEST:].rpartition(_THOUGHT)[2].strip()
    if not text:
        raise ReplyError("is empty", where=_WHERE, cure=_CURE)
    proposals = list(_proposals(text))
    found: dict[str, None] = {}
    faults = []
    for proposal in proposals:
        try:
            found[space.read(proposal)] = None
        except DataError as error:
            faults.append(error)
    if len(found) > 1:
        raise ReplyError(f"names {len(found)} different candidates", where=_WHERE, cure=_CURE)
    if found:
        return next(iter(found))
    if len(faults) == 1:
        raise faults[0]
    raise ReplyError("names no candidate", where=_WHERE, cure=_CURE)


def _proposals(text: str) -> Iterator[str]:
    """What may be a candidate: the blocks, or all lines where there are none."""
    blocks = _BLOCK.findall(text)
    for block in blocks or [text]:
        named = _json_candidate(block)
        if named is not None:
            yield named
        elif blocks:
            yield block.strip()
        else:
            yield from filter(None, map(str.strip, block.splitlines()))


def _json_candidate(text: str) -> str | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    named = value.get("candidate") if isinstance(value, dict) else None
    return named if isinstance(named, str) else None
