"""Constituency trees in Penn brackets: ``(ROOT (S (NP (PRP She)) (VP (VBD left))))``.

A tree stands in the comment ``# tree = (...)`` of its CoNLL-U sentence, or in a file beside the
CoNLL-U file that has its name but ends in ``.ptb`` (or ``.ptb.gz``): one tree a sentence, in the
same order, over as many lines as it likes, with comments that begin with ``#``.

Source of the format: Bies et al. 1995, Bracketing Guidelines for Treebank II Style.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..core.errors import DataError
from ..core.types import Span
from .base import Constituent
from .conllu_text import file_stem, read_bytes, split_lines
from .faults import raising

_PART = re.compile(r"\(|\)|[^()\s]+")
_ESCAPED = re.compile("-(?:LRB|RRB|LSB|RSB|LCB|RCB)-")
_BRACKETS = dict(zip(("-LRB-", "-RRB-", "-LSB-", "-RSB-", "-LCB-", "-RCB-"), "()[]{}", strict=True))
_NOTHING = "-NONE-"


class Tree(NamedTuple):
    """A tree's words as they are written, and its phrases in preorder.

    Leaves without a surface (``-NONE-``) are left out, and phrases that hold no other.
    """

    words: tuple[str, ...]
    constituents: tuple[Constituent, ...]


def parse_tree(text: str) -> Tree:
    """The one tree of the text. Raises ValueError, which says what is wrong, for anything else."""
    trees = list(_trees([(1, text)]))
    if len(trees) != 1:
        raise ValueError(f"{len(trees)} trees where one is due")
    return trees[0]


def is_aligned(tree: Tree, words: Sequence[str]) -> bool:
    """Whether the tree's leaves are the words, escapes apart: only then do its spans count them."""
    return [plain(leaf) for leaf in tree.words] == [plain(word) for word in words]


def tree_file(path: Path) -> Path | None:
    """The file of trees beside a CoNLL-U file, if there is one."""
    beside = (path.with_name(f"{file_stem(path)}.ptb{end}") for end in ("", ".gz"))
    return next((found for found in beside if found.is_file()), None)


def read_trees(path: Path) -> list[Tree]:
    """All trees of a file. Raises DataError with ``where="FILE:LINE"`` at the first fault."""
    lines = split_lines(read_bytes(path), raising(str(path), {}))
    try:
        return list(_trees(each for each in enumerate(lines, 1) if not each[1].startswith("#")))
    except _Fault as fault:
        raise DataError(
            str(fault),
            where=f"{path}:{fault.line}",
            cure="write each tree as (LABEL (TAG word) ...)",
        ) from fault


class _Fault(ValueError):
    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.line = line


class _Open(NamedTuple):
    """An open bracket; ``place`` is that of its phrase among all, before those it holds."""

    label: str
    start: int
    place: int
    line: int


def plain(leaf: str) -> str:
    unescaped = _ESCAPED.sub(lambda sign: _BRACKETS[sign[0]], leaf)
    return unescaped.replace("\\/", "/").replace("\\*", "*")


def _trees(lines: Iterable[tuple[int, str]]) -> Iterator[Tree]:
    words: list[str] = []
    found: list[Constituent | None] = []
    waiting: list[_Open] = []
    before = ""  # what stands to the left: a bracket, a "label" or a "word"
    for line, text in lines:
        for part in _PART.findall(text):
            if part == "(":
                if before == "word":
                    raise _Fault("a word and a phrase in one bracket", line)
                waiting.append(_Open("", len(words), len(found), line))
                found.append(None)
                before = "("
            elif part != ")":
                if before == "(":
                    waiting[-1] = waiting[-1]._replace(label=part)
                    before = "label"
                elif before == "label":
                    if waiting[-1].label != _NOTHING:
                        words.append(part)
                    before = "word"
                else:
                    raise _Fault(f"{part!r} stands where a bracket is due", line)
            else:
                if not waiting or before in ("(", "label"):
                    raise _Fault("a bracket closes that holds nothing", line)
                label, start, place, _ = waiting.pop()
                if before == ")" and start < len(words):
                    found[place] = Constituent(Span(start, len(words)), label)
                before = ")"
                if not waiting:
                    yield Tree(tuple(words), tuple(each for each in found if each is not None))
                    words, found, before = [], [], ""
    if waiting:
        raise _Fault("this tree is not closed", waiting[0].line)
