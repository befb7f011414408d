"""The reader of CoNLL-U (https://universaldependencies.org/format.html), plain or gzip.

Nothing is dropped without a count and nothing is guessed: what the format forbids and what could
shift a label is a DataError that names file, line, fault and cure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from conllu.parser import parse_pair_value

from ..core import progress
from ..core.types import Document, Span
from .base import NO_HEAD, AnnotatedDocument, Constituent, Mention, Word
from .conllu_sentence import ParsedSentence, SentenceParser
from .conllu_text import Block, blocks, file_stem, read_bytes, split_lines
from .entities import EntityFields
from .faults import Fault, Report, raising
from .trees import with_tree, with_trees

COUNTS = (
    "documents",
    "sentences",
    "words",
    "multiword_rows",
    "empty_nodes",
    "mentions",
    "mentions_discontinuous",
    "mentions_without_words",
)
"""What is always counted; warnings are counted beside these, under their kinds."""


@dataclass(frozen=True)
class ConlluFile:
    """The documents of a file, and how much of what was met in it.

    ``counts`` has the names of COUNTS, and the kind of each warning that came up (``text_differs``:
    the comment ``# text`` is not what the words give; ``form_missing``, ``upos_unknown``,
    ``root_relation``, ``multiword_cells``, ``entity_undeclared``, ``document_reopened``,
    ``tree_not_read``: the comment ``# tree`` does not give a tree over the sentence's words).
    ``trees`` tells where constituency trees were found and how many fit; empty without trees.
    """

    documents: tuple[AnnotatedDocument, ...]
    counts: Mapping[str, int]
    trees: Mapping[str, Any]


@dataclass(frozen=True)
class ConlluSentences:
    """The sentences of a file before they are joined to documents.

    ``has_documents`` tells whether the file marks any (``# newdoc``), ``has_mentions`` whether it
    declares coreference (``# global.Entity``). ``counts`` and ``trees`` are as in ``ConlluFile``.
    """

    sentences: tuple[ParsedSentence, ...]
    counts: Mapping[str, int]
    trees: Mapping[str, Any]
    has_documents: bool
    has_mentions: bool


def read_conllu(path: Path) -> ConlluFile:
    """Read a file into annotated documents.

    A document runs from one ``# newdoc`` to the next and has the id given there. One without an
    id is called after the file and its place (``news#2``); the sentences before the first
    ``# newdoc``, or of a file without any, make a document called after the file. A ``# newdoc``
    that repeats the id of the document it stands in goes on with it (Arabic-PUD), and is counted;
    an id that returns later is an error. Heads and mentions count words over the document.

    Raises DataError with ``where="FILE:LINE"`` at the first fault.
    """
    read = read_sentences(path)
    documents = []
    for document_id, sentences in groupby(read.sentences, key=lambda sentence: sentence.document):
        documents.append(build_document(document_id, sentences))
    return ConlluFile(tuple(documents), read.counts, read.trees)


def read_sentences(path: Path) -> ConlluSentences:
    """Read a file into sentences; the faults are those of ``read_conllu``."""
    warned: dict[str, int] = {}
    parser = ConlluParser(path, raising(str(path), warned))
    data = read_bytes(path)
    found = parser.sentences(data)
    sentences = tuple(progress.track(found, f"reading {path.name}", data.count(b"\n\n")))
    sentences, trees = with_trees(sentences, path)
    return ConlluSentences(
        sentences, parser.counts() | warned, trees, parser.has_documents, parser.has_mentions
    )


def build_document(document_id: str, sentences: Iterable[ParsedSentence]) -> AnnotatedDocument:
    """Join sentences to a document; all positions move to positions over the document."""
    texts, words, mentions, constituents = [], [], [], []
    base, has_mentions, has_trees = 0, False, False
    for sentence in sentences:
        texts.append(sentence.sentence)
        for word in sentence.words:
            form, lemma, upos, xpos, feats, head, deprel = word
            moved = head if head == NO_HEAD else head + base
            words.append(Word(form, lemma, upos, xpos, feats, moved, deprel))
        has_mentions = has_mentions or sentence.mentions is not None
        for (start, end), entity, entity_type in sentence.mentions or ():
            mentions.append(Mention(Span(start + base, end + base), entity, entity_type))
        has_trees = has_trees or sentence.constituents is not None
        for (start, end), label in sentence.constituents or ():
            constituents.append(Constituent(Span(start + base, end + base), label))
        base += len(sentence.words)
    return AnnotatedDocument(
        Document(document_id, tuple(texts)),
        tuple(words),
        tuple(mentions) if has_mentions else None,
        tuple(constituents) if has_trees else None,
    )


class ConlluParser:
    """Parses one file; tells every fault to ``report``. For one use.

    With a listener that raises, ``sentences`` ends at the first error; with one that goes on, each
    faulty sentence is left out and the rest of the file is still checked.
    """

    def __init__(self, path: Path, report: Report) -> None:
        self.report = report
        self.has_documents = False
        self.has_mentions = False
        self._stem = file_stem(path)
        self._counts: Counter[str] = Counter()
        self._sentence_parser = SentenceParser(report, self._counts)
        self._document = ""
        self._document_ids: set[str] = set()
        self._sentence_ids: dict[str, int] = {}

    def sentences(self, data: bytes) -> Iterator[ParsedSentence]:
        """The sound sentences of a file's bytes."""
        for block in blocks(split_lines(data, self.report), self.report):
            self._counts["sentences"] += 1
            sentence_id, text, tree = self._comments(block)
            sentence = self._sentence_parser.parse(block, self._document, sentence_id, text)
            if sentence is not None:
                self._counts["words"] += len(sentence.words)
                yield self._with_tree(sentence, *tree) if tree else sentence

    def counts(self) -> dict[str, int]:
        """What was met so far, under the names of COUNTS."""
        counts = self._counts | Counter(vars(self._sentence_parser.entity_counts))
        counts["documents"] = len(self._document_ids)
        return {name: counts[name] for name in COUNTS}

    def _with_tree(self, sentence: ParsedSentence, line: int, brackets: str) -> ParsedSentence:
        try:
            found = with_tree(sentence, brackets)
        except ValueError as error:
            what = f"the comment tree is not read: {error}"
            self.report(Fault("tree_not_read", line, sentence.id, what, severity="warning"))
            return sentence
        return found

    def _comments(self, block: Block) -> tuple[str, str | None, tuple[int, str] | None]:
        """Take a sentence's comments in; gives its id (or place in the file), its text and its
        tree, with the tree's line."""
        seen: dict[str, tuple[int, str]] = {}
        for line, comment in block.comments:
            key, value = parse_pair_value(comment[1:])
            if key in ("newdoc", "newdoc id"):
                key = "newdoc"
            elif key not in ("sent_id", "text", "global.Entity", "tree"):
                continue
            if key in seen:
                self._fault(line, f"a second comment {key} on one sentence", "remove one of them")
            seen[key] = (line, value or "")
            if key == "newdoc" and value == "":
                self._fault(line, "newdoc without an id behind the =", "# newdoc id = NAME")
        if "newdoc" in seen or not self._document:
            self._open_document(*seen.get("newdoc", (block.line, None)))
        if "global.Entity" in seen:
            self._declare(*seen["global.Entity"])
        sentence_id = self._sentence_id(*seen.get("sent_id", (block.line, None)))
        return sentence_id, seen["text"][1] if "text" in seen else None, seen.get("tree")

    def _open_document(self, line: int, value: str | None) -> None:
        if value is None:
            document = self._stem
        else:
            self.has_documents = True
            document = value or f"{self._stem}#{len(self._document_ids) + 1}"
        if document == self._document:
            what = f"newdoc repeats the id {document!r}: the document goes on"
            self.report(Fault("document_reopened", line, "", what, severity="warning"))
        elif document in self._document_ids:
            self._fault(line, f"a second document with the id {document!r}", "ids are used once")
        self._document = document
        self._document_ids.add(document)

    def _declare(self, line: int, value: str) -> None:
        fields = EntityFields.declared(value)
        if fields is None:
            cure = "name each field once, set apart by -: GRP-etype-infstat"
            self._fault(line, f"the fields of global.Entity cannot be read: {value!r}", cure)
            return
        if self._sentence_parser.undeclared_entity:
            cure = f"it belongs before line {self._sentence_parser.undeclared_entity}"
            self._fault(line, "global.Entity behind the first Entity=", cure)
        self.has_mentions = True
        self._sentence_parser.entity_fields = fields

    def _sentence_id(self, line: int, value: str | None) -> str:
        if not value:
            if value is not None:
                self._fault(line, "sent_id without a value", "# sent_id = NAME")
            return f"#{self._counts['sentences']}"
        first = self._sentence_ids.setdefault(value, line)
        if first != line:
            what = f"the sent_id {value!r} was used at line {first}"
            self._fault(line, what, "ids are used once")
        return value

    def _fault(self, line: int, what: str, cure: str) -> None:
        self.report(Fault("comment", line, "", what, cure))
