"""Can a corpus serve a task at all?"""

from __future__ import annotations

from ..core.types import SPLITS
from .base import Corpus, Task
from .preparation import labels_of, rewritten


def can_serve(task: Task, corpus: Corpus) -> bool:
    """Whether each split has a target, and train two labels: with one there is nothing to tell
    apart. Looks no further than it has to."""
    return all(_has(task, corpus, split, 2 if split == "train" else 1) for split in SPLITS)


def _has(task: Task, corpus: Corpus, split: str, wanted: int) -> bool:
    labels: set[str] = set()
    for document in corpus.splits.get(split, ()):
        for each in rewritten(task, (document,)):
            for target in task.targets(each):
                labels.update(labels_of(target))
                if len(labels) >= wanted:
                    return True
    return False
