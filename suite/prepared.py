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
from ..tasks.dependency_trees import TreeTask, prepare_trees
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
from .structural import PreparedTrees
from .structural_arrays import structural_arrays


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

AnyPrepared = Prepared | PreparedChoices | PreparedTrees
"""A task with labels to learn, one without training, or one of whole trees."""


def prepare_tasks(config: RunConfig) -> list[AnyPrepared]:
    """The tasks' targets on the run's data. A wrong name is found before anything is computed."""
    for name in config.encoder:
        registry.owner("encoder", registry.split_name(name.split("+random")[0])[0])
    with blame(f"probe {config.probe}"):
        probe_of(config).settings()
    kinds = {name: task_of(name) for name in config.task}
    _refuse_idle_flags(config, kinds)
    corpus = resplit(load_corpus(config.data), config.split)
    whole = all(corpus.splits.get(name) for name in SPLITS)
    text = audit(corpus).facts() if whole else {}
    kinds = expanded(kinds, corpus)
    prepared: list[AnyPrepared] = []
    for name, task in progress.track(kinds.items(), "laying out the targets", len(kinds)):
        with blame(f"task {name}"):
            files.canonical_json(dict(task.facts))  # or no record could be written
            prepared.append(_prepared(config, name, task, corpus, text))
    return prepared


def _prepared(
    config: RunConfig, name: str, task: Any, corpus: Corpus, text: Mapping[str, Any]
) -> AnyPrepared:
    """One task; ``text`` is the audit of the corpus, for the record."""
    if isinstance(task, ChoiceTask):
        choices = prepare_choices(task, corpus)
        choices = replace(choices, facts={**choices.facts, "text_audit": text})
        return PreparedChoices(choices, choice_arrays(choices))
    if isinstance(task, TreeTask):
        trees = prepare_trees(task, corpus)
        trees = replace(trees, facts={**trees.facts, "text_audit": text})
        return PreparedTrees(trees, structural_arrays(trees), config.controls, config.device)
    data = prepare(task, corpus, config.disjoint)
    data = limited(replace(data, facts={**data.facts, "text_audit": text}), config.train_targets)
    arrays = to_arrays(data)
    if config.codelength and arrays.several:
        raise UsageError(
            f"{name} has several labels a target, and no code for them",
            where="--codelength",
            cure="measure it in a run of its own",
        )
    bias = task.bias if isinstance(task, Biased) else None
    return Prepared(data, arrays, config.controls, bias)


def _refuse_idle_flags(config: RunConfig, kinds: Mapping[str, Any]) -> None:
    """What is asked for must be about some task."""
    if not all(isinstance(task, ChoiceTask | TreeTask) for task in kinds.values()):
        return
    for flag, asked in (
        ("--codelength", config.codelength),
        ("--refits", config.refits),
        ("--train-targets", config.train_targets),
        ("--disjoint", config.disjoint),
    ):
        if asked:
            raise UsageError(
                f"there are no labels to learn in {', '.join(kinds)}",
                where=flag,
                cure="leave it away, or add a task like pos",
            )


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
