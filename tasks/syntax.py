"""Syntax: the label of a dependency arc."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.types import Span, Target
from .base import NO_HEAD, AnnotatedDocument
from .plain_task import PlainTask


class ArcLabel(PlainTask):
    """The relation between a word and its given head."""

    description = "label of a dependency arc, given its two words"
    name = "deprel"
    facts: Mapping[str, Any] = {
        "label": "the whole relation, subtype included (nsubj:pass)",
        "targets": "every basic dependency arc: span1 the dependent, span2 its head",
        "left_out": "roots, which have no head; arcs whose relation is _",
    }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target an arc, in the order of the dependents."""
        for position, word in enumerate(document.words):
            if word.head != NO_HEAD and word.deprel:
                dependent = Span(position, position + 1)
                head = Span(word.head, word.head + 1)
                yield Target(document.document.id, dependent, head, word.deprel)
