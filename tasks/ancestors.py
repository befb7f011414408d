"""Constituency from below: the phrase above a word, the one above that, and the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.types import Span, Target
from .base import AnnotatedDocument
from .phrases import trees
from .plain_task import PlainTask

NONE = "none"
"""The label of a word whose tree has fewer levels."""


def _facts(above: str) -> Mapping[str, Any]:
    return {
        "label": f"the category of {above}, without function tags and indices; {NONE} where the "
        "tree has fewer levels above the word",
        "levels": "the word's tag and the node around the tree are none; each node of a unary "
        "chain is one",
        "targets": "every word of a sentence with a tree, punctuation included",
        "left_out": "sentences without a tree, or whose tree has other words than the sentence",
    }


class ParentLabel(PlainTask):
    """The lowest phrase that holds the word (Liu et al. 2019, NAACL, section 2.2 and appendix A).

    As there, a word with fewer levels above it is a target with a label of its own, and every
    node counts as a level.
    """

    description = "label of the lowest phrase above each word"
    name = "parent"
    levels = 1
    facts = _facts("the lowest phrase that holds the word")

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a word, in order."""
        for tree in trees(document):
            for word, above in enumerate(tree.above(), tree.sentence.start):
                label = above[-self.levels].label if len(above) >= self.levels else NONE
                yield Target(document.document.id, Span(word, word + 1), None, label)


class GrandparentLabel(ParentLabel):
    """The second phrase above the word, as in ``ParentLabel``."""

    description = "label of the second phrase above each word"
    name = "grandparent"
    levels = 2
    facts = _facts("the second phrase above the word")


class GreatGrandparentLabel(ParentLabel):
    """The third phrase above the word, as in ``ParentLabel``."""

    description = "label of the third phrase above each word"
    name = "greatgrandparent"
    levels = 3
    facts = _facts("the third phrase above the word")
