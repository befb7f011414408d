"""A corpus, once no document of it is in two places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..core.errors import DataError
from .base import AnnotatedDocument, Corpus


def sound_corpus(
    name: str,
    splits: Mapping[str, tuple[AnnotatedDocument, ...]],
    facts: Mapping[str, Any],
    where: str,
) -> Corpus:
    """The corpus; ``facts["texts_in_two_splits"]`` counts the texts that two splits have.

    Raises DataError where two documents have one id.
    """
    owner: dict[str, str] = {}
    for split, documents in splits.items():
        for document in documents:
            first = owner.setdefault(document.document.id, split)
            if first != split:
                raise DataError(
                    f"the document {document.document.id!r} is both in {first} and in {split}",
                    where=where,
                    cure="a document belongs to one split only",
                )
        if len({document.document.id for document in documents}) < len(documents):
            raise DataError(
                f"two documents of {split} have one id", where=where, cure="ids are used once"
            )
    return Corpus(name, splits, {**facts, "texts_in_two_splits": shared_texts(splits.values())})


def shared_texts(splits: Iterable[tuple[AnnotatedDocument, ...]]) -> int:
    """How many documents have the words of a document of an earlier split."""
    seen: set[tuple[str, ...]] = set()
    shared = 0
    for documents in splits:
        texts = [document.document.words for document in documents]
        shared += sum(text in seen for text in texts)
        seen.update(texts)
    return shared
