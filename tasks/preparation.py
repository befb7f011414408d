"""A task on a corpus: targets of every split, and all that is told of them once for all layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from ..core.errors import DataError, did_you_mean
from ..core.types import SPLITS, Natural, Split, Target, TaskData
from .aspects import (
    Controlled,
    Guessing,
    Located,
    NaturalPrior,
    Ranking,
    Rewriting,
    Stratified,
)
from .audit import audit_targets
from .base import AnnotatedDocument, Corpus, Surveyor, Task
from .disjoint import disjoint

Documents = tuple[AnnotatedDocument, ...]


def prepare(task: Task, corpus: Corpus, apart: str = "") -> TaskData:
    """The task's targets on the corpus. Raises DataError where a split has none.

    ``apart`` keeps the word forms (``type``) or lemmas (``lemma``) of the splits apart.
    """
    texts = {name: rewritten(task, corpus.splits.get(name, ())) for name in SPLITS}
    located = {name: _located(texts[name], task.targets) for name in ("train", "dev")}
    groups = None
    if isinstance(task, Ranking):
        groups, located["test"] = _choices(task, texts["test"])
    else:
        located["test"] = _located(texts["test"], task.targets)
    for name in SPLITS:
        if not located[name]:
            raise DataError(
                f"the {name} split has nothing to label",
                where=f"--task {task.name} --data {corpus.name}",
                cure=_served(task, corpus),
            )
    facts: dict[str, Any] = {
        "corpus": corpus.name,
        "data": dict(corpus.facts),
        "task": dict(task.facts),
    }
    if apart:
        choice = dict(zip(map(id, located["test"]), groups or (), strict=False))
        kept, facts["disjoint"] = disjoint(corpus, located, apart)
        located = {name: list(each) for name, each in kept.items()}
        if groups is not None:
            groups = _renumbered([choice[id(each)] for each in located["test"]])
    facts["counts"] = counts = {name: _counts(texts[name], located[name]) for name in SPLITS}
    if groups is not None:
        counts["test"]["choices"] = groups[-1] + 1
    return TaskData(
        task=f"{task.name}.{task.version}",
        metric=task.metric,
        splits={
            name: Split(
                tuple(document.document for document in texts[name]),
                tuple(target for _, target in located[name]),
            )
            for name in SPLITS
        },
        positive=task.positive,
        facts={**facts, "audit": audit_targets(located["train"], located["test"])},
        keys={name: _keys(task, located[name]) for name in SPLITS},
        groups=groups,
        strata=_strata(task, located["train"], located["test"]),
        guesses=_guesses(task, located["train"], located["test"]),
        natural=_natural(task, texts),
    )


def rewritten(task: Any, documents: Documents) -> Documents:
    """The documents that the task is posed on: the corpus's, unless it rewrites them."""
    if not isinstance(task, Rewriting):
        return documents
    return tuple(chain.from_iterable(task.rewritten(document) for document in documents))


def _located(documents: Documents, find: Any) -> list[Located]:
    return [Located(document, target) for document in documents for target in find(document)]


def _choices(task: Ranking, documents: Documents) -> tuple[tuple[int, ...], list[Located]]:
    """All candidates of all choices, and the number of the choice of each."""
    numbers: list[int] = []
    located: list[Located] = []
    choices = ((d, choice) for d in documents for choice in task.candidates(d))
    for number, (document, choice) in enumerate(choices):
        if not choice:
            raise DataError("a choice without a candidate", where=document.document.id)
        numbers += [number] * len(choice)
        located += [Located(document, target) for target in choice]
    return tuple(numbers), located


def _renumbered(numbers: Sequence[int]) -> tuple[int, ...]:
    places = {number: place for place, number in enumerate(dict.fromkeys(numbers))}
    return tuple(places[number] for number in numbers)


def _counts(documents: Documents, located: Sequence[Located]) -> dict[str, Any]:
    labels = Counter(label for _, target in located for label in labels_of(target))
    return {
        "documents": len(documents),
        "sentences": sum(len(document.document.sentences) for document in documents),
        "words": sum(len(document.words) for document in documents),
        "targets": len(located),
        "labels": dict(sorted(labels.items())),
    }


def labels_of(target: Target) -> tuple[str, ...]:
    """The labels of a target, of which most tasks have one."""
    return (target.label,) if isinstance(target.label, str) else target.label


def _keys(task: Task, located: Sequence[Located]) -> tuple[tuple[str, ...], ...]:
    if isinstance(task, Controlled):  # a look at a protocol is dear: once for all targets
        return tuple(task.control_key(*each) for each in located)
    # The type of a pair is that of its first span: hardly a pair of words occurs twice, and what
    # never comes again could not be memorised.
    return tuple(
        (" ".join(document.document.words[slice(*target.span1)]),) for document, target in located
    )


def _strata(
    task: Task, train: Sequence[Located], test: Sequence[Located]
) -> dict[str, tuple[str, ...]]:
    """The kinds of the test targets: the task's own, and whether train has the word and lemma."""
    found: dict[str, tuple[str, ...]] = {}
    if isinstance(task, Stratified):
        each = [task.strata(*item) for item in test]
        for dimension in dict.fromkeys(chain.from_iterable(each)):
            found[dimension] = tuple(kinds.get(dimension, "") for kinds in each)
    if all(item.target.span2 is None and _length(item.target) == 1 for item in test):
        found["form"] = _seen([_word(i).form for i in train], [_word(i).form for i in test])
        lemmas = [_word(item).lemma for item in test]
        if any(lemmas):
            found["lemma"] = _seen([_word(item).lemma for item in train], lemmas)
    return found


def _length(target: Target) -> int:
    return target.span1.end - target.span1.start


def _word(item: Located) -> Any:
    return item.document.words[item.target.span1.start]


def _seen(train: Iterable[str], test: Iterable[str]) -> tuple[str, ...]:
    known = set(train)
    return tuple("seen" if key in known else "unseen" for key in test)


def _guesses(
    task: Task, train: Sequence[Located], test: Sequence[Located]
) -> dict[str, tuple[str, ...]]:
    if not isinstance(task, Guessing):
        return {}
    guesses = {name: tuple(labels) for name, labels in task.guesses(train, test).items()}
    for name, labels in guesses.items():
        if len(labels) != len(test):
            raise DataError(
                f"{len(labels)} guesses for {len(test)} targets",
                where=f"the baseline {name} of {task.name}",
            )
    return guesses


def _natural(task: Task, texts: Mapping[str, Documents]) -> Natural | None:
    if not isinstance(task, NaturalPrior):
        return None
    train = Counter(target.label for _, target in _located(texts["train"], task.natural))
    test = tuple(target for _, target in _located(texts["test"], task.natural))
    if not test or not 0 < train[task.positive or ""] < train.total():
        return None
    return Natural(test, train[task.positive or ""] / train.total())


def _served(task: Task, corpus: Corpus) -> str:
    names = task.available(corpus) if isinstance(task, Surveyor) else []
    return did_you_mean(task.name, names) if names else "this data cannot serve the task"
