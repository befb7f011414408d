"""Where the sentences of a document lie among its words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ..core.types import Span
from .base import AnnotatedDocument


def sentence_spans(document: AnnotatedDocument) -> Iterator[Span]:
    """The span of each sentence, in order, in words over the document."""
    return (Span(*each) for each in pairwise(document.document.sentence_starts))
