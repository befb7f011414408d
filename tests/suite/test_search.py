"""``probe search``: two arms at an equal budget, new seeds, a journal to go on with."""

from __future__ import annotations

import json
import math
import os
import random
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import pytest

from layerwise.core.errors import DataError
from layerwise.encoders.search.estimators.published import Published
from layerwise.encoders.search.protocols import Estimate, Setting, Trial

Command = Callable[..., Any]
LOG: list[tuple[str, str, int]] = []


class Numbers:
    """The numbers below 50; each is worth its distance from 31."""

    name = "numbers"
    genes = (50,)

    def sample(self, generator: random.Random) -> str:
        return str(generator.randrange(50))

    def mutate(self, candidate: str, generator: random.Random) -> str:
        return str((int(candidate) + generator.choice((-1, 1))) % 50)

    def cross(self, first: str, second: str, generator: random.Random) -> str:
        return first

    def decode(self, genes: Sequence[int]) -> str:
        return str(genes[0])

    def read(self, text: str) -> str:
        return text

    def describe(self, anonymous: bool = False) -> str:
        return "a number"


class Listed(Numbers):
    """The same as a table: three runs each, the last two without the luck of the first."""

    name = "listed"

    def runs(self, candidate: str) -> Sequence[float]:
        loss = abs(int(candidate) - 31)
        luck = random.Random(candidate).random()
        return (loss - luck, loss + 0.25, loss + 0.75)

    def curve(self, candidate: str) -> Sequence[float]:
        return ()


class Chance:
    """Numbers at random."""

    def __init__(self, space: Numbers, seed: int = 0, evaluations: int | None = None) -> None:
        self.space, self.generator, self.evaluations = space, random.Random(seed), evaluations

    def ask(self) -> Trial | None:
        return Trial(self.space.sample(self.generator))

    def tell(self, trial: Trial, estimate: Estimate) -> None:
        LOG.append(("told", trial.candidate, 0))


class Climb(Chance):
    """One step from the best so far, or a jump at random."""

    def __init__(
        self,
        space: Numbers,
        seed: int = 0,
        evaluations: int | None = None,
        *,
        jump: float = 0.1,
        stop: int | None = None,
        kind: Literal["up", "down"] = "up",
        share: bool = False,
    ) -> None:
        super().__init__(space, seed, evaluations)
        self.jump, self.stop, self.best, self.asked = jump, stop, (math.inf, ""), 0
        LOG.append((f"{jump} {stop} {kind} {share}", "", seed))

    def ask(self) -> Trial | None:
        if self.asked == self.stop:
            return None
        self.asked += 1
        if not self.best[1] or self.generator.random() < self.jump:
            return super().ask()
        return Trial(self.space.mutate(self.best[1], self.generator))

    def tell(self, trial: Trial, estimate: Estimate) -> None:
        self.best = min(self.best, (estimate.losses[0], trial.candidate))


class Distance:
    """The distance and a noise of the seed's own."""

    def __init__(self, setting: Setting, noise: float = 0.5, share: int = 1) -> None:
        self.setting, self.noise, self.asked = setting, noise, 0

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        self.asked += 1
        LOG.append(("asked", trial.candidate, seed))
        noise = random.Random(f"{trial.candidate} {seed}").gauss(0, self.noise)
        return Estimate((abs(int(trial.candidate) - 31) + noise,))


class StandIn(Distance):
    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        return Estimate((-float(trial.candidate),), measured=False)


@pytest.fixture(autouse=True)
def fakes(register: Any) -> None:
    LOG.clear()
    register("space", "numbers", lambda argument="": Numbers())
    register("space", "listed", lambda argument="": Listed())
    register("strategy", "random", Chance)
    register("strategy", "climb", Climb)
    register("estimator", "distance", Distance)
    register("estimator", "training", Distance)
    register("estimator", "stand-in", StandIn)
    register("estimator", "table", Published)


@pytest.fixture
def search(command: Command, tmp_path: Path) -> Command:
    """Runs a small search in this process."""

    def run(*arguments: object, space: str = "numbers", estimator: str = "distance") -> Any:
        plain = ("--space", space, "--strategy", "climb", "--estimator", estimator)
        if "--budget" not in arguments:
            plain = (*plain, "--budget", "8evals")
        if space == "numbers" and not {"--data", "--held-out"} & {*arguments}:
            (tmp_path / "text.txt").write_text("a text of a few words\n")
            plain = (*plain, "--text", tmp_path / "text.txt")
        return command("search", *plain, "-o", tmp_path / "out", *arguments)

    return run


@pytest.fixture
def journal(tmp_path: Path) -> Callable[[], list[dict[str, Any]]]:
    def read() -> list[dict[str, Any]]:
        lines = (tmp_path / "out" / "search.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines[1:]]

    return read


def test_both_arms_have_one_budget_and_winners_are_measured_anew(
    search: Command, journal: Any, tmp_path: Path
) -> None:
    said = search()
    assert said.code == 0, said.err
    arms = [each["arm"] for each in journal()]
    assert {arm: arms.count(arm) for arm in arms} == {
        **{"search": 8, "confirm search": 3, "random": 8, "confirm random": 3}
    }
    chose = {each["seed"] for each in journal() if not each["arm"].startswith("confirm")}
    new = {each["seed"] for each in journal() if each["arm"].startswith("confirm")}
    assert chose == {0} and new == {1, 2, 3}
    for arm in ("search", "random"):
        best = min(
            (each for each in journal() if each["arm"] == arm), key=lambda each: each["losses"]
        )
        anew = [each for each in journal() if each["arm"] == f"confirm {arm}"]
        assert {each["candidate"] for each in anew} == {best["candidate"]}
        mean = fmean(each["losses"][0] for each in anew)
        row = next(
            line
            for line in said.out.splitlines()
            if line.startswith("climb" if arm == "search" else "random")
        )
        assert f"{best['losses'][0]:#.4g}" in row and f"{mean:#.4g} [" in row
    winner = json.loads((tmp_path / "out" / "winner.json").read_text())
    best = min(
        (each for each in journal() if each["arm"] == "search"), key=lambda each: each["losses"]
    )
    assert winner["candidate"] == best["candidate"] and winner["id"] == best["id"]
    assert winner["chosen_by"]["evaluation"] == best["number"]
    assert winner["confirmed"]["seeds"] == [1, 2, 3]
    assert winner["pretrain"] == "" and "to pretrain" not in said.out  # a number is no cell


def test_the_same_command_again_asks_nothing_and_says_the_same(
    search: Command, tmp_path: Path
) -> None:
    first, before = search(), (tmp_path / "out" / "search.jsonl").read_bytes()
    LOG.clear()
    assert search().out == first.out
    assert (tmp_path / "out" / "search.jsonl").read_bytes() == before
    assert not [each for each in LOG if each[0] == "asked"]


def test_another_search_is_refused_and_again_begins_anew(
    search: Command, journal: Any, tmp_path: Path
) -> None:
    search()
    for change in (("--seed", 1), ("--set", "jump=0.2"), ("--budget", "9evals"), ("--dim", 32)):
        said = search(*change)
        assert said.code == 2 and said.err.count("\n") == 1, said.err
        assert "holds another search (" in said.err and "--again" in said.err
    (tmp_path / "out" / "transcript-0.jsonl").touch()
    assert search("--seed", 1, "--again").code == 0
    assert {each["seed"] for each in journal()} == {1, 2, 3, 4}
    assert not (tmp_path / "out" / "transcript-0.jsonl").exists()


def test_more_new_seeds_and_more_repetitions_may_be_added(search: Command, journal: Any) -> None:
    search("--confirm", 1)
    before = journal()
    said = search("--confirm", 2, "--seeds", 1)
    assert said.code == 0 and [each for each in journal() if each in before] == before
    assert len(journal()) == len(before) + 2


def test_repetitions_have_seeds_of_their_own_and_intervals(search: Command, journal: Any) -> None:
    said = search("--seeds", 4, "--seed", 10)
    assert said.code == 0, said.err
    for arm in ("search", "random"):
        assert {each["seed"] for each in journal() if each["arm"] == arm} == {10, 11, 12, 13}
    confirming = [each for each in journal() if each["arm"].startswith("confirm")]
    assert {each["seed"] for each in confirming} == {14, 15, 16}
    assert "means over 4 repetitions, with 95 % intervals by Student's t" in said.out
    assert "climb minus random, confirmed: " in said.out and "over 4 pairs" in said.out


def test_a_table_is_searched_ten_times_and_confirmed_by_other_runs(
    search: Command, journal: Any
) -> None:
    said = search(space="listed", estimator="table")
    assert said.code == 0, said.err
    evaluations = journal()
    for repetition in range(10):
        mine = [each for each in evaluations if each["repetition"] == repetition]
        for arm in ("search", "random"):
            chose = {each["details"]["run"] for each in mine if each["arm"] == arm}
            new = [each["details"]["run"] for each in mine if each["arm"] == f"confirm {arm}"]
            assert chose == {repetition % 3} and sorted([*chose, *new]) == [0, 1, 2]
    assert "winners by other results of the table" in said.out


def test_random_search_stops_where_the_strategy_did(search: Command, journal: Any) -> None:
    search("--set", "stop=5")
    arms = [each["arm"] for each in journal()]
    assert arms.count("search") == arms.count("random") == 5


def test_the_control_can_be_left_out(search: Command, journal: Any, command: Command) -> None:
    said = search("--no-random")
    assert said.code == 0 and {each["arm"] for each in journal()} == {"search", "confirm search"}
    assert "random" not in said.out
    said = search("--strategy", "random", "--again")
    assert {each["arm"] for each in journal()} == {"search", "confirm search"}


def test_stand_ins_are_called_so_and_confirmed_by_the_truth(search: Command, journal: Any) -> None:
    said = search(estimator="stand-in")
    assert "best stand-in" in said.out and "stand-in predicts or stands in" in said.out
    assert "winners by 3 trainings each with new seeds" in said.out
    said = search("--again", space="listed", estimator="stand-in")
    assert "winners by other results of the table" in said.out
    assert all(each["measured"] for each in journal() if each["arm"].startswith("confirm"))


def test_without_new_seeds_nothing_is_confirmed(search: Command, journal: Any) -> None:
    said = search("--confirm", 0)
    assert "nothing was measured anew" in said.out
    assert {each["arm"] for each in journal()} == {"search", "random"}


def test_options_are_typed_by_their_signature(search: Command) -> None:
    search("--set", "jump=0.5", "--set", "stop=6", "--set", "kind=down", "--set", "noise=0")
    assert ("0.5 6 down False", "", 0) in LOG


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("--set", "jum=1"),
            "no option 'jum' of climb or distance; did you mean jump?",
        ),
        (("--set", "jump"), "--set jump: not NAME=VALUE"),
        (("--set", "stop=many"), "--set stop=many: Input should be a valid integer"),
        (("--set", "kind=over"), "--set kind=over: Input should be 'up' or 'down'"),
        (
            ("--set", "share=1"),
            "both have this option; write strategy.share=1 or estimator",
        ),
        (("--set", "strateg.jump=1"), "'strateg' is none of its kinds; did you mean strategy?"),
        (("--base-url", "x"), "--base-url: no option 'base_url' of climb or distance"),
        (("--strategy", "clim"), "--strategy: no such strategy: 'clim'; did you mean climb?"),
        (("--space", "number"), "--space: no such space: 'number'; did you mean numbers?"),
        (("--estimator", "distanc"), "no such estimator: 'distanc'; did you mean distance?"),
        (("--objective", "perplexty"), "no such objective: 'perplexty'; did you mean perplexity?"),
        (("--objective", "probe"), "--objective: no such objective: 'probe'; name a task"),
        (("--objective", "latency"), "--objective latency: the candidates of numbers are no cells"),
        (("--budget", "8"), "--budget: 8 of what?"),
        (("--seeds", "0"), "--seeds: must be at least 1"),
        (("--dim", "0"), "--dim: must be above 0"),
        (("--held-out", "x"), "--held-out: is given without --text"),
        (("--estimator", "table"), "the space numbers has no published results"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    search: Command, arguments: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    said = search(*arguments)
    assert said.code == 2 and told in said.err and said.err.count("\n") == 1, said.err
    assert not (tmp_path / "out").exists()


def test_each_of_both_can_have_its_own(search: Command) -> None:
    assert search("--set", "strategy.share=1", "--set", "estimator.share=2").code == 0
    assert ("0.1 None up True", "", 0) in LOG


def test_a_dry_run_tells_the_cost_and_writes_nothing(search: Command, tmp_path: Path) -> None:
    said = search("--dry-run", "--seeds", 2)
    assert said.code == 0 and not (tmp_path / "out").exists()
    lines = said.out.splitlines()
    assert lines[0] == (
        "climb over numbers, asked by distance for perplexity; 8evals for each of 2 seeds, random "
        "search at an equal budget"
    )
    assert "200,000 words" in lines[1] and "median of 3 random candidates" in lines[2]
    assert "to measure the winners anew by training, 3 times each" in lines[3]
    assert len([each for each in LOG if each[0] == "asked"]) == 4


def test_the_default_text_is_the_datas_own_without_its_test_split(
    search: Command, corpus: Path, register: Any
) -> None:
    seen: list[Setting] = []

    class Looking(Distance):
        def __init__(self, setting: Setting) -> None:
            super().__init__(setting)
            seen.append(setting)

    register("estimator", "distance", Looking)
    assert search("--data", corpus).code == 0
    (text,), (held_out,) = seen[0].text, seen[0].held_out
    assert "ntrain" in text.read_text() and "ndev" in held_out.read_text()
    assert "test" not in text.read_text() + held_out.read_text()


def test_a_failing_candidate_does_not_end_it(search: Command, register: Any) -> None:
    class Picky(Distance):
        def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
            if int(trial.candidate) % 2:
                raise DataError(f"{trial.candidate} is odd", where="cell")
            return super().estimate(trial, seed)

    register("estimator", "distance", Picky)
    said = search("--set", "jump=1")
    assert said.code == 0 and "evaluations failed: the journal has their messages" in said.out


def test_three_failures_alike_end_it(search: Command, register: Any) -> None:
    class Broken(Distance):
        def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
            raise OSError("no space left")

    register("estimator", "distance", Broken)
    said = search()
    assert said.code == 1 and "3 evaluations in a row failed alike: OSError: no space" in said.err


def test_two_at_once_are_refused(search: Command, tmp_path: Path) -> None:
    from layerwise.core import files

    with files.lock(tmp_path / "out" / "search"):
        said = search()
    assert said.code == 2 and "another search is writing here" in said.err


@pytest.mark.parametrize("send", [signal.SIGKILL, signal.SIGINT], ids=lambda sent: sent.name)
def test_a_killed_or_interrupted_command_goes_on(
    send: signal.Signals, search: Command, register: Any, tmp_path: Path
) -> None:
    path = tmp_path / "out" / "search.jsonl"
    whole, undisturbed = search(), path.read_text()
    path.unlink()

    class Struck(Distance):
        def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
            if self.asked == 2:  # a third time: between two evaluations, or within this one
                os.kill(os.getpid(), send)
            return super().estimate(trial, seed)

    Struck.__module__ = Distance.__module__
    child = os.fork()
    if child == 0:
        register("estimator", "distance", Struck)
        said = search()
        os._exit(said.code if "the same command goes on from there" in said.err else 1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == (130 if send == signal.SIGINT else -send)
    kept = path.read_text()
    # Interrupted, the evaluation under way is finished first.
    assert kept.count("\n") == 1 + (3 if send == signal.SIGINT else 2)
    done = search()
    assert done.code == 0 and untimed_table(done.out) == untimed_table(whole.out)
    assert path.read_text().startswith(kept) and untimed(path.read_text()) == untimed(undisturbed)


def untimed_table(text: str) -> list[str]:
    """The lines without those of the arms, which tell the time, and set the table's width by it."""
    told = [line for line in text.splitlines() if not line.startswith(("climb", "random", "─"))]
    return [" ".join(line.split()) for line in told]


def untimed(text: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in text.splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]
