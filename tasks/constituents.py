"""Constituency: the label of a phrase, given its words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from ..core.errors import UsageError
from ..core.types import SPLITS, Target
from .base import AnnotatedDocument, Corpus

_FUNCTION = re.compile(r"(?<=[^-=|])[-=|].*")
_ABOVE = "ROOT"
"""What a tree is wrapped in is none of its phrases."""


class ConstituentLabel:
    """The category of a span that is a constituent, each span on its own.

    As the span classifier of Peters et al. 2018 (arXiv 1808.08949, section 5.3) and the
    nonterminals of Tenney et al. 2019, where only spans that are constituents are labelled.
    """

    description = "label of a constituent, given its words"
    name = "constituent"
    version = "v1"
    metric = "accuracy"
    positive: str | None = None
    facts: Mapping[str, Any] = {
        "label": "the category without function tags and indices (NP-SBJ is NP); where several "
        "phrases have the same words, all of them from the top, joined by + (S+VP)",
        "targets": "every span of words that is a constituent of the gold tree",
        "left_out": "words alone with their tag, the node around the tree, and sentences whose "
        "tree has other words than the sentence",
    }

    def __init__(self, argument: str = "") -> None:
        if argument:
            raise UsageError(
                f"constituent takes no argument, but got {argument!r}",
                where="--task",
                cure="write constituent",
            )

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a span, in the preorder of the trees."""
        inside = (each for each in document.constituents or () if each.label != _ABOVE)
        # In preorder, phrases with the same words stand together, the upper one first.
        for span, same in groupby(inside, key=lambda each: each.span):
            label = "+".join(_FUNCTION.sub("", each.label) for each in same)
            yield Target(document.document.id, span, None, label)

    @staticmethod
    def available(corpus: Corpus) -> list[str]:
        """``["constituent"]`` if each split has a tree."""
        with_trees = (
            any(document.constituents for document in corpus.splits.get(split, ()))
            for split in SPLITS
        )
        return ["constituent"] if all(with_trees) else []
