"""What a reader gives of one file: its annotated documents, and counts of what it met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .base import AnnotatedDocument


@dataclass(frozen=True)
class AnnotatedFile:
    """The documents of a file in order; ``counts`` names how much of what was met or left out."""

    documents: tuple[AnnotatedDocument, ...]
    counts: Mapping[str, int]
