"""Acceptability: is a sentence of a minimal pair the acceptable one?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.types import SPLITS, Document, Span, Target
from .base import AnnotatedDocument, Corpus, Edge, bare
from .sentence_spans import sentence_spans
from .sentences import FIRST_WORD

_EDGES = "acceptable"
_FILTERS = ("phenomenon", "paradigm")
_STRATA = ("phenomenon", "field")


class Acceptability:
    """Yes or no for each sentence of a minimal pair (BLiMP, Warstadt et al. 2020).

    The benchmark itself asks which of a pair a language model holds more probable; a probe sees
    one sentence at a time, and the two of a pair lie in one split. The argument is a phenomenon
    or a paradigm, and the task on it alone (``acceptable:ellipsis``).
    """

    description = "is the sentence acceptable? (acceptable:ellipsis: one phenomenon or paradigm)"
    version = "v1"
    metric = "accuracy"
    positive: str | None = None

    def __init__(self, argument: str = "") -> None:
        self.argument = argument
        self.name = f"acceptable:{argument}" if argument else "acceptable"
        of = f" of the phenomenon or paradigm {argument}" if argument else ""
        self.facts: Mapping[str, Any] = {
            "label": "yes: the acceptable sentence of its pair; no: the other one",
            "targets": f"both sentences of each minimal pair{of}, each a document of its own: no "
            "encoder reads one beside the other",
            "left_out": "documents that are no such pair, text and all",
            "control": FIRST_WORD,
        }

    def rewritten(self, document: AnnotatedDocument) -> Iterator[AnnotatedDocument]:
        """Each labelled sentence of the document as one of its own, called ``ID.1``, ``ID.2``."""
        labels = {edge.span1: edge.labels for edge in self._edges(document)}
        spans = zip(sentence_spans(document), document.document.sentences, strict=True)
        for number, (span, sentence) in enumerate(spans, 1):
            if span in labels:
                text = Document(f"{document.document.id}.{number}", (sentence,))
                edge = Edge(_EDGES, Span(0, len(text)), None, labels[span])
                words = tuple(map(bare, text.words))
                yield AnnotatedDocument(text, words, None, None, (edge,), document.attributes)

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a labelled sentence."""
        for edge in self._edges(document):
            yield Target(document.document.id, edge.span1, None, edge.labels[0])

    def strata(self, document: AnnotatedDocument, target: Target) -> Mapping[str, str]:
        """``phenomenon`` and ``field``, unless the task is on a part of the data."""
        told = {} if self.argument else document.attributes
        return {name: told[name] for name in _STRATA if name in told}

    def control_key(self, document: AnnotatedDocument, target: Target) -> tuple[str, ...]:
        """The first word, as for other sentences, of which hardly one comes twice."""
        return (document.words[target.span1.start].form,)

    def _edges(self, document: AnnotatedDocument) -> list[Edge]:
        of = {document.attributes.get(name) for name in _FILTERS}
        wanted = not self.argument or self.argument in of
        return [e for e in document.edges if e.task == _EDGES and wanted]

    @staticmethod
    def available(corpus: Corpus) -> list[str]:
        """``acceptable``, and ``acceptable:X`` for each phenomenon and paradigm, where each split
        has a target and train both labels."""
        found: dict[str, set[tuple[str, str]]] = {}
        for split in SPLITS:
            for document in corpus.splits.get(split, ()):
                parts = [document.attributes.get(name, "") for name in _FILTERS]
                for name in {"", *parts}:
                    found.setdefault(name, set()).update(
                        (split, edge.labels[0]) for edge in document.edges if edge.task == _EDGES
                    )
        wanted = {("train", "yes"), ("train", "no")}
        served = [
            name
            for name, seen in sorted(found.items())
            if wanted <= seen and {split for split, _ in seen} == set(SPLITS)
        ]
        return [f"acceptable:{name}" if name else "acceptable" for name in served]
