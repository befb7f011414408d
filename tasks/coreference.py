"""Coreference: do two mentions speak of the same entity?"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import UsageError
from ..core.types import SPLITS, Target
from .base import AnnotatedDocument, Corpus
from .mention_pairs import MentionPairs

SEED = 1
"""The seed of the negatives; another seed is another version of the task."""

_MOST = 100


class MentionPair:
    """Coreferent pairs of mentions against sampled pairs that are not.

    The argument is the number of negatives a positive, 1 by default (``coref:4``).
    """

    description = "do two mentions corefer? (coref:4 takes four negatives a positive)"
    version = "v1"
    metric = "f1"
    positive: str | None = "yes"

    def __init__(self, argument: str = "") -> None:
        plain = argument.isascii() and argument.isdigit() and argument[0] != "0"
        if argument and not (plain and len(argument) < 4 and int(argument) <= _MOST):
            raise UsageError(
                f"not a number of negatives a positive: {argument!r}",
                where="--task coref",
                cure=f"write coref, or coref:N with N from 1 to {_MOST}",
            )
        self.ratio = int(argument or 1)
        self.name = f"coref:{argument}" if argument else "coref"
        self.facts: Mapping[str, Any] = {
            "label": "yes: the two spans share an entity; no: they do not",
            "targets": "span1 the earlier mention, span2 the later one (by start, then end)",
            "mentions": "all spans annotated as mentions, singletons and nested ones included; "
            "a span annotated in several entities is one mention that corefers with each",
            "positives": "every pair of distinct spans that share an entity, overlapping or not",
            "negatives": f"{self.ratio} for each positive (a, b): (a', b) with a' drawn uniformly "
            "from the mentions that end before b begins and share no entity with it; where b has "
            "none left, drawn uniformly from the document's unused pairs of that kind; "
            "no pair twice, and fewer where a document has no more",
            "left_out": "documents without a chain of two distinct spans",
            "ratio": self.ratio,
            "seed": SEED,
        }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """All positives and the document's sampled negatives, by place."""
        if not document.mentions:
            return
        pairs = MentionPairs(document.mentions)
        labels = dict.fromkeys(pairs.positives(), "yes")
        negatives = pairs.negatives(self.ratio, _generator(document.document.id))
        labels.update(dict.fromkeys(negatives, "no"))
        for first, second in sorted(labels):
            yield Target(
                document.document.id,
                pairs.spans[first],
                pairs.spans[second],
                labels[first, second],
            )

    @staticmethod
    def available(corpus: Corpus) -> list[str]:
        """``["coref"]`` if each split has a document with two coreferent mentions."""
        return (
            ["coref"]
            if all(
                any(
                    any(MentionPairs(document.mentions or ()).positives())
                    for document in corpus.splits.get(split, ())
                )
                for split in SPLITS
            )
            else []
        )


def _generator(document_id: str) -> random.Random:
    # Of each document alone: no other document, and no order of them, changes its negatives.
    digest = hashlib.sha256(f"coref.v1 {SEED} {document_id}".encode()).digest()
    return random.Random(int.from_bytes(digest[:8], "big"))
