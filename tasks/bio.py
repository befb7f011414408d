"""BIO tags: spans that do not overlap as one tag a word (Ramshaw and Marcus 1995; IOB2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..core.types import Span

OUTSIDE = "O"


class Chunk(NamedTuple):
    """A labelled stretch of words."""

    span: Span
    label: str


def bio(size: int, chunks: Iterable[Chunk]) -> list[str]:
    """The tags of words 0..size-1: ``B-X`` where a chunk begins, ``I-X`` within it, else ``O``.

    Of chunks that share a word the longest is tagged, of equally long ones the earliest, then the
    first by label: of nested ones the outermost.
    """
    tags = [OUTSIDE] * size
    for span, label in sorted(chunks, key=lambda c: (c.span.start - c.span.end, c)):
        if all(tag == OUTSIDE for tag in tags[slice(*span)]):
            tags[slice(*span)] = [f"B-{label}"] + [f"I-{label}"] * (span.end - span.start - 1)
    return tags
