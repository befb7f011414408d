"""The default treebank read back from its text, by code that shares nothing with the grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from layerwise.tasks.grammar.treebank import generate


@dataclass(frozen=True)
class Row:
    """One word as its CoNLL-U columns say."""

    number: int
    form: str
    lemma: str
    upos: str
    xpos: str
    feats: str
    head: int
    deprel: str
    misc: str

    def feature(self, name: str) -> str:
        """The value of a feature, or nothing."""
        return dict(p.split("=") for p in self.feats.split("|") if "=" in p).get(name, "")


@dataclass(frozen=True)
class Sentence:
    """One sentence; its multiword rows are given as first word, last word, form, MISC."""

    comments: dict[str, str]
    rows: list[Row]
    multiwords: list[tuple[int, int, str, str]]

    def children(self, number: int) -> list[Row]:
        """The dependents of a word."""
        return [row for row in self.rows if row.head == number]


@dataclass(frozen=True)
class Mention:
    """A mention; positions count words over the whole document, the end inclusive."""

    start: int
    end: int
    entity: int
    etype: str
    status: str
    minspan: tuple[int, ...]
    link: str


@dataclass(frozen=True)
class Document:
    """The sentences of a document, all its words, and its mentions by start, longest first."""

    name: str
    sentences: list[Sentence]
    rows: list[Row]
    mentions: list[Mention]


def _sentence(block: str) -> Sentence:
    comments: dict[str, str] = {}
    rows: list[Row] = []
    multiwords: list[tuple[int, int, str, str]] = []
    for line in block.split("\n"):
        if line.startswith("#"):
            key, _, value = line[2:].partition(" = ")
            comments[key] = value
            continue
        cells = line.split("\t")
        assert len(cells) == 10, line
        if "-" in cells[0]:
            first, last = cells[0].split("-")
            multiwords.append((int(first), int(last), cells[1], cells[9]))
        else:
            rows.append(Row(int(cells[0]), *cells[1:6], int(cells[6]), cells[7], cells[9]))
    return Sentence(comments, rows, multiwords)


def _mentions(rows_by_sentence: list[list[Row]]) -> list[Mention]:
    """The mentions of a document; brackets have to close within their sentence, innermost first."""
    found: list[Mention] = []
    position = 0
    for rows in rows_by_sentence:
        pending: list[tuple[int, list[str]]] = []
        for row in rows:
            value = re.search(r"(?:^|\|)Entity=([^|]*)", row.misc)
            for piece in re.findall(r"\([^()]*\)?|\d+\)", value.group(1) if value else ""):
                if piece.startswith("("):
                    pending.append((position, piece.strip("()").split("-")))
                if piece.endswith(")"):
                    start, fields = pending.pop()
                    if not piece.startswith("("):
                        assert piece == fields[0] + ")", (piece, fields)
                    entity, etype, status, minspan, link = fields
                    heads = tuple(int(part) for part in minspan.split(","))
                    found.append(Mention(start, position, int(entity), etype, status, heads, link))
            position += 1
        assert not pending, rows
    return sorted(found, key=lambda mention: (mention.start, -mention.end))


def _documents(text: str) -> Iterator[Document]:
    groups: list[list[Sentence]] = []
    for block in text.strip().split("\n\n"):
        sentence = _sentence(block)
        if "newdoc id" in sentence.comments:
            groups.append([])
        groups[-1].append(sentence)
    for group in groups:
        rows = [row for sentence in group for row in sentence.rows]
        mentions = _mentions([sentence.rows for sentence in group])
        yield Document(group[0].comments["newdoc id"], group, rows, mentions)


@pytest.fixture(scope="session")
def texts() -> dict[str, str]:
    """The default output."""
    return generate()


@pytest.fixture(scope="session")
def corpus(texts: dict[str, str]) -> dict[str, list[Document]]:
    """The documents of each split."""
    return {split: list(_documents(text)) for split, text in texts.items()}


@pytest.fixture(scope="session")
def documents(corpus: dict[str, list[Document]]) -> list[Document]:
    """All documents."""
    return [document for split in corpus.values() for document in split]


@pytest.fixture(scope="session")
def sentences(documents: list[Document]) -> list[Sentence]:
    """All sentences."""
    return [sentence for document in documents for sentence in document.sentences]
