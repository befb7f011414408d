"""The section of ``findings.md`` on pruned encoders, from the records of their tasks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from findings_words import plain, short

from layerwise.results.records import Record

NAME = re.compile(r"local:.*/(?P<score>\w+)/sparsity-(?P<sparsity>[0-9.]+)$")
DENSE = ("dense", 0.0)
Arm = tuple[str, float]


def sparsity(records: Sequence[Record]) -> Iterator[str]:
    """Which knowledge goes first as weights go, beside weights that go at random?"""
    best = _best(records)
    if not best:
        return
    tasks = list(dict.fromkeys(task for _, task in best))
    arms = sorted({arm for arm, _ in best})
    yield "## Which knowledge goes first as weights go?\n"
    yield "Weights of the transformer's layers set to 0, the smallest first or at random, without"
    yield "any training after it. Scores on GUM at the layer that is best on dev, with the 95 %"
    yield "interval; in brackets what of the dense encoder's is left, and the selectivity.\n"
    yield "| weights that go | share | " + " | ".join(map(plain, tasks)) + " |"
    yield "| :-- | --: |" + " :-- |" * len(tasks)
    lost: dict[Arm, list[str]] = defaultdict(list)
    for arm in [DENSE, *(arm for arm in arms if arm != DENSE)]:
        cells = []
        for task in tasks:
            record, dense = best.get((arm, task)), best[DENSE, task]
            if record is None or record.interval is None or dense.interval is None:
                cells.append("–")
                continue
            score, whole = record.scores[record.metric], dense.scores[dense.metric]
            span = record.interval
            selectivity = record.scores.get("selectivity")
            beside = "" if selectivity is None else f", {short(selectivity)}"
            cells.append(
                f"{short(score)} [{short(span.low)}, {short(span.high)}]"
                f" ({score / whole:.0%}{beside})"
            )
            if span.high < dense.interval.low:
                lost[arm].append(plain(task))
        yield f"| {arm[0]} | {arm[1]:g} | " + " | ".join(cells) + " |"
    yield ""
    for score in dict.fromkeys(arm[0] for arm in arms if arm != DENSE):
        told = [
            f"{arm[1]:g}: {', '.join(lost[arm]) or 'nothing'}" for arm in arms if arm[0] == score
        ]
        yield f"**Below the dense encoder by its interval, {score}: {'; '.join(told)}.**\n"


def _best(records: Sequence[Record]) -> dict[tuple[Arm, str], Record]:
    """By encoder and task the record of the layer that is best on dev."""
    found: dict[tuple[Arm, str], Record] = {}
    for record in records:
        if record.status != "ok":
            continue
        said = NAME.match(record.key.encoder)
        arm = (said["score"], float(said["sparsity"])) if said else DENSE
        place = arm, record.key.task
        if place not in found or _dev(record) > _dev(found[place]):
            found[place] = record
    return found


def _dev(record: Record) -> float:
    return record.dev_scores[record.metric]
