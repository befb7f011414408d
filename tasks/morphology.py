"""Morphology: the part of speech of a word, and the value of one of its features."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import UsageError
from ..core.types import SPLITS, Span, Target
from .base import AnnotatedDocument, Corpus

_FEATURE = re.compile(r"[A-Za-z0-9]+(\[[A-Za-z0-9]+\])?")


class PartOfSpeech:
    """The universal part of speech (UPOS) of every syntactic word."""

    description = "universal part of speech (UPOS) of each word"
    name = "pos"
    version = "v1"
    metric = "accuracy"
    positive: str | None = None
    facts: Mapping[str, Any] = {
        "label": "UPOS",
        "targets": "every syntactic word; multiword rows and empty nodes are none",
        "left_out": "words whose UPOS is _",
    }

    def __init__(self, argument: str = "") -> None:
        if argument:
            raise UsageError(
                f"pos takes no argument, but got {argument!r}", where="--task", cure="write pos"
            )

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a word, in order."""
        for position, word in enumerate(document.words):
            if word.upos:
                yield Target(document.document.id, Span(position, position + 1), None, word.upos)

    @staticmethod
    def available(corpus: Corpus) -> list[str]:
        """``["pos"]`` if each split has a tagged word."""
        return (
            ["pos"]
            if all(
                any(
                    word.upos
                    for document in corpus.splits.get(split, ())
                    for word in document.words
                )
                for split in SPLITS
            )
            else []
        )


class MorphologicalFeature:
    """The value of one feature, at the words that carry it: ``morph:Number``."""

    description = "value of a morphological feature (morph:Number) of the words that carry it"
    version = "v1"
    metric = "accuracy"
    positive: str | None = None

    def __init__(self, argument: str = "") -> None:
        if not _FEATURE.fullmatch(argument):
            what = f"not the name of a feature: {argument!r}" if argument else "which feature?"
            raise UsageError(
                what,
                where="--task morph",
                cure="write morph:Number, morph:Tense or, for a layered feature, "
                "morph:Number[psor]; `probe list tasks` tells what the data has",
            )
        self.feature = argument
        self.name = f"morph:{argument}"
        self.facts: Mapping[str, Any] = {
            "label": f"the value of {argument}; several values (A,B) are one label as written",
            "targets": f"the syntactic words that carry {argument}",
            "left_out": f"words without {argument}",
        }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a word that carries the feature, in order."""
        for position, word in enumerate(document.words):
            value = word.feats.get(self.feature)
            if value is not None:
                yield Target(document.document.id, Span(position, position + 1), None, value)

    @staticmethod
    def available(corpus: Corpus) -> list[str]:
        """``morph:FEATURE`` for each feature that occurs in every split, with two values or more
        in the training split (with one there is nothing to tell apart)."""
        values: dict[str, dict[str, set[str]]] = {split: {} for split in SPLITS}
        for split in SPLITS:
            for document in corpus.splits.get(split, ()):
                for word in document.words:
                    for feature, value in word.feats.items():
                        values[split].setdefault(feature, set()).add(value)
        return [
            f"morph:{feature}"
            for feature in sorted(values["train"])
            if len(values["train"][feature]) > 1
            and _FEATURE.fullmatch(feature)
            and all(feature in values[split] for split in SPLITS)
        ]
