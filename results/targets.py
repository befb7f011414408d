"""The test targets of a task, with their words, so that errors can be shown in context.

Once for all records of a task on its data, in ``targets/HASH.json`` beside them, HASH being the
start of their ``data_hash``. The text stays in the user's folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import DataError
from ..core.files import canonical_json, inside, read_json, write_text
from ..core.types import Span

FOLDER = "targets"


@dataclass(frozen=True)
class TestTargets:
    """``classes`` are the labels of training in the order of their numbers; of each target its
    document, spans and labels; ``sentences`` are, by document, the words of each sentence."""

    __test__ = False  # for pytest, whose classes begin with the same word

    task: str
    classes: tuple[str, ...]
    documents: tuple[str, ...]
    spans1: tuple[Span, ...]
    spans2: tuple[Span, ...] | None
    labels: tuple[tuple[str, ...], ...]
    sentences: Mapping[str, Sequence[Sequence[str]]]
    groups: tuple[int, ...] | None = None
    strata: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def write(self, folder: Path, data_hash: str) -> None:
        """Into the folder of their records; what is there already is the same."""
        path = _path(folder, data_hash)
        if not path.exists():
            write_text(path, canonical_json(vars(self)))


def read_targets(folder: Path, data_hash: str) -> TestTargets | None:
    """Those of a record's data, or None where the folder has none."""
    path = _path(folder, data_hash)
    if not path.exists():
        return None
    try:
        found = read_json(path)
        return TestTargets(
            task=found["task"],
            classes=tuple(found["classes"]),
            documents=tuple(found["documents"]),
            spans1=tuple(Span(*span) for span in found["spans1"]),
            spans2=found["spans2"] and tuple(Span(*span) for span in found["spans2"]),
            labels=tuple(map(tuple, found["labels"])),
            sentences=found["sentences"],
            groups=found["groups"] and tuple(found["groups"]),
            strata=found["strata"],
        )
    except (KeyError, TypeError) as error:
        raise DataError(
            f"is no list of targets ({type(error).__name__}: {error})", where=str(path)
        ) from error


def _path(folder: Path, data_hash: str) -> Path:
    return inside(folder / FOLDER, f"{data_hash[:16]}.json")
