"""Morphology: the part of speech of a word, and the value of one of its features."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import DataError, UsageError
from ..core.types import SPLITS, Span, Target
from .base import AnnotatedDocument, Corpus
from .families import Family
from .feature_sets import FeatureSet
from .plain_task import PlainTask

_FEATURE = re.compile(r"[A-Za-z0-9]+(\[[A-Za-z0-9]+\])?")


class PartOfSpeech(PlainTask):
    """The universal part of speech (UPOS) of every syntactic word."""

    description = "universal part of speech (UPOS) of each word"
    name = "pos"
    facts: Mapping[str, Any] = {
        "label": "UPOS",
        "targets": "every syntactic word; multiword rows and empty nodes are none",
        "left_out": "words whose UPOS is _",
    }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a word, in order."""
        for position, word in enumerate(document.words):
            if word.upos:
                yield Target(document.document.id, Span(position, position + 1), None, word.upos)


class LanguageSpecificTag(PlainTask):
    """The treebank's own part of speech (XPOS) of every syntactic word: Penn tags in English."""

    description = "the treebank's own part of speech (XPOS) of each word"
    name = "xpos"
    facts: Mapping[str, Any] = {
        "label": "XPOS, as the treebank has it",
        "targets": "every syntactic word; multiword rows and empty nodes are none",
        "left_out": "words whose XPOS is _",
    }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a word, in order."""
        for position, word in enumerate(document.words):
            if word.xpos:
                yield Target(document.document.id, Span(position, position + 1), None, word.xpos)


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


class EachFeature:
    """``morph``: one task for each feature that the data has."""

    description = "each morphological feature that the data has, one task a feature"
    name = "morph"

    def members(self, corpus: Corpus) -> list[str]:
        """``morph:FEATURE`` for each. Raises DataError if there is none."""
        names = MorphologicalFeature.available(corpus)
        if not names:
            raise DataError(
                "no feature has two values in train and occurs in every split",
                where=f"--task morph --data {corpus.name}",
                cure="`probe list tasks --data` tells what the data can serve",
            )
        return names


def _morphology(argument: str) -> EachFeature | FeatureSet | MorphologicalFeature:
    if argument == "all":
        return FeatureSet()
    return MorphologicalFeature(argument) if argument else EachFeature()


morph = Family(
    "value of each morphological feature (morph), of one (morph:Number), or of all as a set "
    "(morph:all)",
    _morphology,
    (MorphologicalFeature.available, FeatureSet.available),
)
