"""Which knowledge goes first as weights go: tasks and perplexity over sparsity, beside controls.

    OMP_NUM_THREADS=1 python benchmarks/sparsity.py local:FOLDER --held-out FILE --output FOLDER

An encoder is pruned by magnitude and at random at equal sparsities; each, the dense encoder and
dense smaller models with as many weights are probed on all tasks, layer by layer, with intervals
and control tasks. Of each encoder the layer that is best on the dev split is drawn. What is there
already is not made again: killed, the same command goes on. ``--small 0.5=local:FOLDER`` names a
dense smaller model; the commands that train them are printed first.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

import torch

from layerwise.core import files
from layerwise.encoders.base import EncoderOptions
from layerwise.encoders.bilm import BiLM, BiLMSettings
from layerwise.encoders.bilm_encoder import BiLMEncoder
from layerwise.encoders.checkpoint import CARD
from layerwise.encoders.contextual_matrices import contextual_matrices
from layerwise.encoders.loading import load_encoder
from layerwise.encoders.pruned_encoder import identity_of, is_written, prune, write
from layerwise.encoders.pruning import Score
from layerwise.encoders.pruning_plan import Pruning
from layerwise.encoders.training_text import read_text
from layerwise.results.palette import looks
from layerwise.results.panels import Picture, legend, small_multiples, title
from layerwise.results.records import Record
from layerwise.suite.python_api import evaluate

DENSE, SMALL = "dense", "dense, smaller"
SCORES: tuple[Score, ...] = get_args(Score)
TASKS = ("pos", "deprel", "constituent", "coref")
_WIDTHS = ("dim", "hidden", "feed_forward", "head_width")


class Arm(NamedTuple):
    """An encoder by its name on the command line, and where it stands in the picture."""

    kind: str
    sparsity: float
    encoder: str


class Point(NamedTuple):
    """A score at the layer that is best on the dev split, with its interval where it has one."""

    value: float
    low: float
    high: float
    layer: int


def make_arms(
    encoder: str,
    scores: Sequence[Score],
    sparsities: Sequence[float],
    held_out: Sequence[Path],
    folder: Path,
) -> list[Arm]:
    """The dense encoder and the pruned ones, each written to a folder of its own or there."""
    source = load_encoder(encoder, EncoderOptions())
    kept = read_text(held_out) if held_out else None
    arms = [Arm(DENSE, 0.0, encoder)]
    for score in scores:
        for sparsity in sparsities:
            plan = Pruning(score=score, sparsity=sparsity, held_out=kept)
            where = folder / score / f"sparsity-{sparsity:g}"
            if not is_written(where, identity_of(source, plan)):
                write(where, source, plan, prune(source, plan))
            head = "local" if isinstance(source, BiLMEncoder) else "hf"
            arms.append(Arm(score, sparsity, f"{head}:{where}"))
    return arms


def perplexities(arms: Sequence[Arm]) -> dict[Arm, float]:
    """Of the held-out text, as the cards tell it; the dense encoder's is what the pruned say."""
    found: dict[Arm, float] = {}
    for arm in arms:
        path = Path(arm.encoder.partition(":")[2]) / CARD
        card = files.read_json(path) if path.is_file() else {}
        if arm.kind not in (DENSE, SMALL) and card.get("held_out_perplexity_before"):
            found[arms[0]] = card["held_out_perplexity_before"]["mean"]
        if arm.kind != DENSE and card.get("held_out_perplexity"):
            found[arm] = card["held_out_perplexity"]["mean"]
    return found


def smaller(settings: BiLMSettings, sparsity: float) -> dict[str, int]:
    """Widths of a dense model of as many blocks with as many weights as the pruned one has left.

    All widths shrink together, as near as whole heads allow.
    """
    stack = settings.stack
    widths = [name for name in _WIDTHS if name in stack]
    aim = (1 - sparsity) * _weights(settings)
    best: dict[str, int] = {}
    nearest = math.inf
    step = int(stack.get("heads", 1)) if "head_width" not in stack else 1
    step = math.lcm(step, 2)  # positions are pairs of sines and cosines
    for dim in range(step, int(stack["dim"]) + 1, step):
        share = dim / int(stack["dim"])
        tried = {name: max(round(int(stack[name]) * share), 1) for name in widths} | {"dim": dim}
        found = settings.model_copy(update={"stack": stack | tried})
        if (distance := abs(_weights(found) - aim)) < nearest:
            best, nearest = tried, distance
    return best


def _weights(settings: BiLMSettings) -> int:
    with torch.device("meta"):
        model = BiLM(settings)
    return sum(matrix.values.numel() for matrix in contextual_matrices(model))


def best_points(records: Sequence[Record], score: str = "") -> dict[tuple[str, str], Point]:
    """By encoder and task the score (else the record's own) at the layer that is best on dev."""
    found: dict[tuple[str, str], tuple[float, Point]] = {}
    for record in records:
        if record.status != "ok":
            continue
        name = score or record.metric
        if name not in record.scores:
            continue
        value, span = record.scores[name], record.interval
        drawn = span is not None and not score
        low, high = (span.low, span.high) if drawn and span is not None else (value, value)
        rank = record.dev_scores.get(record.metric, -math.inf)
        place = record.key.encoder, record.key.task
        if place not in found or rank > found[place][0]:
            found[place] = rank, Point(value, low, high, record.key.layer)
    return {place: point for place, (_, point) in found.items()}


def draw(arms: Sequence[Arm], records: Sequence[Record], perplexity: dict[Arm, float]) -> Picture:
    """A panel a task and one of perplexity; selectivity is dashed, in the colour of its line."""
    points, selective = best_points(records), best_points(records, "selectivity")
    tasks = list(dict.fromkeys(task for _, task in points))
    metrics = {record.key.task: record.metric for record in records}
    figure, grid = small_multiples(len(tasks) + bool(perplexity), 1.9)
    kinds = list(dict.fromkeys(arm.kind for arm in arms if arm.kind != DENSE))
    styles = looks(kinds)
    for axes, task in zip(grid, tasks, strict=False):
        title(axes, task, metrics[task])
        for kind in kinds:
            line = _line(arms, kind)
            look = styles[kind]
            own = [
                (arm.sparsity, points[arm.encoder, task])
                for arm in line
                if (arm.encoder, task) in points
            ]
            x = [sparsity for sparsity, _ in own]
            low, high = [p.low for _, p in own], [p.high for _, p in own]
            axes.fill_between(x, low, high, color=look.colour, alpha=0.12, linewidth=0)
            axes.plot(x, [p.value for _, p in own], **look.line())
            control = [
                (arm.sparsity, selective[arm.encoder, task].value)
                for arm in line
                if (arm.encoder, task) in selective
            ]
            if control:
                axes.plot(*zip(*control, strict=True), **look._replace(twin=True).line())
    if perplexity:
        axes = grid[len(tasks)]
        title(axes, "held-out text", "perplexity (lower is better)")
        axes.set_yscale("log")
        for kind in kinds:
            told = [
                (arm.sparsity, perplexity[arm]) for arm in _line(arms, kind) if arm in perplexity
            ]
            if told:
                axes.plot(*zip(*told, strict=True), **styles[kind].line())
    for axes in grid:
        axes.set_xlabel("sparsity", fontsize=7)
        axes.grid(axis="y", alpha=0.25, linewidth=0.5)
    from matplotlib.lines import Line2D

    entries: list[tuple[Any, str]] = [
        (Line2D([], [], **look.line()), kind) for kind, look in styles.items()
    ]
    if selective:
        dashed = next(iter(styles.values()))._replace(twin=True)
        entries.append((Line2D([], [], **dashed.line()), "selectivity"))
    legend(figure, entries)
    return Picture(figure, f"Scores over sparsity on {len(tasks)} tasks: {', '.join(tasks)}.")


def _line(arms: Sequence[Arm], kind: str) -> list[Arm]:
    """The encoders of a line in the order of their sparsity, the dense one first."""
    chosen = [arm for arm in arms if arm.kind in (DENSE, kind)]
    return sorted(chosen, key=lambda arm: arm.sparsity)


def table(arms: Sequence[Arm], records: Sequence[Record], perplexity: dict[Arm, float]) -> str:
    """A line an encoder: scores with their intervals and layer, selectivity, perplexity."""
    points, selective = best_points(records), best_points(records, "selectivity")
    tasks = list(dict.fromkeys(task for _, task in points))
    lines = ["encoder | " + " | ".join(tasks) + " | perplexity"]
    for arm in arms:
        cells = [f"{arm.kind} {arm.sparsity:g}"]
        for task in tasks:
            point, control = points.get((arm.encoder, task)), selective.get((arm.encoder, task))
            if point is None:
                cells.append("-")
                continue
            beside = f", selectivity {control.value:.3f}" if control else ""
            cells.append(
                f"{point.value:.3f} [{point.low:.3f}, {point.high:.3f}] @{point.layer}{beside}"
            )
        cells.append(f"{perplexity[arm]:.1f}" if arm in perplexity else "-")
        lines.append(" | ".join(cells))
    return "\n".join(lines)


def main(given: Sequence[str] | None = None) -> None:
    """Prune, probe, print the table and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("encoder", help="transformer, local:FOLDER, minilm, hf:./FOLDER")
    parser.add_argument("--output", type=Path, required=True, help="folder of all that is made")
    parser.add_argument("--data", default="gum")
    parser.add_argument("--task", action="append", help=f"repeatable; {', '.join(TASKS)}")
    parser.add_argument("--sparsity", default="0.3,0.5,0.8,0.9")
    parser.add_argument("--score", nargs="+", default=SCORES, choices=SCORES)
    parser.add_argument("--held-out", type=Path, action="append", default=[])
    parser.add_argument("--small", action="append", default=[], metavar="SPARSITY=ENCODER")
    parser.add_argument("--train-targets", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args(given)
    sparsities = [float(part) for part in asked.sparsity.split(",")]
    arms = make_arms(
        asked.encoder, asked.score, sparsities, asked.held_out, asked.output / "pruned"
    )
    for pair in asked.small:
        share, _, name = pair.partition("=")
        arms.append(Arm(SMALL, float(share), name))
    source = load_encoder(asked.encoder, EncoderOptions())
    if isinstance(source, BiLMEncoder):
        settings = source._model.settings
        for sparsity in sparsities:
            widths = smaller(settings, sparsity)
            sets = " ".join(f"--set {name}={value}" for name, value in widths.items())
            print(
                f"as many weights as at {sparsity:g}: probe pretrain -e {settings.architecture} "
                f"{sets} --window {settings.window} [--text ... and the budget of the dense one]"
            )
    done = evaluate(
        encoder=tuple(arm.encoder for arm in arms),
        task=tuple(asked.task or TASKS),
        data=asked.data,
        controls=1,
        control_encoders=False,
        train_targets=asked.train_targets,
        workers=asked.workers,
        output=asked.output,
    )
    perplexity = perplexities(arms)
    print(table(arms, done.records, perplexity))
    for problem in done.problems:
        print(problem, file=sys.stderr)
    picture = draw(arms, done.records, perplexity)
    for ending in ("png", "svg"):
        picture.write(asked.output / f"sparsity.{ending}")
    print(f"records and pictures: {asked.output}")


if __name__ == "__main__":
    main()
