"""Mentions of entities from the ``Entity=`` brackets of GUM and CorefUD.

A value strings brackets together: ``(e1-person-...`` opens a mention, ``e1)`` closes it,
``(e1-person-...)`` is a mention of one word. The fields of an opening bracket are those of the
comment ``# global.Entity``, and the last may hold any sign, ``-`` included. ``(e1[1/2]-...`` is
the first part of a discontinuous mention (https://ufal.mff.cuni.cz/corefud, format 1.0).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from ..core.types import Span
from .base import Mention

_BRACKET = re.compile(r"\(([^()]+)(\)?)|([^()]+)\)")
_PART = re.compile(r"(.+)\[([1-9][0-9]{0,3})/([1-9][0-9]{0,3})\]")

Tell = Callable[[int, str], None]
"""Is told of a fault: its line and what is wrong."""


@dataclass(frozen=True)
class EntityFields:
    """The order of the fields in an opening bracket, from ``# global.Entity = GRP-etype-...``.

    The entity's id is the field GRP or eid, or the first where neither is named.
    """

    names: tuple[str, ...]

    @classmethod
    def declared(cls, value: str) -> EntityFields | None:
        """The declared fields, or None when the declaration makes no sense."""
        names = tuple(value.split("-"))
        return cls(names) if all(names) and len(set(names)) == len(names) else None

    def read(self, bracket: str) -> dict[str, str]:
        """The fields of an opening bracket; trailing ones may be left out."""
        return dict(zip(self.names, bracket.split("-", len(self.names) - 1), strict=False))

    @property
    def id_name(self) -> str:
        """The field that holds the entity's id."""
        return next((name for name in ("GRP", "eid") if name in self.names), self.names[0])


class _Open(NamedTuple):
    start: int
    fields: dict[str, str]
    line: int


class _Part(NamedTuple):
    span: Span
    fields: dict[str, str]
    line: int


@dataclass
class EntityCounts:
    """What the brackets of a file held."""

    mentions: int = 0
    mentions_discontinuous: int = 0
    mentions_without_words: int = 0


class EntityReader:
    """Reads the brackets of one sentence, value after value.

    A discontinuous mention is kept as one of its parts: the one that holds its head (the field
    ``head``), or the first where no head is told. A mention of empty nodes only has no word that
    an encoder could see, and is left out; both are counted.
    """

    def __init__(self, fields: EntityFields, counts: EntityCounts, tell: Tell) -> None:
        self.fields = fields
        self.counts = counts
        self.tell = tell
        self.mentions: list[Mention] = []
        self._open: dict[str, list[_Open]] = {}
        self._parts: dict[tuple[str, int], list[_Part]] = {}

    def read(self, value: str, start: int, end: int, line: int) -> None:
        """Take the brackets of a row whose word is ``[start, end)``; an empty node has no word."""
        at = 0
        while at < len(value):
            match = _BRACKET.match(value, at)
            if match is None:
                self.tell(line, f"the brackets of Entity={value} cannot be read at {value[at:]!r}")
                return
            at = match.end()
            opening, at_once, closing = match.groups()
            if opening is None:
                self._close(closing, end, line)
                continue
            fields = self.fields.read(opening)
            key = fields.get(self.fields.id_name)
            if not key:
                self.tell(line, f"a bracket without the entity's id: ({opening}")
                continue
            self._open.setdefault(key, []).append(_Open(start, fields, line))
            if at_once:
                self._close(key, end, line)

    def finish(self) -> list[Mention]:
        """The sentence's mentions, by place; whatever is still open is a fault."""
        for key, opened in self._open.items():
            for one in opened:
                self.tell(one.line, f"the bracket ({key} is not closed before the sentence ends")
        for (key, count), parts in self._parts.items():
            self.tell(parts[0].line, f"only {len(parts)} of the {count} parts of {key} are there")
        self.mentions.sort()
        return self.mentions

    def _close(self, key: str, end: int, line: int) -> None:
        opened = self._open.get(key)
        if not opened:
            self.tell(line, f"the bracket {key}) was not opened in this sentence")
            return
        first = opened.pop()
        if not opened:
            del self._open[key]
        part = _Part(Span(first.start, end), first.fields, first.line)
        match = _PART.fullmatch(key)
        if match is None:
            self._add(key, part)
            return
        entity, number, count = match[1], int(match[2]), int(match[3])
        parts = self._parts.setdefault((entity, count), [])
        if number != len(parts) + 1 or number > count:
            self.tell(
                line, f"part {number} of {count} of {entity} where part {len(parts) + 1} is due"
            )
            return
        parts.append(part)
        if number == count:
            del self._parts[entity, count]
            self.counts.mentions_discontinuous += count > 1
            self._add(entity, _with_head(parts))

    def _add(self, entity: str, part: _Part) -> None:
        if part.span.start == part.span.end:
            self.counts.mentions_without_words += 1
            return
        self.counts.mentions += 1
        self.mentions.append(Mention(part.span, entity, part.fields.get("etype", "")))


def _with_head(parts: list[_Part]) -> _Part:
    head = parts[0].fields.get("head", "").split(",")[0]
    left = int(head) if re.fullmatch("[0-9]{1,6}", head) else 1
    for part in parts:
        left -= part.span.end - part.span.start
        if left <= 0:
            return part
    return parts[0]
