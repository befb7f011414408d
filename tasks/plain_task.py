"""What the tasks that take no argument have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import UsageError
from ..core.types import Target
from .availability import can_serve
from .base import AnnotatedDocument, Corpus


class PlainTask(ABC):
    """A task whose name is all that there is to say. A subclass gives name, facts and targets."""

    description: str
    name: str
    version: str = "v1"
    metric: str = "accuracy"
    positive: str | None = None
    facts: Mapping[str, Any]

    def __init__(self, argument: str = "") -> None:
        if argument:
            raise UsageError(
                f"{self.name} takes no argument, but got {argument!r}",
                where="--task",
                cure=f"write {self.name}",
            )

    @abstractmethod
    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """The document's targets, in order."""

    @classmethod
    def available(cls, corpus: Corpus) -> list[str]:
        """The task's name if each split has a target and train two labels, else nothing."""
        return [cls.name] if can_serve(cls(), corpus) else []
