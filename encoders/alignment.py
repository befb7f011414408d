"""Words to subwords, by characters: which pieces of a tokenizer belong to which word.

The rule: a piece belongs to every word whose characters it overlaps, and to no other. It is
never guessed from the pieces' strings. What follows from it, and what it leaves open:

- A piece over two words (byte BPE and SentencePiece in text without spaces) belongs to both.
  Words that share characters (Spanish *del* = *de* + *el*) share the pieces over them.
- The space before a word belongs to no word, whether a tokenizer counts it in (GPT-2), trims it
  (RoBERTa) or makes a piece of it alone: a piece that is only a space marker is no word's.
- A word without pieces (zero-width and control characters that a tokenizer drops) takes the state
  of the nearest preceding piece, of the first piece where none precedes, and is counted.
- Offsets are checked, not believed: where they leave the text, run backwards or pass over
  characters that the tokenizer did read (as in Llama 3, tokenizers issue 1553), the text is
  tokenised again word by word, and this is counted. So are the texts of tokenizers without
  offsets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.types import Sentence, Span

# How tokenizers write a space at the start of a piece: SentencePiece, and byte-level BPE.
_SPACE_MARKERS = "\u2581\u0120"

Ints = NDArray[np.int64]


class Unit(NamedTuple):
    """A text that a model reads in one go, and where its words stand in it."""

    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Alignment:
    """The pieces of a unit: word ``i`` has the pieces ``first[i]:last[i]``, at least one.

    ``ids`` (pieces) are without special tokens. ``missing`` (words) marks the words that have no
    piece of their own and borrow one. ``word_by_word`` tells that offsets could not be used.
    ``first`` never falls from word to word.
    """

    ids: Ints
    first: Ints
    last: Ints
    missing: NDArray[np.bool_]
    word_by_word: bool

    def groups(self) -> tuple[Ints, Ints]:
        """Words that must stand in one window because they share pieces.

        Returns the borders of the groups, in words and in pieces, both from 0 to the end: group
        ``k`` holds the words ``words[k]:words[k + 1]`` and the pieces ``pieces[k]:pieces[k + 1]``.
        Pieces of no word go to the group behind them, the last ones to the last group.
        """
        reach = np.maximum.accumulate(self.last)
        begins = np.flatnonzero(self.first[1:] >= reach[:-1]) + 1
        words = np.concatenate(([0], begins, [len(self.first)]))
        pieces = np.concatenate(([0], reach[begins - 1], [len(self.ids)]))
        return words, pieces


def unit_of(sentences: Sequence[Sentence]) -> Unit:
    """Join sentences into one text with a space between them."""
    texts: list[str] = []
    spans: list[Span] = []
    shift = 0
    for sentence in sentences:
        texts.append(sentence.text)
        spans.extend(Span(a + shift, b + shift) for a, b in sentence.offsets)
        shift += len(sentence.text) + 1
    return Unit(" ".join(texts), tuple(spans))


class Aligner:
    """Aligns units with one tokenizer of transformers, fast (with offsets) or slow.

    ``placeholder`` is the piece that stands for a whole unit of which the tokenizer leaves nothing.
    """

    def __init__(self, tokenizer: Any, placeholder: int = 0) -> None:
        self._tokenizer = tokenizer
        self._placeholder = placeholder
        markers = [
            index
            for token, index in tokenizer.get_vocab().items()
            if not token.strip(_SPACE_MARKERS)
        ]
        self._markers: Ints = np.array(sorted(markers), dtype=np.int64)
        # Whether a word in the middle of a text is the same alone only with its space before it.
        alone, spaced, both = self._tokenise(["a", " a", "a a"])
        self._space_counts = alone + spaced == both

    def align(self, units: Sequence[Unit]) -> list[Alignment]:
        """One alignment per unit, in order; independent of the other units."""
        if not units:
            return []
        if not self._tokenizer.is_fast:
            return [self.align_word_by_word(unit) for unit in units]
        batch = self._call([unit.text for unit in units], return_offsets_mapping=True)
        return [
            self._by_offsets(unit, np.array(ids, dtype=np.int64), offsets)
            for unit, ids, offsets in zip(
                units, batch["input_ids"], batch["offset_mapping"], strict=True
            )
        ]

    def align_word_by_word(self, unit: Unit) -> Alignment:
        """Tokenise each word alone (words that share characters together): slow, never shifted."""
        first = np.zeros(len(unit.spans), dtype=np.int64)
        last = np.zeros(len(unit.spans), dtype=np.int64)
        blocks = _blocks(unit.spans)
        surfaces = []
        for _, span in blocks:
            before = unit.text[max(0, span.start - 1) : span.start]
            space = " " if self._space_counts and before.isspace() else ""
            surfaces.append(space + unit.text[span.start : span.end])
        ids: list[int] = []
        for (words, _), pieces in zip(blocks, self._tokenise(surfaces), strict=True):
            first[words.start : words.end] = len(ids)
            ids.extend(pieces)
            last[words.start : words.end] = len(ids)
        return self._complete(np.array(ids, dtype=np.int64), first, last, True)

    def _by_offsets(self, unit: Unit, ids: Ints, offsets: Sequence[tuple[int, int]]) -> Alignment:
        starts, ends = np.array(offsets, dtype=np.int64).reshape(-1, 2).T  # (pieces,) each
        if not self._believable(unit, ids, starts, ends):
            return self.align_word_by_word(unit)
        real = ends > starts
        for piece in np.flatnonzero(real & np.isin(ids, self._markers)):
            # A marker has the next character's offsets where no space stands in the text; a word
            # that is itself written with the marker's character keeps its piece.
            surface = unit.text[starts[piece] : ends[piece]]
            real[piece] = bool(surface) and not surface.strip(_SPACE_MARKERS)
        own = np.flatnonzero(real)
        spans = np.array(unit.spans, dtype=np.int64).reshape(-1, 2)  # (words, 2)
        begin = np.searchsorted(ends[own], spans[:, 0], side="right")
        end = np.searchsorted(starts[own], spans[:, 1], side="left")
        if not own.size:
            return self._complete(ids, np.zeros_like(begin), np.zeros_like(end), False)
        found = begin < end
        # Where no piece overlaps, ``end`` counts the pieces before the word.
        first = np.where(found, own[np.minimum(begin, own.size - 1)], _behind(own, end))
        last = np.where(found, own[np.maximum(end, 1) - 1] + 1, first)
        return self._complete(ids, first, last, False)

    def _complete(self, ids: Ints, first: Ints, last: Ints, word_by_word: bool) -> Alignment:
        """Let the words without pieces borrow the piece before them."""
        if not ids.size:
            ids = np.array([self._placeholder], dtype=np.int64)
        missing = first >= last
        first = np.where(missing, np.maximum(first - 1, 0), first)
        # Among words that overlap one another the piece before may belong to an earlier group.
        first = np.where(missing, np.maximum.accumulate(first), first)
        last = np.where(missing, first + 1, last)
        return Alignment(ids, first, last, missing, word_by_word)

    def _believable(self, unit: Unit, ids: Ints, starts: Ints, ends: Ints) -> bool:
        """Offsets stay in the text, never run backwards and cover what the tokenizer read."""
        size = len(unit.text)
        if np.any(starts < 0) or np.any(ends > size) or np.any(starts > ends):
            return False
        real = ends > starts
        if np.any(np.diff(starts[real]) < 0) or np.any(np.diff(ends[real]) < 0):
            return False
        covered = _paint(starts[real], ends[real], size)
        spans = np.array(unit.spans, dtype=np.int64).reshape(-1, 2)
        open_places = np.flatnonzero(_paint(spans[:, 0], spans[:, 1], size) & ~covered)
        dropped = {int(i) for i in open_places if not unit.text[i].isspace()}
        if not dropped:
            return True
        # A tokenizer dropped these characters if and only if it reads the same without them.
        rest = "".join(c for i, c in enumerate(unit.text) if i not in dropped)
        return bool(self._tokenise([rest])[0] == ids.tolist())

    def _tokenise(self, texts: list[str]) -> list[list[int]]:
        if not texts:
            return []
        ids: list[list[int]] = self._call(texts)["input_ids"]
        return ids

    def _call(self, texts: list[str], **options: Any) -> Any:
        return self._tokenizer(
            texts,
            add_special_tokens=False,
            truncation=False,
            padding=False,
            return_attention_mask=False,
            verbose=False,
            **options,
        )


def _behind(own: Ints, count: Ints) -> Ints:
    """The piece right behind the first ``count`` of the pieces ``own`` (0 where count is 0)."""
    behind: Ints = np.where(count > 0, own[np.maximum(count, 1) - 1] + 1, 0)
    return behind


def _paint(starts: Ints, ends: Ints, size: int) -> NDArray[np.bool_]:
    """Which of ``size`` characters lie in any of the half-open ranges."""
    change = np.zeros(size + 1, dtype=np.int64)
    np.add.at(change, starts, 1)
    np.add.at(change, ends, -1)
    painted: NDArray[np.bool_] = np.cumsum(change[:-1]) > 0
    return painted


def _blocks(spans: Sequence[Span]) -> list[tuple[Span, Span]]:
    """Runs of words that share characters, as (words, characters)."""
    blocks: list[tuple[Span, Span]] = []
    for word, span in enumerate(spans):
        if blocks and span.start < blocks[-1][1].end:
            words, characters = blocks[-1]
            blocks[-1] = (
                Span(words.start, word + 1),
                Span(characters.start, max(characters.end, span.end)),
            )
        else:
            blocks.append((Span(word, word + 1), Span(*span)))
    return blocks
