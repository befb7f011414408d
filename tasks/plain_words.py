"""Words of running text without regard to capitals and punctuation; files block by block."""

from __future__ import annotations

import gzip
import re
import unicodedata
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core import progress
from ..core.errors import DataError

_WORD = re.compile(r"[^\W_]+")
_SPACES = (b" ", b"\n")
_BLOCK = 1 << 20
_LONGEST = 1 << 26


def plain_words(text: str) -> list[str]:
    """The runs of letters and digits of a text, in lower case and canonical Unicode (NFC).

    *don't* is *do nt* as the tokenised *do n't* is; the other clitics stand apart by themselves.
    """
    text = unicodedata.normalize("NFC", text).lower().replace("\u2019", "'")
    return _WORD.findall(text.replace("n't", " nt"))


def plain_blocks(path: Path) -> Iterator[tuple[list[str], NDArray[np.int64]]]:
    """The plain words of a file (UTF-8, or ``.gz`` of it), block by block, and the line of each.

    Raises DataError, with the line, for a file that is no text.
    """
    line = 1
    for block in _cut_at_spaces(path):
        try:
            text = block.decode("utf-8")
        except UnicodeDecodeError as error:
            wrong = line + block.count(b"\n", 0, error.start)
            raise DataError(
                f"not UTF-8 ({error.reason})",
                where=f"{path}:{wrong}",
                cure="convert the file to UTF-8",
            ) from error
        words: list[str] = []
        counts = []
        for row in text.split("\n"):
            found = plain_words(row)
            words += found
            counts.append(len(found))
        yield words, np.repeat(np.arange(line, line + len(counts)), counts)
        line += len(counts) - 1


def _cut_at_spaces(path: Path) -> Iterator[bytes]:
    """The bytes of a file in blocks that end between words."""
    rest = b""
    try:
        with path.open("rb") as raw, progress.bar(path.name, path.stat().st_size) as advance:
            stream = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            at = 0
            while chunk := stream.read(_BLOCK):
                rest += chunk
                cut = max(rest.rfind(space) for space in _SPACES) + 1
                if not cut and len(rest) > _LONGEST:
                    raise DataError(
                        f"no space and no end of a line in {len(rest):,} bytes",
                        where=str(path),
                        cure="name a text file, or .gz of one",
                    )
                yield rest[:cut]
                rest = rest[cut:]
                advance(raw.tell() - at, "")
                at = raw.tell()
    except FileNotFoundError as error:
        raise DataError("no such file", where=str(path), cure="check the path") from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"cannot be read ({error})", where=str(path), cure="name a text file, or .gz of one"
        ) from error
    yield rest
