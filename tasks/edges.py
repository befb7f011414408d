"""Ready-made targets: whatever spans and pairs the data itself labels (edge probing)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import DataError, UsageError
from ..core.types import Span, Target
from .availability import can_serve
from .base import AnnotatedDocument, Corpus
from .families import Family

_SEVERAL = "several"
_Spans = tuple[Span, Span | None]


class EdgeLabels:
    """The labels of the data's own targets of one name: ``edges:ner``.

    Each has one label, or with ``edges:NAME:several`` any number of them, none included. Tenney
    et al. 2019 (ICLR, section 3.1) take a sigmoid a label and micro-F1 for all their tasks; that
    is what the second form does, and it serves data of the first kind as well.
    """

    description = "labels of the data's own targets of one name (edges:NAME)"
    version = "v1"
    positive: str | None = None

    def __init__(self, argument: str) -> None:
        self.edges, _, kind = argument.partition(":")
        if not self.edges or kind not in ("", _SEVERAL) or argument.endswith(":"):
            raise UsageError(
                f"not the name of targets: {argument!r}",
                where="--task edges",
                cure=f"write edges, edges:NAME or, for any number of labels, edges:NAME:{_SEVERAL}",
            )
        self.several = kind == _SEVERAL
        self.name = f"edges:{argument}"
        self.metric = "micro_f1" if self.several else "accuracy"
        self.facts: Mapping[str, Any] = {
            "label": "all labels that the data gives the spans" if self.several else "their label",
            "targets": f"the targets that the data calls {self.edges}; those with equal spans are "
            "one target with the labels of all",
            "left_out": "nothing",
            "control": "by the last word of span1",
        }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a span or pair of spans, in the order of the data.

        Raises DataError for one that has not exactly one label, unless several are asked for.
        """
        for (span1, span2), labels in _labels(document, self.edges).items():
            if not self.several and len(labels) != 1:
                raise DataError(
                    f"the words {span1.start} to {span1.end} have {len(labels)} labels",
                    where=f"--task {self.name}, document {document.document.id}",
                    cure=f"write {self.name}:{_SEVERAL}",
                )
            label = tuple(labels) if self.several else labels[0]
            yield Target(document.document.id, span1, span2, label)

    def control_key(self, document: AnnotatedDocument, target: Target) -> tuple[str, ...]:
        """The last word of span1: spans of several words hardly ever come again, and pairs less."""
        return (document.words[target.span1.end - 1].form,)

    @staticmethod
    def available(corpus: Corpus) -> list[str]:
        """``edges:NAME``, or ``edges:NAME:several`` where a target has not exactly one label, for
        each name of which every split has a target and train two labels."""
        kinds: dict[str, bool] = {}
        for documents in corpus.splits.values():
            for document in documents:
                for name in {edge.task for edge in document.edges}:
                    counts = map(len, _labels(document, name).values())
                    kinds[name] = kinds.get(name, False) or any(count != 1 for count in counts)
        names = [f"{name}:{_SEVERAL}" if kinds[name] else name for name in sorted(kinds)]
        return [f"edges:{name}" for name in names if can_serve(EdgeLabels(name), corpus)]


class EachEdgeTask:
    """``edges``: one task for each name that the data gives its targets."""

    description = "all of the data's own targets, one task a name"
    name = "edges"

    def members(self, corpus: Corpus) -> list[str]:
        """``edges:NAME`` for each. Raises DataError if there is none."""
        names = EdgeLabels.available(corpus)
        if not names:
            raise DataError(
                "the data states no targets of its own",
                where=f"--task edges --data {corpus.name}",
                cure="name data in the edge-probing form, or another task",
            )
        return names


def _labels(document: AnnotatedDocument, name: str) -> dict[_Spans, list[str]]:
    """The distinct labels of each span or pair of spans."""
    found: dict[_Spans, list[str]] = {}
    for edge in document.edges:
        if edge.task == name:
            labels = found.setdefault((edge.span1, edge.span2), [])
            labels += [label for label in dict.fromkeys(edge.labels) if label not in labels]
    return found


edges = Family(
    "the data's own targets: all (edges), or those of one name (edges:NAME)",
    lambda argument: EdgeLabels(argument) if argument else EachEdgeTask(),
    (EdgeLabels.available,),
)
