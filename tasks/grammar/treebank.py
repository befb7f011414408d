"""The built-in treebank as CoNLL-U text, in three splits.

Every document has a random stream of its own, named by seed, split and number, so that a
larger treebank begins with the smaller one.
"""

from __future__ import annotations

from collections.abc import Mapping

from .discourse import Entity
from .documents import Document, write_document
from .sampler import Sampler
from .trees import Span, Word, bracket, dependencies, mention_spans, words

GRAMMAR_VERSION = "1"

DEFAULT_DOCUMENTS: Mapping[str, int] = {"train": 160, "dev": 28, "test": 28}
_ENTITY_FIELDS = "GRP-etype-infstat-minspan-link"


def generate(seed: int = 1, documents: Mapping[str, int] | None = None) -> dict[str, str]:
    """The CoNLL-U text of each split; ``documents`` gives the number of documents."""
    counts = DEFAULT_DOCUMENTS if documents is None else documents
    return {
        split: "".join(_document_text(seed, split, number + 1) for number in range(count))
        for split, count in counts.items()
    }


def _document_text(seed: int, split: str, number: int) -> str:
    document = write_document(Sampler(GRAMMAR_VERSION, seed, split, number))
    name = f"builtin-{split}-{number:04d}"
    mentions = _Mentions(document)
    blocks = [f"# newdoc id = {name}\n# global.Entity = {_ENTITY_FIELDS}\n"]
    for index, tree in enumerate(document.trees):
        sentence = words(tree)
        blocks.append(
            f"# sent_id = {name}-{index + 1}\n# text = {surface(sentence)}\n"
            f"# tree = {bracket(tree)}\n"
        )
        rows = _rows(sentence, dependencies(tree), mentions.columns(index))
        blocks.append("\n".join(rows) + "\n\n")
    return "".join(blocks)


def surface(sentence: list[Word]) -> str:
    """The sentence as running text."""
    text = ""
    for index, word in enumerate(sentence):
        text += word.form + (" " if _space_after(sentence, index) else "")
    return text.rstrip()


def _space_after(sentence: list[Word], index: int) -> bool:
    if index + 1 == len(sentence):
        return True
    return sentence[index].space_after and sentence[index + 1].space_before


def _rows(sentence: list[Word], arcs: list[tuple[int, str]], entities: list[str]) -> list[str]:
    rows: list[str] = []
    for index, word in enumerate(sentence):
        if not word.fused and index + 1 < len(sentence) and sentence[index + 1].fused:
            rows.append(_multiword_row(sentence, index))
        head, relation = arcs[index]
        misc = [f"Entity={entities[index]}"] if entities[index] else []
        if not _space_after(sentence, index):
            misc.append("SpaceAfter=No")
        rows.append("\t".join([
            str(index + 1), word.form, word.lemma, word.upos, word.xpos, word.feats, str(head),
            relation, "_", "|".join(misc) or "_",
        ]))  # fmt: skip
    return rows


def _multiword_row(sentence: list[Word], index: int) -> str:
    end = index + 1
    while end + 1 < len(sentence) and sentence[end + 1].fused:
        end += 1
    form = "".join(word.form for word in sentence[index : end + 1])
    misc = "_" if _space_after(sentence, end) else "SpaceAfter=No"
    return "\t".join([f"{index + 1}-{end + 1}", form, *["_"] * 7, misc])


class _Mentions:
    """The Entity values of a document, with entities numbered by first appearance."""

    def __init__(self, document: Document) -> None:
        self._sentences = [mention_spans(tree) for tree in document.trees]
        self._words = [words(tree) for tree in document.trees]
        self._entities = document.entities
        self._numbers: dict[int, int] = {}
        self._counts: dict[int, int] = {}
        for spans in self._sentences:
            for span in spans:
                self._numbers.setdefault(span.entity, len(self._numbers) + 1)
                self._counts[span.entity] = self._counts.get(span.entity, 0) + 1
        self._seen: dict[int, int] = {}

    def columns(self, sentence: int) -> list[str]:
        """The Entity value of each word; sentences have to be asked for in order."""
        length = len(self._words[sentence])
        opening = [""] * length
        closing: list[list[Span]] = [[] for _ in range(length)]
        for span in self._sentences[sentence]:
            text = "(" + self._fields(span, sentence)
            if span.start == span.end:
                text += ")"
            else:
                closing[span.end].append(span)
            opening[span.start] += text
        result: list[str] = []
        for index in range(length):
            inner_first = sorted(closing[index], key=lambda span: -span.start)
            ends = "".join(f"{self._numbers[span.entity]})" for span in inner_first)
            result.append(opening[index] + ends)
        return result

    def _fields(self, span: Span, sentence: int) -> str:
        entity: Entity = self._entities[span.entity]
        given = self._seen.get(span.entity, 0) > 0
        self._seen[span.entity] = self._seen.get(span.entity, 0) + 1
        single = self._words[sentence][span.start].upos == "PRON" and span.start == span.end
        link = "coref"
        if self._counts[span.entity] == 1:
            link = "sgl"
        elif single:
            link = "ana"
        minspan = ",".join(str(head - span.start + 1) for head in span.heads)
        status = "giv" if given else "new"
        return f"{self._numbers[span.entity]}-{entity.etype}-{status}-{minspan}-{link}"
