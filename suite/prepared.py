"""The tasks of a run on its data: from their names to targets as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ..core import files, progress, registry
from ..core.errors import UsageError
from ..core.types import SPLITS, Document, TaskData, text_hash
from ..probes.base import Probe
from ..tasks.aspects import Biased, TaskGroup
from ..tasks.audit import audit
from ..tasks.base import Corpus
from ..tasks.choices import ChoiceTask, prepare_choices
from ..tasks.corpora import load_corpus
from ..tasks.preparation import prepare
from ..tasks.splits import resplit
from .arrays import TaskArrays, to_arrays
from .baselines import baselines
from .blame import blame
from .choice_arrays import choice_arrays
from .choices import PreparedChoices
from .config import RunConfig
from .controls import Controls, controls
from .limit import limited
from .measure import Bias


@dataclass(frozen=True)
class Prepared:
    """A task on the run's data, and its targets as arrays."""

    data: TaskData
    arrays: TaskArrays
    control_tasks: int
    bias: Bias | None = None

    @cached_property
    def baselines(self) -> dict[str, dict[str, float]]:
        """The same for every encoder, and only drawn up where something is to be measured."""
        found = baselines(self.data, self.arrays)
        if self.bias is None:
            return found
        return {name: {**scores, **self.bias(scores)} for name, scores in found.items()}

    @cached_property
    def controls(self) -> Controls:
        """The same for every encoder."""
        return controls(self.data, self.arrays, self.control_tasks)

    @property
    def summary(self) -> str:
        """What there is to measure, in a few words."""
        sizes = (f"{name} {len(self.data.splits[name].targets):,}" for name in SPLITS)
        return f"{len(self.arrays.classes)} labels; targets {', '.join(sizes)}"


Documents = tuple[Document, ...]

AnyPrepared = Prepared | PreparedChoices
"""A task with labels to learn, or one without training."""


def prepare_tasks(config: RunConfig) -> list[AnyPrepared]:
    """The tasks' targets on the run's data. A wrong name is found before anything is computed."""
    for name in config.encoder:
        registry.owner("encoder", registry.split_name(name.split("+random")[0])[0])
    with blame(f"probe {config.probe}"):
        probe_of(config).settings()
    kinds = {name: task_of(name) for name in config.task}
    if all(isinstance(task, ChoiceTask) for task in kinds.values()):
        for flag, asked in (("--codelength", config.codelength), ("--refits", config.refits)):
            if asked:
                raise UsageError(f"nothing is fitted for {', '.join(kinds)}", where=flag)
    corpus = resplit(load_corpus(config.data), config.split)
    whole = all(corpus.splits.get(name) for name in SPLITS)
    text = audit(corpus).facts() if whole else {}
    kinds = expanded(kinds, corpus)
    prepared: list[AnyPrepared] = []
    for name, task in progress.track(kinds.items(), "laying out the targets", len(kinds)):
        with blame(f"task {name}"):
            files.canonical_json(dict(task.facts))  # or no record could be written
            if isinstance(task, ChoiceTask):
                choices = prepare_choices(task, corpus)
                prepared.append(PreparedChoices(choices, choice_arrays(choices)))
            else:
                data = prepare(task, corpus, config.disjoint)
                data = replace(data, facts={**data.facts, "text_audit": text})
                data = limited(data, config.train_targets)
                arrays = to_arrays(data)
                bias = task.bias if isinstance(task, Biased) else None
                prepared.append(Prepared(data, arrays, config.controls, bias))
                if config.codelength and arrays.several:
                    raise UsageError(
                        f"{name} has several labels a target, and no code for them",
                        where="--codelength",
                        cure="measure it in a run of its own",
                    )
    return prepared


def task_of(name: str) -> Any:
    """The task of that name. Raises UsageError where there is none."""
    head, argument = registry.split_name(name)
    with blame(f"task {name}"):
        return registry.load("task", head)(argument)


def expanded(kinds: Mapping[str, Any], corpus: Corpus) -> dict[str, Any]:
    """The tasks by name, with the members of each group in its place."""
    found: dict[str, Any] = {}
    for name, task in kinds.items():
        members = task.members(corpus) if isinstance(task, TaskGroup) else ()
        found |= {each: task_of(each) for each in members} or {name: task}
    return found


def documents_of(tasks: Iterable[AnyPrepared]) -> list[Documents]:
    """The distinct texts that the tasks read, each once: a split's documents, for most tasks."""
    splits = (task.data.splits[name] for task in tasks for name in task.data.splits)
    return list({text_hash(split.documents): split.documents for split in splits}.values())


def probe_of(config: RunConfig) -> Probe:
    """The kind of probe that the run asks for, not fitted."""
    probe: Probe = registry.load("probe", config.probe)()
    return probe
