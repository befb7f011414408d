"""Sentences whose words are put in another order, half of them, to ask whether that was done."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from ..core.types import Document, Sentence, Span, Target
from .base import AnnotatedDocument, Edge, bare
from .plain_task import PlainTask
from .sentence_spans import sentence_spans

Rearrangement = Callable[[], Sentence]
"""Gives the sentence in another order of words; most are never asked for."""


class Rearranged(PlainTask):
    """A yes/no task on sentences, half of which are rearranged before any encoder reads them.

    A sentence's own words decide whether it is, so that equal sentences fare equally in every
    split. Of a rewritten document no annotation is left but the labels of its sentences, as edges
    of the task's name: tags and trees would be those of another order of words. Every sentence
    stays in the text; one that cannot be rearranged is as it was, and is no target.
    """

    changed: str
    """The label of a rearranged sentence; that of the others is ``original``."""

    @abstractmethod
    def rearrangements(self, document: AnnotatedDocument) -> Iterator[Sequence[Rearrangement]]:
        """For each sentence, in order, all that it may be turned into, perhaps nothing."""

    def rewritten(self, document: AnnotatedDocument) -> Iterator[AnnotatedDocument]:
        """The document under its own id, with half of its suitable sentences rearranged."""
        sentences, edges = [], []
        originals = document.document.sentences
        for sentence, span, other in zip(
            originals, sentence_spans(document), self.rearrangements(document), strict=True
        ):
            if other:
                key = " ".join((self.name, self.version, *sentence.words))
                digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
                label = self.changed if digest[0] % 2 else "original"
                if label == self.changed:
                    sentence = other[int.from_bytes(digest[1:9], "big") % len(other)]()
                edges.append(Edge(self.name, span, None, (label,)))
            sentences.append(sentence)
        text = Document(document.document.id, tuple(sentences))
        yield AnnotatedDocument(text, tuple(map(bare, text.words)), edges=tuple(edges))

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a sentence of a rewritten document that could be rearranged."""
        for task, span, _, (label,) in document.edges:
            if task == self.name:
                yield Target(document.document.id, span, None, label)

    def control_key(self, document: AnnotatedDocument, target: Target) -> tuple[str, ...]:
        """The first word, as for other sentences, of which hardly one comes twice."""
        return (document.words[target.span1.start].form,)


def rearranged(sentence: Sentence, order: Sequence[Span]) -> Sentence:
    """The sentence with its words in the order of the spans, which hold each of them once.

    The blanks between the spans stay where they are: the first one that there was in the text is
    still the first. No two spans may share characters, as words of one contraction do.
    """
    spans = sorted(order)
    gaps = [
        sentence.text[sentence.offsets[before.end - 1].end : sentence.offsets[after.start].start]
        for before, after in pairwise(spans)
    ]
    words: list[str] = []
    offsets: list[Span] = []
    text = sentence.text[: sentence.offsets[0].start]
    for span, gap in zip(order, [*gaps, ""], strict=True):
        start, end = sentence.offsets[span.start].start, sentence.offsets[span.end - 1].end
        moved = len(text) - start
        words += sentence.words[slice(*span)]
        offsets += [Span(a + moved, b + moved) for a, b in sentence.offsets[slice(*span)]]
        text += sentence.text[start:end] + gap
    text += sentence.text[sentence.offsets[-1].end :]
    return Sentence(tuple(words), text, tuple(offsets))
