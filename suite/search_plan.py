"""What a search is made of, before it starts: a space, makers of the rest, and its identity."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core import files, registry
from ..core.errors import UsageError, did_you_mean
from ..core.provenance import source_hash
from ..core.types import text_hash
from ..encoders.search import loop
from ..encoders.search.cost_model import CostModel
from ..encoders.search.estimators.published import Reported
from ..encoders.search.latency_gate import LatencyGate, milliseconds
from ..encoders.search.objectives import Latency, Objective, Objectives, Parameters, Quality
from ..encoders.search.protocols import Estimator, SearchSpace, Setting, Strategy, Table
from ..encoders.search.search_budget import SearchBudget
from ..tasks.corpora import load_corpus
from .probe_objective import ProbeJudge
from .search_options import options_of, parsed

if TYPE_CHECKING:
    from .search import SearchConfig

PERPLEXITY, PROBE = "perplexity", "probe"
COUNTED: dict[str, Callable[[Setting], Objective]] = {
    "latency": Latency,
    "parameters": Parameters,
}
"""Objectives that need no estimator."""


@dataclass(frozen=True)
class Plan:
    """A search that could start. ``truth`` measures winners anew with ``new_seeds``, if anything.

    ``objectives`` name the losses in their order.
    """

    space: SearchSpace
    setting: Setting
    objectives: tuple[str, ...]
    strategy: Callable[[int, Path], Strategy]
    random: Callable[[int, SearchBudget], Strategy]
    estimator: Callable[[], Estimator]
    truth: Estimator | None
    truth_name: str
    new_seeds: range
    control: bool
    identity: Mapping[str, Any]


def plan(config: SearchConfig) -> Plan:
    """Load all that the search needs. A wrong name or option is found here."""
    make_strategy = registry.load("strategy", config.strategy)
    make_estimator = registry.load("estimator", config.estimator)
    names = _objectives(config.objective)
    limit = _limit(config)
    qualities = [name for name in names if name not in COUNTED]
    head, argument = registry.split_name(config.space)
    space: SearchSpace = registry.load("space", head)(argument)
    options = parsed(
        config.options,
        config.flags,
        {
            "strategy": (config.strategy, make_strategy),
            "estimator": (config.estimator, make_estimator),
        },
    )
    judges = {name: _judge(config, name) for name in qualities}
    by_table = _by_table(config, space, judges)
    setting = _setting(config, space, with_text=not by_table)
    settings = {name: replace(setting, judge=judge) for name, judge in judges.items()}

    def estimator(make: Callable[..., Estimator], **options: Any) -> Objectives | LatencyGate:
        found = Objectives(
            [
                Quality(name, make(settings[name], **options))
                if name in settings
                else COUNTED[name](setting)
                for name in names
            ]
        )
        return LatencyGate(found, *limit, setting) if limit else found

    truth, truth_name = None, "table" if by_table else "training"
    if names[0] in settings and config.confirm:
        make_truth = Reported if by_table else registry.load("estimator", truth_name)
        truth = make_truth(settings[names[0]])
    if "truth" in options_of(make_estimator):  # one that asks another for some candidates
        options["estimator"].setdefault("truth", truth_name)
    made = partial(estimator, make_estimator, **options["estimator"])
    made()  # what it cannot serve is told now
    seeds = config.repetitions
    return Plan(
        space=space,
        setting=setting,
        objectives=names,
        strategy=partial(_strategy, make_strategy, space, config.budget, options["strategy"]),
        random=partial(_random, space),
        estimator=made,
        truth=truth,
        truth_name=truth_name,
        new_seeds=range(seeds.stop, seeds.stop + config.confirm),
        control=config.control and config.strategy != loop.RANDOM,
        identity={
            "space": config.space,
            "strategy": config.strategy,
            "estimator": config.estimator,
            "objectives": list(names),
            "options": options,
            "evaluations": config.budget.evaluations,
            "text": [files.sha256_of(path) for path in setting.text],
            "held_out": [files.sha256_of(path) for path in setting.held_out],
            "judges": {name: judge.identity for name, judge in judges.items() if judge},
            "setting": {
                each.name: getattr(setting, each.name)
                for each in fields(Setting)
                if each.name not in ("space", "text", "held_out", "judge")
            },
            "seed": config.seed,
            **_limit_facts(config),
            "code": _code(space, make_strategy, make_estimator),
        },
    )


def _objectives(asked: tuple[str, ...]) -> tuple[str, ...]:
    """Their names, an estimator's first: that is the one that estimators learn to tell."""
    for name in asked:
        head, argument = registry.split_name(name)
        if name not in (PERPLEXITY, *COUNTED) and not (head == PROBE and argument):
            raise UsageError(
                f"no such objective: {name!r}",
                where="--objective",
                cure=did_you_mean(name, [PERPLEXITY, *COUNTED, f"{PROBE}:pos"])
                if head != PROBE
                else f"name a task: {PROBE}:pos",
            )
    return tuple(sorted(dict.fromkeys(asked), key=lambda name: name in COUNTED))


def _limit(config: SearchConfig) -> tuple[CostModel, float] | None:
    """The model that tells latencies, and the largest in milliseconds."""
    budget, path = config.latency_budget, config.cost_model
    if budget is None and path is None:
        return None
    if budget is None:
        raise UsageError("has no budget", where="--cost-model", cure="give --latency-budget 5ms")
    limit = milliseconds(budget)
    if path is None:
        raise UsageError(
            "needs a model that tells latencies",
            where="--latency-budget",
            cure="give --cost-model FILE, made by `probe cost fit`",
        )
    return CostModel.load(path), limit


def _limit_facts(config: SearchConfig) -> dict[str, Any]:
    if config.latency_budget is None or config.cost_model is None:
        return {}
    return {
        "latency_budget": milliseconds(config.latency_budget),
        "cost_model": files.sha256_of(config.cost_model),
    }


def _judge(config: SearchConfig, objective: str) -> ProbeJudge | None:
    head, task = registry.split_name(objective)
    return ProbeJudge(task, config.data, config.train_targets) if head == PROBE else None


def _by_table(
    config: SearchConfig, space: SearchSpace, judges: Mapping[str, ProbeJudge | None]
) -> bool:
    """Whether the truth of a candidate is what a table tells: where nothing is to be trained."""
    if config.estimator == "table" and any(judges.values()):
        raise UsageError(
            "a table holds no probe's score",
            where="--objective",
            cure="take --objective perplexity, or another estimator",
        )
    published = isinstance(space, Table) and not any(judges.values())
    return config.estimator == "table" or (published and not config.text)


def _setting(config: SearchConfig, space: SearchSpace, *, with_text: bool) -> Setting:
    text, held_out = config.text, config.held_out
    if held_out and not text:
        raise UsageError("is given without --text", where="--held-out", cure="give both")
    if with_text and not text:
        text, held_out = _sentences(config.data)
    return Setting(space, text=text, held_out=held_out, **_sizes(config.sizes))


def _sizes(given: Mapping[str, int | float]) -> dict[str, Any]:
    for name, value in given.items():
        if not value > 0:
            raise UsageError("must be above 0", where=f"--{name.replace('_', '-')}")
    return dict(given)


def _sentences(data: str) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The data's training sentences as running text, and those of its dev split to measure."""
    corpus = load_corpus(data)
    paths = []
    for split in ("train", "dev"):
        documents = [each.document for each in corpus.splits.get(split, ())]
        path = files.cache_folder() / "search" / f"{text_hash(documents)[:16]}-{split}.txt"
        if not path.exists():
            lines = (" ".join(s.words) for document in documents for s in document.sentences)
            files.write_text(path, "\n".join(lines) + "\n")
        paths.append(path)
    return (paths[0],), (paths[1],)


def _strategy(
    make: Callable[..., Strategy],
    space: SearchSpace,
    budget: SearchBudget,
    options: Mapping[str, Any],
    seed: int,
    folder: Path,
) -> Strategy:
    # A strategy that talks to someone keeps what was said, for each repetition by itself.
    kept = {}
    if "transcript" in inspect.signature(make).parameters and "transcript" not in options:
        kept["transcript"] = folder / f"transcript-{seed}.jsonl"
    return make(space, seed=seed, evaluations=budget.evaluations, **kept, **options)


def _random(space: SearchSpace, seed: int, budget: SearchBudget) -> Strategy:
    made: Strategy = registry.load("strategy", loop.RANDOM)(
        space, seed=seed, evaluations=budget.evaluations
    )
    return made


def _code(space: SearchSpace, *makers: Any) -> str:
    """The version of the code that asks and answers."""
    ours = Path(loop.__file__).parent
    package = loop.__name__.rpartition(".")[0]
    modules = {
        ".".join([package, *path.relative_to(ours).with_suffix("").parts])
        for path in ours.rglob("*.py")
        if path.name != "__init__.py"
    }
    others = {type(space).__module__, *(maker.__module__ for maker in makers)}
    return source_hash(*sorted(modules | others))[:16]
