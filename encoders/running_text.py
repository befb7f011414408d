"""Running text as words, for pretraining: split as Universal Dependencies splits English.

Words and punctuation marks stand apart, and so do the two halves of a contraction (*do* *n't*),
the possessive and the parts of a hyphenated word, so that a probed treebank's words look like the
words that the encoder was pretrained on. Text that is tokenised already stays as it is.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..core.errors import DataError

TOKENISATION = "layerwise-en-1"
"""The version of the rules below; a checkpoint records it."""

_APOSTROPHE = "['\u2019]"
_WORD = re.compile(
    rf"""
      [^\W_]+?(?=n{_APOSTROPHE}t\b)            # do|n't
    | n{_APOSTROPHE}t\b
    | {_APOSTROPHE}(?:s|m|d|ll|re|ve)\b        # 's 'll
    | \d+(?:[.,:]\d+)*                         # 3,000.5
    | (?:[^\W\d_]\.){{2,}}                     # U.S.
    | (?:Mr|Mrs|Ms|Dr|St|Jr|Sr|Prof|Rev|Gen|Col|Capt|Lt|No|vs|etc)\.
    | [^\W_]+                                  # a run of letters and digits
    | --+ | \.\.+ | `` | ''
    | \S                                       # any other mark by itself
    """,
    re.VERBOSE | re.IGNORECASE,
)


def split_words(text: str) -> list[str]:
    """The words of a stretch of running text.

    >>> split_words("Mr. Smith's dog doesn't bark--well-fed, it slept.")
    ['Mr.', 'Smith', "'s", 'dog', 'does', "n't", 'bark', '--', 'well', '-', 'fed', ',', 'it', \
'slept', '.']
    """
    return _WORD.findall(text)


def read_words(paths: Sequence[Path]) -> Iterator[list[str]]:
    """The words of each line of plain text files (or ``.gz``), in order; empty lines are passed."""
    for path in paths:
        opener = gzip.open if path.suffix == ".gz" else open
        try:
            with opener(path, "rt", encoding="utf-8-sig") as lines:
                for line in lines:
                    words = split_words(line)
                    if words:
                        yield words
        except FileNotFoundError as error:
            raise DataError("no such file", where=str(path)) from error
        except (OSError, UnicodeDecodeError, EOFError, zlib.error) as error:
            raise DataError(f"cannot be read as UTF-8 text ({error})", where=str(path)) from error
