"""What sentence tasks have in common, and the label that the data itself gives."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..core.types import Span, Target
from .base import AnnotatedDocument
from .plain_task import PlainTask
from .sentence_spans import sentence_spans

FIRST_WORD = "by the first word of the sentence, as no whole sentence comes again"


class SentenceTask(PlainTask):
    """A task with one label for the whole sentence, in the manner of Conneau et al. 2018."""

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a sentence that has a label, in order."""
        labels = self.labels(document)
        for sentence, label in zip(sentence_spans(document), labels, strict=True):
            if label is not None:
                yield Target(document.document.id, sentence, None, label)

    @abstractmethod
    def labels(self, document: AnnotatedDocument) -> Iterable[str | None]:
        """The label of each sentence of the document, in order; None for one that has none."""

    def control_key(self, document: AnnotatedDocument, target: Target) -> tuple[str, ...]:
        """The first word: hardly a sentence comes twice, and a control by all its words would have
        nothing that could be memorised. First words recur and are as easy to find in a sentence's
        vector as anything."""
        return (document.words[target.span1.start].form,)


class SentenceLabel(PlainTask):
    """The label that the data gives a document as a whole (SentEval's files: a sentence each)."""

    description = "label that the data gives a document or sentence as a whole (SentEval)"
    name = "sentence-label"
    facts: Mapping[str, Any] = {
        "label": "the document's attribute `label`",
        "targets": "whole documents",
        "left_out": "documents without such a label",
        "control": FIRST_WORD,
    }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target for a document with a label."""
        label = document.attributes.get("label")
        if label:
            yield Target(document.document.id, Span(0, len(document.words)), None, label)

    def control_key(self, document: AnnotatedDocument, target: Target) -> tuple[str, ...]:
        """The first word, as for other sentences."""
        return (document.words[0].form,)
