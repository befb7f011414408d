"""The brackets in the columns of CoNLL-2012: mentions of entities, phrases, names, arguments.

Source of the notation: Pradhan et al. 2012, CoNLL-2012 Shared Task, section 4 and table 2
(https://aclanthology.org/W12-4501).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ..core.errors import DataError
from ..core.types import Span
from .base import Mention

_COREFERENCE = re.compile(r"\(([^()|\s]+)(\)?)|([^()|\s]+)\)")
_PHRASES = re.compile(r"((?:\([^()*\s]+)*)\*?(\)*)")


class Row(NamedTuple):
    """A word's cells, and its ``FILE:LINE``."""

    where: str
    cells: list[str]


class Labelled(NamedTuple):
    """A span that a column of a sentence brackets, in words of the sentence."""

    span: Span
    label: str


class _Open(NamedTuple):
    start: int
    where: str


def is_empty(cell: str) -> bool:
    """Whether the cell says that there is nothing: ``-``, ``_`` or no sign at all."""
    return cell in ("-", "_", "")


def coreference(rows: Sequence[Row], start: int) -> list[Mention]:
    """The mentions in the last column of a sentence whose first word is number ``start``, by place.

    ``(7`` opens a mention of entity 7, ``7)`` closes it, ``(7)`` does both; several stand side by
    side or are joined by ``|`` and are read from the left. Mentions nest and cross; two of one
    entity that are open together are taken as nested, as the notation cannot tell them from
    crossing ones. Raises DataError where brackets do not match within the sentence.
    """
    mentions: list[Mention] = []
    opened: dict[str, list[_Open]] = {}
    for position, row in enumerate(rows, start):
        for opening, closing in _brackets(row):
            if opening:
                opened.setdefault(opening, []).append(_Open(position, row.where))
            if closing:
                if not opened.get(closing):
                    raise DataError(
                        f"the bracket {closing}) was not opened in this sentence",
                        where=row.where,
                        cure=f"open it before, as ({closing}",
                    )
                span = Span(opened[closing].pop().start, position + 1)
                mentions.append(Mention(span, closing, ""))
    for entity, waiting in opened.items():
        for left in waiting:
            raise DataError(
                f"the bracket ({entity} is not closed before the sentence ends",
                where=left.where,
                cure=f"close it as {entity})",
            )
    return sorted(mentions)


def _brackets(row: Row) -> list[tuple[str, str]]:
    """The entities that each bracket of a cell opens and closes, from the left."""
    cell = row.cells[-1]
    found = []
    for joined in [] if is_empty(cell) else cell.split("|"):
        at = 0
        while match := _COREFERENCE.match(joined, at):
            opening, at_once, closing = match.groups(default="")
            found.append((opening, opening if at_once else closing))
            at = match.end()
        if at < len(joined) or not joined:
            raise DataError(
                f"the coreference {cell!r} cannot be read",
                where=row.where,
                cure="write (1 to open a mention of entity 1, 1) to close it, (1) for one word, "
                "and - or _ where there is none",
            )
    return found


def bracketed(rows: Sequence[Row], column: int) -> list[Labelled]:
    """The labelled spans of one column of a sentence, in preorder.

    ``(NP(NP*`` opens two spans at a word, ``*)`` closes the last one opened; the ``*`` may be left
    out (``(PERSON)``). Raises DataError where brackets do not match within the sentence.
    """
    found: list[Labelled] = []
    waiting: list[tuple[int, str]] = []  # the place among those found, and where it was opened
    for position, row in enumerate(rows):
        cell = row.cells[column]
        if is_empty(cell):
            continue
        match = _PHRASES.fullmatch(cell)
        if match is None:
            raise DataError(
                f"the brackets {cell!r} of column {column + 1} cannot be read",
                where=row.where,
                cure="write (NP* to open a span, *) to close it and * where neither is due",
            )
        for label in match[1].split("(")[1:]:
            waiting.append((len(found), row.where))
            found.append(Labelled(Span(position, position + 1), label))
        for _ in match[2]:
            if not waiting:
                raise DataError(
                    f"a bracket closes in column {column + 1} that was not opened in this sentence",
                    where=row.where,
                    cure="open it before, as (NP*",
                )
            place, _where = waiting.pop()
            first, label = found[place]
            found[place] = Labelled(Span(first.start, position + 1), label)
    for place, where in waiting:
        raise DataError(
            f"the bracket ({found[place].label} of column {column + 1} is not closed before the "
            "sentence ends",
            where=where,
            cure="close it as *)",
        )
    return found
