"""Coreference: do two mentions speak of the same entity?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..core.errors import UsageError
from ..core.types import SPLITS, Target
from .arcs import generator_of
from .aspects import Located
from .base import AnnotatedDocument, Corpus
from .mention_features import pair_of
from .mention_guesses import guesses_of_pairs
from .mention_pairs import MentionPairs
from .mention_strata import strata_of_pair

SEED = 1
"""The seed of the negatives; another seed is another version of the task."""

NATURAL_RATE = 0.1
"""The share of a document's pairs on which the prior of running text is measured."""

_MOST = 100


class MentionPair:
    """Coreferent pairs of mentions against sampled pairs that are not.

    The argument is the number of negatives a positive, 1 by default (``coref:4``).
    """

    description = "do two mentions corefer? (coref:4 takes four negatives a positive)"
    version = "v2"
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
            "natural": "all pairs of which positives and negatives are: every positive, and every "
            "pair whose first mention ends before the second begins; each kept with the "
            f"probability {NATURAL_RATE:g}, whatever its label and document",
            "control": "by the words of both mentions, case aside: an equivalence of strings",
            "left_out": "documents without a chain of two distinct spans (not from natural)",
            "ratio": self.ratio,
            "seed": SEED,
        }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """All positives and the document's sampled negatives, by place."""
        if not document.mentions:
            return
        pairs = MentionPairs(document.mentions)
        labels = dict.fromkeys(pairs.positives(), "yes")
        # Of the document alone, and of v1: the pairs are those of v1, whose control was another.
        generator = generator_of(f"coref.v1 {SEED} {document.document.id}")
        negatives = pairs.negatives(self.ratio, generator)
        labels.update(dict.fromkeys(negatives, "no"))
        for first, second in sorted(labels):
            yield Target(
                document.document.id,
                pairs.spans[first],
                pairs.spans[second],
                labels[first, second],
            )

    def natural(self, document: AnnotatedDocument) -> Iterator[Target]:
        """A uniform sample of the pairs that ``facts`` call natural, by place."""
        pairs = MentionPairs(document.mentions or ())
        generator = generator_of(f"coref.v2 natural {SEED} {document.document.id}")
        for (first, second), coreferent in sorted(pairs.sample(NATURAL_RATE, generator)):
            yield Target(
                document.document.id,
                pairs.spans[first],
                pairs.spans[second],
                "yes" if coreferent else "no",
            )

    def strata(self, document: AnnotatedDocument, target: Target) -> Mapping[str, str]:
        """``string``, ``kinds``, ``distance`` and ``sentences`` of the pair: ``mention_strata``."""
        return strata_of_pair(*pair_of(document, target))

    def guesses(
        self, train: Sequence[Located], test: Sequence[Located]
    ) -> Mapping[str, Sequence[str]]:
        """Same string, same head, distance, and a small rule of all: ``mention_guesses``."""
        return guesses_of_pairs(train, test)

    def control_key(self, document: AnnotatedDocument, target: Target) -> tuple[str, ...]:
        """The words of both mentions, case aside."""
        first, second = pair_of(document, target)
        return first.string, second.string

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
