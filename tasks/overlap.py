"""Which n-grams of a text another text has, too: exactly, in memory of the first text alone.

Texts are compared as ``plain_words``: capitals, punctuation, quotation marks, and whether a text
is raw or tokenised, make no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.errors import UsageError
from ..core.types import Document
from .plain_words import plain_blocks, plain_words

NGRAM = 13
"""Words of an n-gram, as in Brown et al. 2020 (NeurIPS, appendix C)."""


Numbers = NDArray[np.int64]


class Example(NamedTuple):
    """An n-gram of a document that a file has, too; ``line`` is the one in which it ends."""

    document: str
    words: str
    file: str
    line: int


@dataclass(frozen=True)
class Overlap:
    """How much of some documents was met in other text.

    ``ngrams`` are places in the documents, each with its n-gram; ``words_covered`` are words of an
    n-gram that was met; a document ``met`` has one at least. Documents shorter than an n-gram are
    ``too_short`` to be met; they count as documents, and so do their words.
    """

    ngram: int
    documents: int
    documents_met: int
    documents_too_short: int
    words: int
    words_covered: int
    ngrams: int
    ngrams_met: int

    @property
    def share_of_words(self) -> float:
        """Of all words, those covered."""
        return self.words_covered / self.words if self.words else 0.0

    @property
    def share_of_ngrams(self) -> float:
        """Of all n-grams, those met."""
        return self.ngrams_met / self.ngrams if self.ngrams else 0.0

    def facts(self) -> dict[str, float]:
        """All of it as plain numbers, for JSON."""
        shares = {
            "share_of_words": self.share_of_words,
            "share_of_ngrams": self.share_of_ngrams,
        }
        return asdict(self) | shares


class _Step(NamedTuple):
    """From n-grams to longer ones: two that begin ``shift`` words apart make one.

    A pair of numbers (a, b) is the code ``a * base + b``; its place in the sorted ``table``, from
    1, is the number of the longer n-gram.
    """

    shift: int
    base: int
    table: Numbers


class TextIndex:
    """The n-grams of documents, to be looked for in other text of any length.

    Each n-gram has a number, put together from those of its halves (Karp, Miller and Rosenberg
    1972, STOC, naming of repeated patterns), so that equal numbers mean equal words: no hash, no
    false hit. Memory goes with the documents alone. n-grams do not reach over the end of a
    document.
    """

    def __init__(self, documents: Sequence[Document], ngram: int = NGRAM) -> None:
        if ngram < 1:
            raise UsageError(
                f"not a number of words: {ngram}", where="--ngram", cure=f"write --ngram {NGRAM}"
            )
        self.ngram = ngram
        self._documents = documents
        self._words: dict[str, int] = {}
        self._steps: list[_Step] = []
        numbers: list[int] = []
        starts = [0]
        for document in documents:
            for sentence in document.sentences:
                for word in plain_words(sentence.text):
                    numbers.append(self._words.setdefault(word, len(self._words) + 1))
            numbers.append(0)  # a word that there is not: no n-gram reaches over it
            starts.append(len(numbers))
        self._numbers = np.asarray(numbers, np.int64)  # (words and ends of documents,)
        self._starts = np.asarray(starts, np.int64)
        self._at = self._build()  # the n-gram that begins at each place, or 0
        self.size = int(self._at.max(initial=0)) + 1

    def _build(self) -> Numbers:
        numbers, width = self._numbers, 1
        while width < self.ngram:
            shift = min(width, self.ngram - width)
            base = int(numbers.max(initial=0)) + 1
            first, second = numbers[: max(len(numbers) - shift, 0)], numbers[shift:]
            whole = (first > 0) & (second > 0)
            self._steps.append(_Step(shift, base, np.unique(first[whole] * base + second[whole])))
            numbers = _longer(numbers, self._steps[-1])
            width += shift
        return numbers

    def number(self, words: Iterable[str]) -> Numbers:
        """Each word's number, 0 for one that the documents do not have, of shape (words,)."""
        return np.fromiter((self._words.get(word, 0) for word in words), np.int64)

    def ngrams_of(self, words: Numbers) -> Numbers:
        """The n-gram that begins at each word, 0 for one that the documents do not have.

        Of shape (words - n + 1,), empty where there are fewer words than n.
        """
        for step in self._steps:
            words = _longer(words, step)
        return words

    def measure(self, met: NDArray[np.bool_]) -> Overlap:
        """What it means for the documents that n-grams were met; ``met``, of shape (size,), by
        number, as ``Search`` gives it."""
        places = np.flatnonzero(met[self._at] & (self._at > 0))
        change = np.zeros(len(self._numbers) + 1, np.int64)
        change[places] += 1
        change[places + self.ngram] -= 1
        owners = np.searchsorted(self._starts, places, side="right")
        lengths = np.diff(self._starts) - 1
        return Overlap(
            ngram=self.ngram,
            documents=len(self._documents),
            documents_met=len(np.unique(owners)),
            documents_too_short=int((lengths < self.ngram).sum()),
            words=int(lengths.sum()),
            words_covered=int((np.cumsum(change) > 0).sum()),
            ngrams=int(np.maximum(lengths - self.ngram + 1, 0).sum()),
            ngrams_met=len(places),
        )

    def example(self, number: int) -> tuple[str, str]:
        """The id of the first document that has the n-gram, and its words."""
        place = int(np.flatnonzero(self._at == number)[0])
        document = self._documents[int(np.searchsorted(self._starts, place, side="right")) - 1]
        spelling = {number: word for word, number in self._words.items()}
        words = self._numbers[place : place + self.ngram].tolist()
        return document.id, " ".join(spelling[word] for word in words)


class Search:
    """Other text, walked past an index once. ``met``, of shape (size,), tells by number which
    n-grams were met; ``words`` how many words were read."""

    def __init__(self, index: TextIndex) -> None:
        self._index = index
        self._tail = np.empty(0, np.int64)
        self.met = np.zeros(index.size, np.bool_)
        self.words = 0

    def feed(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """Go on with these words (``plain_words``).

        Gives the n-grams met: the place among ``words`` where it ends, and its number.
        """
        numbers = np.concatenate([self._tail, self._index.number(words)])
        found = self._index.ngrams_of(numbers)
        places = np.flatnonzero(found)
        ends = places + self._index.ngram - 1 - len(self._tail)
        self.met[found[places]] = True
        self.words += len(words)
        self._tail = numbers[max(len(numbers) - self._index.ngram + 1, 0) :]
        return list(zip(ends.tolist(), found[places].tolist(), strict=True))

    def end(self) -> None:
        """The text ends here: what comes next is another one."""
        self._tail = np.empty(0, np.int64)


def search_documents(index: TextIndex, documents: Iterable[Document]) -> Search:
    """Look for the index's n-grams in other documents."""
    search = Search(index)
    for document in documents:
        search.feed([w for sentence in document.sentences for w in plain_words(sentence.text)])
        search.end()
    return search


def search_file(index: TextIndex, path: Path, most: int = 5) -> tuple[Search, list[Example]]:
    """Look for the index's n-grams in a file of running text (UTF-8, or ``.gz`` of it).

    The file is read once, a block at a time, as one text: n-grams reach over its lines. Gives
    ``most`` examples, no two of which share words of the file. Raises DataError, with the line,
    for a file that is no text.
    """
    search = Search(index)
    examples: list[Example] = []
    free = 0  # words of the file behind the last example
    for words, lines in plain_blocks(path):
        before = search.words
        for end, number in search.feed(words):
            if len(examples) < most and before + end - index.ngram + 1 >= free:
                examples.append(Example(*index.example(number), path.name, int(lines[end])))
                free = before + end + 1
    return search, examples


def _longer(numbers: Numbers, step: _Step) -> Numbers:
    first, second = numbers[: max(len(numbers) - step.shift, 0)], numbers[step.shift :]
    longer = np.zeros(len(first), np.int64)
    if len(step.table):
        whole = np.flatnonzero((first > 0) & (second > 0))
        codes = first[whole] * step.base + second[whole]
        place = np.minimum(np.searchsorted(step.table, codes), len(step.table) - 1)
        longer[whole] = np.where(step.table[place] == codes, place + 1, 0)
    return longer
