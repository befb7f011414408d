"""``probe mix``: which layers a task draws on, by the weights of a scalar mix."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import complain

if TYPE_CHECKING:
    from ...results.records import Record


@click.command(name="mix")
@click.option(
    "-e", "--encoder", multiple=True, help="As in `probe run`; `probe list encoders`. Repeatable."
)
@click.option("-t", "--task", multiple=True, help="pos, deprel, coref ... Repeatable.")
@click.option("-d", "--data", help="builtin (default), the name of a corpus, a folder or a file.")
@click.option(
    "--cumulative",
    is_flag=True,
    help="Also mix the layers 0..k for every k, for the expected layer.",
)
@click.option(
    "--starts", type=click.IntRange(1), default=3, show_default=True, help="Starting points."
)
@click.option("--span-pooling", help="A span's vector: mean (default), first, last, endpoints.")
@click.option("--subword-pooling", help="A word's vector: mean (default), first, last.")
@click.option("--context", help="What a word sees: its document (default) or its sentence.")
@click.option("--device", help="Where encoders run: cpu (default), cuda, cuda:1, mps.")
@click.option("--batch-words", type=int, help="Words that go through an encoder at once (1024).")
@click.option("--workers", type=int, help="Workers that fit mixes; 0 (default): one a processor.")
@click.option("--engine", help="Where they run: processes (default), threads, ray.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder for the records (runs/DATA)."
)
@click.option(
    "--allow-download",
    is_flag=True,
    help="Let hf: models and hf-data: sets be fetched from the hub.",
)
@click.option(
    "-f", "--format", "format_", type=click.Choice(["terminal", "json"]), default="terminal"
)
@click.pass_obj
def command(
    shared: dict[str, bool],
    /,
    cumulative: bool,
    starts: int,
    allow_download: bool,
    format_: str,
    **given: Any,
) -> int:
    """Fit a classifier on a weighted sum of all layers, the weights learnt with it.

    Prints the weights and their centre of gravity, and with --cumulative the expected layer: where
    the score rises as layers are added (Tenney et al. 2019). What is recorded is not fitted again.

    \b
    probe mix --encoder transformer --task pos --task coref --cumulative
    """
    if allow_download:
        os.environ["LAYERWISE_ALLOW_DOWNLOAD"] = "1"
    from ..config import build
    from ..mixing import evaluate
    from ._outcome import report

    outcome = evaluate(build(given), cumulative=cumulative, starts=starts)
    return report(
        outcome, lambda records: _show(records, format_), verb="fitted", debug=shared["debug"]
    )


def _show(records: Sequence[Record], format_: str | None) -> None:
    profiles = list(_profiles(records))
    if format_ == "json":
        click.echo(json.dumps(profiles, indent=2, ensure_ascii=False))
    elif profiles:
        click.echo("\n\n".join(_as_text(profile) for profile in profiles))
    for record in records:
        if record.status == "failed":
            unit = f"{record.key.encoder}, {record.key.task}, {record.layer_name}"
            complain(f"{unit}: {record.error}")


def _profiles(records: Iterable[Record]) -> Iterable[dict[str, Any]]:
    """For each encoder and task, in the order asked for, what its mixes tell."""
    from ...probes.layer_profile import expected_layer

    groups: dict[tuple[str, str], dict[int, Record]] = {}
    for record in records:
        if record.status == "ok":
            mixes = groups.setdefault((record.key.encoder, record.key.task), {})
            mixes[record.key.layer] = record
    for (encoder, task), mixes in groups.items():
        last = mixes.get(max(record.layers for record in mixes.values()) - 1)
        found: dict[str, Any] = {"encoder": encoder, "task": task}
        if last is not None:
            starts: Any = last.chosen["starts"]
            found |= {
                "data": last.key.data,
                "metric": last.metric,
                "score": last.scores[last.metric],
                "interval": last.interval and [last.interval.low, last.interval.high],
                "weights": last.chosen["weights"],
                "centre_of_gravity": last.scores["centre_of_gravity"],
                "l2": last.chosen["l2"],
                "converged": last.chosen["converged"],
                "starts": starts,
            }
            if len(mixes) > 1 and len(mixes) == last.layers:
                scores = [mixes[k].scores[last.metric] for k in range(last.layers)]
                found |= {"cumulative_scores": scores, "expected_layer": expected_layer(scores)}
        yield found


def _as_text(profile: dict[str, Any]) -> str:
    from ...results.escaping import visible
    from ...results.render import number

    head = f"{visible(profile['encoder'])}, {visible(profile['task'])}"
    if "weights" not in profile:
        return f"{head}: the mix of all layers failed"
    low_high = profile["interval"]
    interval = f" [{number(low_high[0])}, {number(low_high[1])}]" if low_high else ""
    scores: Sequence[float] = profile.get("cumulative_scores", ())
    lines = [
        f"{head}, {visible(profile['data'])}: {profile['metric']} {number(profile['score'])}{interval}, "
        f"L2 {profile['l2']:.3g}" + ("" if profile["converged"] else ", NOT CONVERGED"),
        "layer  weight" + (f"  {profile['metric']} of 0..k" if scores else ""),
    ]
    for layer, weight in enumerate(profile["weights"]):
        score = f"  {number(scores[layer])}" if scores else ""
        bar = "█" * round(20 * weight)
        lines.append(f"{layer:5}  {number(weight):>6}{score}  {bar}".rstrip())
    lines.append(
        f"centre of gravity {profile['centre_of_gravity']:.2f}{_spread(profile['starts'])}"
    )
    if scores:
        expected = profile["expected_layer"]
        lines.append(
            "expected layer undefined: no score above that of layer 0 alone"
            if expected is None
            else f"expected layer {expected:.2f}"
        )
    return "\n".join(lines)


def _spread(starts: Sequence[dict[str, Any]]) -> str:
    """What other starting points gave: the problem is not convex."""
    if len(starts) < 2:
        return ""
    centres = [start["centre_of_gravity"] for start in starts]
    best = min(start["objective"] for start in starts)
    worst = max(start["objective"] for start in starts)
    return (
        f"; from {len(starts)} starts {min(centres):.2f} to {max(centres):.2f}, objectives "
        f"within {100 * (worst / best - 1):.2f} %"
    )
