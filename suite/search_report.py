"""What a search found: beside random search, by seeds that did not choose, with its winner."""

from __future__ import annotations

import shlex
import statistics
from collections.abc import Sequence
from typing import Any

from ..core.files import write_json
from ..core.registry import split_name
from ..encoders.search.confirmation import Mean, mean_of
from ..encoders.search.front import pareto_front
from ..encoders.search.journal import SKIPPED, Evaluation
from ..results.duration import duration
from ..results.search_table import grid, number, with_interval
from .search import Arm, SearchConfig, SearchOutcome
from .search_plan import COUNTED, PROBE

WINNER = "winner.json"


def report(config: SearchConfig, outcome: SearchOutcome) -> str:
    """The table of the arms, the Pareto front where there are several objectives, the winner."""
    parts = [_arms(outcome), *_notes(config, outcome)]
    if len(outcome.plan.objectives) > 1:
        parts += ["\n", _front(outcome)]
    parts += ["\n", _winner(outcome)]
    return "".join(parts)


def write_winner(config: SearchConfig, outcome: SearchOutcome) -> None:
    """``winner.json`` in the folder: the candidate, how it was chosen, its new values."""
    arm = outcome.arms[0]
    won = arm.winners[arm.best]
    write_json(
        outcome.folder / WINNER,
        {
            "candidate": won.candidate,
            "id": won.id,
            "objectives": list(outcome.plan.objectives),
            "chosen_by": {
                "space": config.space,
                "strategy": config.strategy,
                "estimator": config.estimator,
                "seed": won.seed,
                "evaluation": won.number,
                "losses": _finite(won.losses),
                "measured": won.measured,
            },
            "confirmed": {
                "by": outcome.plan.truth_name,
                "seeds": [each.seed for each in arm.confirmed[arm.best]],
                "losses": _finite([each.losses[0] for each in arm.confirmed[arm.best]]),
            },
            "pretrain": _pretrain([path.name for path in outcome.plan.setting.text], won),
        },
    )


def confirmed(arm: Arm) -> Mean | None:
    """The mean of the winners by new seeds. None where nothing was measured anew.

    Of several repetitions: over the repetitions, each the mean of its own; of one, over its seeds.
    """
    values = [[each.losses[0] for each in one] for one in arm.confirmed]
    if not all(values):
        return None
    if len(values) == 1:
        return mean_of(values[0])
    return mean_of([mean_of(one).mean for one in values])


def _arms(outcome: SearchOutcome) -> str:
    rows = []
    for arm in outcome.arms:
        best = mean_of([won.losses[0] for won in arm.winners])
        anew = confirmed(arm)
        asked = [[each for each in run if not each.skipped] for run in arm.runs]
        efforts = [sum(each.fidelity for each in run) for run in asked]
        rows.append(
            (
                arm.name,
                f"{statistics.fmean(map(len, asked)):.6g}",
                f"{statistics.fmean(efforts):.4g}",
                duration(sum(each.seconds for run in arm.runs for each in run)),
                with_interval(best.mean, best.interval),
                "–" if anew is None else with_interval(anew.mean, anew.interval),
            )
        )
    found = "best found" if _measured(outcome) else "best stand-in"
    return grid(("strategy", "evaluations", "effort asked", "time", found, "confirmed"), rows)


def _measured(outcome: SearchOutcome) -> bool:
    return all(won.measured for arm in outcome.arms for won in arm.winners)


def _notes(config: SearchConfig, outcome: SearchOutcome) -> list[str]:
    planned, arms = outcome.plan, outcome.arms
    repetitions = len(arms[0].runs)
    lines = [f"losses: {_unit(outcome)}; the lower the better"]
    if not _measured(outcome):
        lines.append(
            f"{config.estimator} predicts or stands in for a loss: its numbers are not losses that "
            "were measured"
        )
    if planned.truth is None:
        lines.append("nothing was measured anew")
    elif any(not one for arm in arms for one in arm.confirmed):
        lines.append("not confirmed: no published run is left that did not choose the winner")
    else:
        most = max(len(one) for arm in arms for one in arm.confirmed)
        by = (
            f"other results of the table, at most {most} each"
            if planned.truth_name == "table"
            else f"{most} trainings each with new seeds"
        )
        lines.append(f"confirmed: winners by {by}, none of which chose them")
    lines.append(
        f"means over {repetitions} repetitions, with 95 % intervals by Student's t"
        if repetitions > 1
        else "one repetition; in brackets the 95 % interval over the new seeds by Student's t"
    )
    if repetitions > 1 and len(arms) > 1:
        lines.append(_difference(arms))
    lines += _diverged(arms)
    failed = sum(bool(each.error) for arm in arms for run in arm.runs for each in run)
    if failed:
        lines.append(f"{failed} evaluations failed: the journal has their messages")
    lines += _skipped(config, arms)
    return [f"{line}\n" for line in lines]


def _unit(outcome: SearchOutcome) -> str:
    """What the first loss is."""
    planned = outcome.plan
    head, task = split_name(planned.objectives[0])
    if head == PROBE:
        return f"1 - the best layer's score on the dev split of {task}"
    if head in COUNTED:
        return head
    if planned.truth_name == "table":
        return f"those of the table {planned.space.name}"
    return "held-out cross-entropy in nats a word"


def _skipped(config: SearchConfig, arms: Sequence[Arm]) -> list[str]:
    """How many candidates of each arm a latency budget has cost, and on how safe a ground."""
    lines = []
    for arm in arms if config.latency_budget else ():
        every = [each for run in arm.runs for each in run]
        skipped = [each.details[SKIPPED] for each in every if each.skipped]
        line = (
            f"{arm.name}: {len(skipped)} of {len(every)} candidates were skipped, predicted to be "
            f"above {config.latency_budget}"
        )
        if beyond := sum(bool(each["beyond"]) for each in skipped):
            line += f"; {beyond} of them are beyond what the cost model knows: guesses"
        lines.append(line)
    return lines


def _diverged(arms: Sequence[Arm]) -> list[str]:
    """Of winners that diverge by another seed, how many did, and the mean of the others."""
    lines = []
    for arm in arms:
        losses = [each.losses[0] for one in arm.confirmed for each in one]
        finite = [loss for loss in losses if loss < float("inf")]
        if len(finite) < len(losses):
            lines.append(
                f"{arm.name}: {len(losses) - len(finite)} of {len(losses)} new values diverged; "
                f"the mean of the others is {number(statistics.fmean(finite) if finite else None)}"
            )
    return lines


def _difference(arms: Sequence[Arm]) -> str:
    """The two arms, repetition by repetition."""
    values = [
        [mean_of([each.losses[0] for each in one]).mean for one in arm.confirmed]
        if all(arm.confirmed)
        else [won.losses[0] for won in arm.winners]
        for arm in arms
    ]
    pairs = [(a, b) for a, b in zip(*values, strict=True) if max(abs(a), abs(b)) < float("inf")]
    if not pairs:
        return f"{arms[0].name} minus random: nothing to compare"
    found = mean_of([a - b for a, b in pairs])
    kind = "confirmed" if all(map(all, (arm.confirmed for arm in arms))) else "best found"
    return (
        f"{arms[0].name} minus random, {kind}: {with_interval(found.mean, found.interval)} over "
        f"{len(pairs)} pairs"
    )


def _front(outcome: SearchOutcome) -> str:
    """What no other candidate of either arm beats in all objectives, of the largest effort."""
    known: dict[str, tuple[str, Evaluation]] = {}
    for arm in outcome.arms:
        for each in (each for run in arm.runs for each in run if not each.skipped):
            known.setdefault(each.candidate, (arm.name, each))
            if each.fidelity > known[each.candidate][1].fidelity:
                known[each.candidate] = (arm.name, each)
    most = max(each.fidelity for _, each in known.values())
    entries = [entry for entry in known.values() if entry[1].fidelity == most]
    places = pareto_front([each.losses for _, each in entries])
    rows = sorted((entries[place] for place in places), key=lambda entry: entry[1].losses)
    return grid(
        ("Pareto front", *outcome.plan.objectives, "found by", "candidate"),
        [
            (each.id, *(number(loss) for loss in each.losses), name, each.candidate)
            for name, each in rows
        ],
    )


def _winner(outcome: SearchOutcome) -> str:
    arm = outcome.arms[0]
    won = arm.winners[arm.best]
    told = [f"winner {won.id}, found by evaluation {won.number} of seed {won.repetition}:"]
    told.append(f"  {won.candidate}")
    if hint := _pretrain(list(map(str, outcome.plan.setting.text)), won):
        told += ["to pretrain it:", f"  {hint}"]
    return "\n".join(told) + "\n"


def _pretrain(files: Sequence[str], won: Evaluation) -> str:
    """The command that makes an encoder of the winner; "" for what is no cell."""
    if not won.candidate.startswith("c1/"):
        return ""
    text = [part for name in files or ["TEXT"] for part in ("--text", name)]
    words = ["probe", "pretrain", "-e", "cell", "--set", f"cell={won.candidate}", *text]
    return f"{shlex.join(words)} -o my-encoder"


def _finite(losses: Sequence[float]) -> list[Any]:
    return [loss if abs(loss) < float("inf") else None for loss in losses]
