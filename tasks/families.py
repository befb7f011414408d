"""Entry points whose argument tells which kind of task is meant: ``morph:all``, ``morph:Case``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .base import Corpus


class Family(NamedTuple):
    """``make`` gives the task of an argument; ``surveys`` tell which tasks a corpus can serve.

    What stands for several tasks (a ``TaskGroup``) is made like the others, and surveyed by none.
    """

    description: str
    make: Callable[[str], Any]
    surveys: tuple[Callable[[Corpus], list[str]], ...]

    def __call__(self, argument: str = "") -> Any:
        """The task of that argument. Raises UsageError for one that makes no sense."""
        return self.make(argument)

    def available(self, corpus: Corpus) -> list[str]:
        """The full names of the tasks that the corpus can serve."""
        return [name for survey in self.surveys for name in survey(corpus)]
