"""Whose exception it is: anyone may have written an encoder, a task or a probe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..core.errors import LayerwiseError, ModelError


@contextmanager
def blame(whose: str) -> Iterator[None]:
    """Make any exception but our own an error that names its author."""
    try:
        yield
    except LayerwiseError:
        raise
    except Exception as error:
        raise ModelError(
            f"fails ({type(error).__name__}: {error})",
            where=whose,
            cure="`probe --debug` shows where",
        ) from error
