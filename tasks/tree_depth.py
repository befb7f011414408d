"""The depth of a word in its dependency tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.types import Span, Target
from .base import AnnotatedDocument
from .clauses import Clauses
from .plain_task import PlainTask
from .sentence_spans import sentence_spans

DEEPEST = 7


class WordDepth(PlainTask):
    """How many arcs a word is below the root of its sentence, as a class.

    The depth of Hewitt and Manning 2019 (NAACL, section 2.3), there found by a structural probe.
    """

    description = "number of dependency arcs between each word and the root (0 to 7+)"
    name = "depth"
    facts: Mapping[str, Any] = {
        "label": f"0 for the root, 1 for its dependents, and so on; {DEEPEST}+ for {DEEPEST} and "
        "more",
        "targets": "every word, punctuation included",
        "left_out": "sentences without exactly one root",
    }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a word, in order."""
        clauses = Clauses(document)
        for sentence in sentence_spans(document):
            for word, depth in enumerate(clauses.depths(sentence), sentence.start):
                label = str(depth) if depth < DEEPEST else f"{DEEPEST}+"
                yield Target(document.document.id, Span(word, word + 1), None, label)
