"""All features of a word at once, as a set of labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.types import Span, Target
from .availability import can_serve
from .base import AnnotatedDocument, Corpus


class FeatureSet:
    """Every feature of every word, each with its value a label of its own: ``morph:all``.

    Where one feature at a time asks which value a word has that carries it, this also asks whether
    it carries it. The micro-F1 counts pairs of feature and value over all words, as does the
    score of morphological tagging in McCarthy et al. 2019 (SIGMORPHON, section 4).
    """

    description = "all features of each word together (morph:all), as a set of labels"
    name = "morph:all"
    version = "v1"
    metric = "micro_f1"
    positive: str | None = None
    facts: Mapping[str, Any] = {
        "label": "a set of Feature=Value; several values (A,B) are as many labels",
        "targets": "every syntactic word; one without features has the empty set",
        "left_out": "documents without any feature, which the data does not tell from documents "
        "that are not annotated",
    }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a word, in order."""
        if not any(word.feats for word in document.words):
            return
        for position, word in enumerate(document.words):
            labels = tuple(
                f"{feature}={value}"
                for feature, values in sorted(word.feats.items())
                for value in dict.fromkeys(values.split(","))
            )
            yield Target(document.document.id, Span(position, position + 1), None, labels)

    @staticmethod
    def available(corpus: Corpus) -> list[str]:
        """``["morph:all"]`` if each split has a feature and train two values."""
        return [FeatureSet.name] if can_serve(FeatureSet(), corpus) else []
