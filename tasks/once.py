"""What is found of a document once, for the many targets in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from .base import AnnotatedDocument

_Found = TypeVar("_Found")


def once_a_document(
    find: Callable[[AnnotatedDocument], _Found],
) -> Callable[[AnnotatedDocument], _Found]:
    """The function, which remembers what it found of the last few documents.

    A document is told by identity: neither its hash nor a comparison would be cheap.
    """
    remembered = lru_cache(maxsize=4)(lambda this: find(this.document))
    return lambda document: remembered(_This(document))


class _This:
    def __init__(self, document: AnnotatedDocument) -> None:
        self.document = document

    def __hash__(self) -> int:
        return id(self.document)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _This) and self.document is other.document
