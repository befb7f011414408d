"""A block of CoNLL-U lines as a checked sentence: ids, words, contractions, features, heads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from conllu.exceptions import ParseException
from conllu.parser import parse_id_value

from ..core.types import Sentence
from .base import NO_HEAD, Constituent, Mention, Word
from .conllu_text import Block, Row
from .entities import EntityCounts, EntityFields, EntityReader
from .faults import Fault, Report
from .heads import tree_faults
from .surface import Token, surface

UPOS = frozenset(
    "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()
)
"""The universal tags of UD version 2."""

_NUMBER = re.compile("0|[1-9][0-9]{0,8}")
_ID_LENGTH = 20
_NO_FEATS: Mapping[str, str] = {}


class ParsedSentence(NamedTuple):
    """A sound sentence. Heads, mentions and constituents count words from the sentence's first.

    ``mentions`` is None where no coreference has been declared so far, ``constituents`` where no
    tree is given, or one that does not fit the words.
    """

    line: int
    document: str
    id: str
    sentence: Sentence
    words: tuple[Word, ...]
    mentions: tuple[Mention, ...] | None
    constituents: tuple[Constituent, ...] | None = None


class _Contraction(NamedTuple):
    line: int
    form: str
    first: int
    last: int
    space_after: bool


class SentenceParser:
    """Parses the sentences of one file; remembers what must be the same throughout the file."""

    def __init__(self, report: Report, counts: Counter[str]) -> None:
        self.report = report
        self.counts = counts
        self.entity_counts = EntityCounts()
        self.entity_fields: EntityFields | None = None
        self.undeclared_entity = 0
        """The line of the first Entity= before any declaration; 0 for none."""
        self._has_heads: bool | None = None
        self._feats: dict[str, Mapping[str, str] | None] = {"_": _NO_FEATS}
        self._sentence = ""
        self._errors = 0

    def parse(
        self, block: Block, document: str, sentence_id: str, text: str | None
    ) -> ParsedSentence | None:
        """The sentence, or None after an error has been reported (by a listener that goes on)."""
        self._sentence, self._errors = sentence_id, 0 if block.sound else 1
        rows, tokens = self._tokens(block)
        # With a row missing or misnumbered, each number behind it would look wrong as well.
        numbered = not self._errors
        mentions = self._mentions(block) if numbered else None
        words = self._words(rows) if numbered else ()
        if self._errors:
            return None
        sentence = surface([word.form for word in words], tokens)
        if text is not None and text != sentence.text and text.split() != sentence.text.split():
            what = f"the comment text is {text!r}, but the words give {sentence.text!r}"
            self._warn("text_differs", block.line, what)
        return ParsedSentence(block.line, document, sentence_id, sentence, words, mentions)

    def _tokens(self, block: Block) -> tuple[list[Row], list[Token]]:
        """The rows of the words, ids checked, and the surface tokens over them."""
        rows: list[Row] = []
        tokens: list[Token] = []
        contraction: _Contraction | None = None
        empty = 0
        for row in block.rows:
            cells = row.cells
            due = len(rows) + 1
            if cells[0] == str(due):
                empty = 0
                rows.append(row)
                if contraction is None:
                    space = "SpaceAfter=No" not in cells[9].split("|")
                    tokens.append(Token(cells[1], due - 1, due, space))
                elif contraction.last == due:
                    tokens.append(
                        Token(contraction.form, contraction.first - 1, due, contraction.space_after)
                    )
                    contraction = None
                continue
            if not block.sound:
                continue
            kind, first, last = _special_id(cells[0])
            if kind == "." and first == len(rows) and last == empty + 1:
                empty += 1
                self.counts["empty_nodes"] += 1
            elif kind == "-" and first == due and last >= first and contraction is None:
                self.counts["multiword_rows"] += 1
                if cells[1] == "_":
                    self._error("form", row.line, "a multiword row without a form")
                if cells[6] != "_" or cells[7] != "_":
                    what = "a multiword row has a head or a relation, which belong to its words"
                    self._warn("multiword_cells", row.line, what)
                space = "SpaceAfter=No" not in cells[9].split("|")
                contraction = _Contraction(row.line, cells[1], first, last, space)
            else:
                self._error(
                    "id",
                    row.line,
                    f"the id {cells[0][:_ID_LENGTH]!r} where word {due} is due",
                    "words are numbered 1, 2, 3; a contraction 3-4 stands before its first word, "
                    "an empty node 3.1 behind word 3",
                )
                return rows, tokens
        if contraction is not None and block.sound:
            what = (
                f"the multiword row {contraction.first}-{contraction.last} runs past the sentence"
            )
            self._error("id", contraction.line, what)
        if not rows and block.sound:
            self._error("id", block.line, "a sentence without words")
        return rows, tokens

    def _words(self, rows: list[Row]) -> tuple[Word, ...]:
        heads = self._heads(rows)
        words = []
        for (line, cells), head in zip(rows, heads, strict=True):
            _, form, lemma, upos, xpos, feats, _, deprel, _, _ = cells
            features = self._feats.get(feats)
            if features is None:
                features = self._features(line, feats)
            if upos not in UPOS and upos != "_":
                if " " in upos:
                    self._error("upos", line, f"a blank inside the tag {upos!r}")
                self._warn("upos_unknown", line, f"{upos!r} is not a universal tag of UD 2")
            if " " in deprel:
                self._error("deprel", line, f"a blank inside the relation {deprel!r}")
            if form == "_":
                if lemma != "_":
                    self._warn(
                        "form_missing", line, f"the form of the lemma {lemma!r} is not given"
                    )
            elif lemma == "_":
                lemma = ""
            words.append(
                Word(
                    form,
                    lemma,
                    "" if upos == "_" else upos,
                    "" if xpos == "_" else xpos,
                    features,
                    head,
                    "" if deprel == "_" else deprel,
                )
            )
        if len(words) > 2 and words[0].form[0] == "_" and _masked(words):
            cure = "restore the text with the script that comes with the treebank"
            self._error("form", rows[0].line, "the words are masked by underscores", cure)
        return tuple(words)

    def _heads(self, rows: list[Row]) -> list[int]:
        """The heads, from 0 within the sentence; NO_HEAD for the root and without syntax."""
        if self._has_heads is None:
            self._has_heads = any(row.cells[6] != "_" for row in rows)
        heads = []
        for line, cells in rows:
            head, deprel = cells[6], cells[7]
            if not self._has_heads:
                if head != "_" or deprel != "_":
                    what = "a head or a relation, where the file has no syntax up to here"
                    self._error("head", line, what, "give every word a head, or none")
            elif _NUMBER.fullmatch(head):
                heads.append(int(head))
                if (head == "0") != (deprel.partition(":")[0] == "root") and deprel != "_":
                    what = f"the relation {deprel!r} with the head {head}: root goes with 0"
                    self._warn("root_relation", line, what)
            else:
                what = "no head" if head == "_" else f"the head {head!r} is not a number"
                self._error("head", line, what, "0 for the root, else the number of a word")
        if not self._has_heads:
            return [NO_HEAD] * len(rows)
        if len(heads) < len(rows):
            return [NO_HEAD] * len(rows)
        for position, what in tree_faults(heads):
            self._error("tree", rows[position].line, what)
        return [head - 1 if head else NO_HEAD for head in heads]

    def _features(self, line: int, cell: str) -> Mapping[str, str]:
        features: dict[str, str] = {}
        before = self._errors
        for pair in cell.split("|"):
            name, equals, value = pair.partition("=")
            if not (name and equals and value) or " " in pair or "=" in value:
                self._error("feats", line, f"{pair!r} is not a feature", "write Name=Value")
            elif name in features:
                cure = "write several values as Name=A,B"
                self._error("feats", line, f"the feature {name} twice", cure)
            features[name] = value
        if self._errors == before:
            # Most cells recur thousands of times, and nothing writes into them.
            self._feats[cell] = features
        return features

    def _mentions(self, block: Block) -> tuple[Mention, ...] | None:
        fields = self.entity_fields

        def tell(line: int, what: str) -> None:
            self._error("brackets", line, what, "each mention opens and closes in one sentence")

        reader = EntityReader(fields, self.entity_counts, tell) if fields else None
        position = 0
        for line, cells in block.rows:
            is_word = cells[0].isdecimal()
            if "Entity=" in cells[9]:
                values = [m[7:] for m in cells[9].split("|") if m.startswith("Entity=")]
                if values and reader is None:
                    self.undeclared_entity = self.undeclared_entity or line
                    what = "Entity= without a comment # global.Entity before it is not read"
                    self._warn("entity_undeclared", line, what)
                elif len(values) > 1:
                    self._error("brackets", line, "two values of Entity=", "join them into one")
                elif values and "-" in cells[0]:
                    what = "Entity= on a multiword row"
                    self._error("brackets", line, what, "put it on the contraction's words")
                elif values and reader:
                    if not values[0]:
                        self._error("brackets", line, "an empty value of Entity=")
                    reader.read(values[0], position, position + is_word, line)
            position += is_word
        return tuple(reader.finish()) if reader else None

    def _error(self, kind: str, line: int, what: str, cure: str = "") -> None:
        self._errors += 1
        self.report(Fault(kind, line, self._sentence, what, cure))

    def _warn(self, kind: str, line: int, what: str) -> None:
        self.report(Fault(kind, line, self._sentence, what, severity="warning"))


def _special_id(cell: str) -> tuple[str, int, int]:
    """``3-4`` as ("-", 3, 4), ``3.1`` as (".", 3, 1), anything else as ("", 0, 0)."""
    if len(cell) <= _ID_LENGTH:
        try:
            value = parse_id_value(cell)
        except ParseException:
            value = None
        if isinstance(value, tuple):
            return value[1], value[0], value[2]
    return "", 0, 0


def _masked(words: list[Word]) -> bool:
    return all(not word.form.strip("_") for word in words) and any(
        word.upos not in ("PUNCT", "SYM", "") for word in words
    )
