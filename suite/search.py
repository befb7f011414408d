"""A search for cells: space, strategy and estimator joined, a random control, a confirmation.

Each repetition has a seed of its own and two arms at an equal budget: the strategy that is asked
for, and random search. What the two find is measured anew by seeds that did not choose it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..core import files, progress
from ..core.errors import UsageError
from ..encoders import interruption
from ..encoders.search.confirmation import confirm, winner
from ..encoders.search.journal import JOURNAL, Evaluation, Journal
from ..encoders.search.loop import RANDOM, SEARCH, search
from ..encoders.search.protocols import Strategy
from ..encoders.search.search_budget import SearchBudget
from .search_plan import Plan, plan


@dataclass(frozen=True)
class SearchConfig:
    """What to search. Field names are those of the flags."""

    space: str
    strategy: str
    estimator: str
    budget: SearchBudget
    objective: tuple[str, ...] = ("perplexity",)
    seed: int = 0
    seeds: int | None = None
    options: tuple[str, ...] = ()
    flags: Mapping[str, str] = field(default_factory=dict)
    text: tuple[Path, ...] = ()
    held_out: tuple[Path, ...] = ()
    data: str = "builtin"
    train_targets: int = 2000
    sizes: Mapping[str, int | float] = field(default_factory=dict)
    """Of ``Setting``: words, dim, layers ..."""
    latency_budget: str | None = None
    cost_model: Path | None = None
    confirm: int = 3
    control: bool = True
    output: Path | None = None
    again: bool = False

    def __post_init__(self) -> None:
        for flag, value, least in (
            ("--seed", self.seed, 0),
            ("--seeds", self.seeds, 1),
            ("--confirm", self.confirm, 0),
        ):
            if value is not None and value < least:
                raise UsageError(f"must be at least {least}", where=flag)

    @property
    def repetitions(self) -> range:
        """Their seeds: ten of a table, which costs nothing, else one."""
        count = self.seeds or (10 if self.estimator == "table" else 1)
        return range(self.seed, self.seed + count)

    def folder(self) -> Path:
        """Where the journal goes."""
        name = f"search-{self.space}-{self.strategy}-{self.estimator}"
        return self.output or Path("runs") / files.safe_name(name.replace(":", "-"))


@dataclass(frozen=True)
class Arm:
    """What one arm did, a repetition each: its evaluations, its winner, and that one's new values.

    ``confirmed`` is empty where nothing could be measured anew.
    """

    name: str
    runs: list[list[Evaluation]]
    winners: list[Evaluation]
    confirmed: list[list[Evaluation]]

    @property
    def best(self) -> int:
        """The repetition with the lowest loss by which a winner was chosen."""
        losses = [won.losses[0] for won in self.winners]
        return losses.index(min(losses))


@dataclass(frozen=True)
class SearchOutcome:
    """The arms, the strategy's first. ``notes`` tell of lines that a kill tore."""

    plan: Plan
    folder: Path
    arms: list[Arm]
    notes: list[str]


def evaluate(config: SearchConfig) -> SearchOutcome:
    """Search, or go on with the search of the folder. Interrupted, it raises KeyboardInterrupt."""
    planned = plan(config)
    folder = files.make_folder(config.folder())
    with (
        files.lock(folder / "search", _taken(folder)),
        interruption.deferred() as pressed,
    ):
        if config.again:  # or answers of the search before would be taken for this one's
            for path in folder.glob("transcript-*.jsonl"):
                path.unlink()
        journal = Journal(folder / JOURNAL, planned.identity, again=config.again)
        arms = {SEARCH: Arm(config.strategy, [], [], [])}
        if planned.control:
            arms[RANDOM] = Arm("random", [], [], [])
        for repetition in config.repetitions:
            budget = config.budget
            for name, arm in arms.items():
                strategy = planned.strategy(repetition, folder)
                if name == RANDOM:
                    budget = _equal(config.budget, arms[SEARCH].runs[-1])
                    strategy = planned.random(repetition, budget)
                run = _run(planned, strategy, budget, journal, name, repetition, pressed)
                if not run:
                    raise UsageError("asked nothing", where=f"--strategy {arm.name}")
                if all(each.skipped for each in run):
                    raise UsageError(
                        f"all {len(run)} candidates of {arm.name} are slower",
                        where="--latency-budget",
                        cure="allow more",
                    )
                won = winner(run)
                arm.runs.append(run)
                arm.winners.append(won)
                arm.confirmed.append(
                    confirm(won, planned.truth, planned.new_seeds, journal, pressed=pressed)
                    if planned.truth is not None
                    else []
                )
    return SearchOutcome(planned, folder, list(arms.values()), journal.notes)


def _run(
    planned: Plan,
    strategy: Strategy,
    budget: SearchBudget,
    journal: Journal,
    arm: str,
    repetition: int,
    pressed: Callable[[], bool],
) -> list[Evaluation]:
    # An estimator of its own: one that learns from its answers must not learn across arms.
    estimator = planned.estimator()
    with progress.bar(f"{arm}, seed {repetition}", budget.total) as advance:
        return search(
            strategy,
            estimator,
            budget,
            journal,
            arm=arm,
            repetition=repetition,
            pressed=pressed,
            advance=advance,
        )


def _equal(budget: SearchBudget, run: list[Evaluation]) -> SearchBudget:
    """What the strategy has spent: it may have stopped before its budget was."""
    if budget.evaluations is not None:
        return SearchBudget(evaluations=int(budget.spent(run)))
    return SearchBudget(seconds=min(budget.total, budget.spent(run)))


def _taken(folder: Path) -> Callable[[], None]:
    def refuse() -> None:
        raise UsageError("another search is writing here", where=str(folder), cure="wait for it")

    return refuse
