"""Errors that a user can act on: what is wrong, where, and the cure, in one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LayerwiseError(Exception):
    """An expected failure. ``str(error)`` is one line: ``where: what; cure``.

    ``what`` is a plain statement of the fault, ``where`` a file and line, a flag or a name,
    ``cure`` what the user can do. ``exit_code`` is the exit status of ``probe``.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", cure: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.cure = cure

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        if self.cure:
            line = f"{line}; {self.cure}"
        return " ".join(line.split())

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments are lost by Exception's own reduction, and errors
        # cross process borders.
        return (_rebuild, (type(self), self.what, self.where, self.cure))


def _rebuild(kind: type[LayerwiseError], what: str, where: str, cure: str) -> LayerwiseError:
    return kind(what, where=where, cure=cure)


class UsageError(LayerwiseError):
    """A name or an option that does not exist or does not fit."""

    exit_code = 2


class DataError(LayerwiseError):
    """Data that cannot be read, or that cannot serve what is asked of it."""

    exit_code = 3


class ModelError(LayerwiseError):
    """A model that cannot be loaded, or that breaks the encoder contract."""

    exit_code = 3


def in_one_line(error: Exception) -> str:
    """What went wrong; for an exception that nobody expected, with its type."""
    if isinstance(error, LayerwiseError):
        return str(error)
    return " ".join(f"{type(error).__name__}: {error}".split())


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A cure for an unknown name: the nearest known ones, or all of them when none is near."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(near) + "?"
    return "known: " + ", ".join(known) if known else "none is known"
