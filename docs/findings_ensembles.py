"""The section of ``findings.md`` on ensembles of probes, from their records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from findings_words import plain, short

from layerwise.results.records import Record

AIM, CALIBRATED = 0.05, 0.02
BEST, RIVAL, OURS = "single", "seeds", "hyper-deep"
HEAD = (
    *("arm", "log-loss [95 %]", "to single", "Brier", "calibration error", "before"),
    *("accuracy", "of the surest 80 %"),
)
SCORES = ("brier", "calibration_error", "accuracy", "accuracy_at_80")


def ensembles(records: Sequence[Record]) -> Iterator[str]:
    """Do ensembles over layers and hyperparameters predict better than the best single probe?"""
    arms = {
        (record.key.task, str(record.key.settings["arm"])): record
        for record in records
        if record.status == "ok"
    }
    if not arms:
        return
    yield "## Are ensembles of probes better than the best probe?\n"
    yield "Probabilities of one encoder's probes on GUM, all after a temperature that was fitted on"
    yield "the half of dev on which nothing was chosen; `before` is the calibration error before."
    yield "The best single probe is of a layer or of a mix of layers.\n"
    verdicts: list[tuple[str, bool, bool, bool]] = []
    for task in dict.fromkeys(task for task, _ in arms):
        mine = {arm: record for (each, arm), record in arms.items() if each == task}
        best = mine[BEST].scores["tempered_nats"]
        encoder = mine[BEST].key.encoder
        yield f"**{plain(task)}**, {encoder}\n"
        yield f"| {' | '.join(HEAD)} |"
        yield "| :-- | :-- | --: | --: | --: | --: | --: | --: |"
        for arm, record in mine.items():
            nats, span = record.scores["tempered_nats"], record.interval
            within = f" [{short(span.low)}, {short(span.high)}]" if span else ""
            brier, error, accuracy, surest = (record.scores[f"tempered_{each}"] for each in SCORES)
            before = record.scores["calibration_error"]
            shown = (brier, error, before, accuracy, surest)
            cells = [f"{short(nats)}{within}", f"{nats / best - 1:+.1%}", *map(short, shown)]
            yield "| " + " | ".join([arm, *cells]) + " |"
        yield ""
        ours = mine[OURS].scores
        verdicts.append(
            (
                plain(task),
                ours["tempered_nats"] <= (1 - AIM) * best,
                ours["tempered_nats"] < mine[RIVAL].scores["tempered_nats"],
                ours["tempered_calibration_error"] <= CALIBRATED,
            )
        )
    claims = (
        f"Log-loss {AIM:.0%} below that of the best single probe",
        "Log-loss below that of other seeds",
        f"Calibration error of at most {CALIBRATED:g}",
    )
    for place, claim in enumerate(claims, start=1):
        yes = [verdict[0] for verdict in verdicts if verdict[place]]
        no = [verdict[0] for verdict in verdicts if not verdict[place]]
        told = [", ".join(yes) or "on no task", f"not on {', '.join(no)}" if no else ""]
        yield f"**{claim}: {'; '.join(filter(None, told))}.**\n"
