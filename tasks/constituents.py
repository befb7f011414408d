"""Constituency: the label of a phrase, given its words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from ..core.types import Target
from .base import AnnotatedDocument
from .phrases import phrases
from .plain_task import PlainTask


class ConstituentLabel(PlainTask):
    """The category of a span that is a constituent, each span on its own.

    As the span classifier of Peters et al. 2018 (arXiv 1808.08949, section 5.3) and the
    nonterminals of Tenney et al. 2019, where only spans that are constituents are labelled.
    Version 2 has the targets of version 1 and another control.
    """

    description = "label of a constituent, given its words"
    name = "constituent"
    version = "v2"
    facts: Mapping[str, Any] = {
        "label": "the category without function tags and indices (NP-SBJ is NP); where several "
        "phrases have the same words, all of them from the top, joined by + (S+VP)",
        "targets": "every span of words that is a constituent of the gold tree",
        "left_out": "words alone with their tag, the node around the tree, and sentences whose "
        "tree has other words than the sentence",
        "control": "by the first word of the phrase",
    }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a span, in the preorder of the trees."""
        # In preorder, phrases with the same words stand together, the upper one first.
        inside = phrases(document.constituents or ())
        for span, same in groupby(inside, key=lambda each: each.span):
            label = "+".join(each.label for each in same)
            yield Target(document.document.id, span, None, label)

    def control_key(self, document: AnnotatedDocument, target: Target) -> tuple[str, ...]:
        """The first word: a phrase of several words hardly ever comes again, and a control by all
        its words would have nothing that could be memorised. First words (the, of, to) recur, and
        tell much of the category, so that the control is as regular as the task."""
        return (document.words[target.span1.start].form,)
