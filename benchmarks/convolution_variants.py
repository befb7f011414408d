"""Seven variants of the gated convolution beside the plain one: perplexity, probes, time.

    LAYERWISE_DATA=... OMP_NUM_THREADS=1 python benchmarks/convolution_variants.py -o FOLDER

All are trained on the same words in the same order, with as many layers of as many channels, and
as many weights to within 5 % (``encoders.search.space.convolution_variants``). A variant that is
slower than the plain one has to be set against more of the plain one: plain stacks with more layers
are trained too (``--deeper``). The folder holds an encoder each and one file of records, probes and
times alike; a run that was stopped goes on where it was, and what is there is not done again.

Times are those of ``probe time``: all layers of one text, encoders in turns in one process, the
least of ``--repeats`` passes, for other work on the machine only adds. *At equal latency* a variant
is set against the plain stacks that are at most 5 % slower: it beats the plain convolution where it
is better than all of these by every seed, and than some plain stack with at least 0.95 of its time
(else ``open``: only a plain stack that is yet slower is better, or nothing as slow was trained).
For a task that is the best layer by dev, scored on test.

With the defaults about three CPU minutes of training a variant and one of probes and times.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import torch

from layerwise.core.errors import LayerwiseError, UsageError
from layerwise.core.files import make_folder, write_text
from layerwise.encoders.bilm import build_settings
from layerwise.encoders.budget import Budget
from layerwise.encoders.pretrain import pretrain
from layerwise.encoders.search.space.convolution_variants import VARIANTS
from layerwise.encoders.training_settings import TrainingSettings
from layerwise.results.records import Record
from layerwise.results.speed import TASK as TIME
from layerwise.suite import pipeline, timing
from layerwise.suite.config import build

PLAIN = "gconv"
CATEGORIES = {PLAIN: "plain"} | {variant.name: variant.category for variant in VARIANTS}
SLOWER = 1.05  # what still counts as equal latency


@dataclass(frozen=True)
class Settings:
    """What is trained and asked."""

    output: Path
    text: tuple[Path, ...]
    held_out: tuple[Path, ...]
    budget: str
    dim: int
    layers: int
    deeper: tuple[int, ...]
    window: int
    batch: int
    vocabulary: int
    seeds: int
    data: str
    tasks: tuple[str, ...]
    length: int
    repeats: int


class Stack(NamedTuple):
    """A cell in so many layers, by a seed."""

    cell: str
    layers: int
    seed: int

    def folder(self, settings: Settings) -> Path:
        """Where its encoder is kept."""
        return settings.output / f"{self.cell}-{self.layers}-seed{self.seed}"

    def encoder(self, settings: Settings) -> str:
        """Its name as an encoder."""
        return f"local:{self.folder(settings)}"


def stacks(settings: Settings) -> list[Stack]:
    """The plain one and its variants, and the plain one with more layers, by every seed."""
    shapes = [(cell, settings.layers) for cell in CATEGORIES]
    shapes += [(PLAIN, settings.layers + more) for more in settings.deeper]
    return [Stack(cell, layers, seed) for seed in range(settings.seeds) for cell, layers in shapes]


def train(settings: Settings, stack: Stack) -> dict[str, float]:
    """Its perplexity and its weights; trained now, if it is not there yet."""
    model = build_settings(
        "cell",
        "small",
        {"dim": settings.dim, "layers": stack.layers, "cell": stack.cell},
        window=settings.window,
    )
    plan = TrainingSettings(
        budget=Budget.parse(settings.budget),
        batch=settings.batch,
        vocabulary=settings.vocabulary,
        seed=stack.seed,
    )
    card = pretrain(
        model,
        plan,
        settings.text,
        settings.held_out,
        stack.folder(settings),
        "benchmarks/convolution_variants.py",
    )
    return {
        "perplexity": card["held_out_perplexity"]["mean"],
        "weights": card["parameters"]["contextual"],
    }


def measure(settings: Settings, names: Sequence[str]) -> list[Record]:
    """Scores and times of all encoders, from the folder or measured now."""
    config = build(
        {
            "encoder": tuple(names),
            "task": settings.tasks,
            "data": settings.data,
            "controls": 0,
            "control_encoders": False,
            "workers": 1,
            "output": settings.output,
        }
    )
    times = timing.TimeConfig(
        encoder=tuple(names),
        batch_size=(1,),
        length=(settings.length,),
        repeats=settings.repeats,
        data=settings.data,
        output=settings.output,
    )
    found = []
    for outcome in (pipeline.evaluate(config), timing.evaluate(times)):
        for error in outcome.errors.values():
            raise error
        found += outcome.records
    for record in found:
        if record.status != "ok":
            raise LayerwiseError(record.error or "failed", where=record.key.encoder)
    return found


class Found(NamedTuple):
    """What one stack came to. ``milliseconds`` and scores are by layer, ``dev`` as ``scores``."""

    perplexity: float
    weights: int
    milliseconds: dict[int, float]
    scores: dict[str, dict[int, float]]
    dev: dict[str, dict[int, float]]

    @property
    def latency(self) -> float:
        """To reach the last layer."""
        return max(self.milliseconds.values())

    def best(self, task: str) -> float:
        """The score on test of the layer that is best on dev."""
        dev = self.dev[task]
        return self.scores[task][max(dev, key=dev.__getitem__)]


def gather(records: Sequence[Record], name: str, trained: Mapping[str, float]) -> Found:
    """The records of one encoder."""
    milliseconds: dict[int, float] = {}
    scores: dict[str, dict[int, float]] = {}
    dev: dict[str, dict[int, float]] = {}
    for record in records:
        layer, task, metric = record.key.layer, record.key.task, record.metric or ""
        if record.key.encoder != name:
            continue
        if task == TIME:
            milliseconds[layer] = record.scores[f"{metric}_min"]
        else:
            scores.setdefault(task, {})[layer] = record.scores[metric]
            dev.setdefault(task, {})[layer] = record.dev_scores[metric]
    return Found(trained["perplexity"], int(trained["weights"]), milliseconds, scores, dev)


def verdict(own: Sequence[float], latency: float, plain: Mapping[float, Sequence[float]]) -> str:
    """Whether values by seed, the higher the better, beat the plain stacks of this latency.

    ``plain`` maps latencies to values by seed. ``no`` where a stack that is no slower is as good by
    some seed; ``yes`` where one that is as slow, or slower, is beaten; else ``open``.
    """

    def beaten(values: Sequence[float]) -> bool:
        return all(a > b for a, b in zip(own, values, strict=True))

    if not all(beaten(values) for time, values in plain.items() if time <= SLOWER * latency):
        return "no"
    slow = [values for time, values in plain.items() if time >= (2 - SLOWER) * latency]
    return "yes" if any(map(beaten, slow)) else "open"


def tables(settings: Settings, found: Mapping[Stack, Found]) -> str:
    """Markdown: each stack; each task by layer with times; who beats the plain one."""
    shapes = list(dict.fromkeys((stack.cell, stack.layers) for stack in found))
    of = {
        shape: [each for stack, each in found.items() if (stack.cell, stack.layers) == shape]
        for shape in shapes
    }
    tasks = list(of[shapes[0]][0].scores)
    base = of[PLAIN, settings.layers]
    latency = {shape: fmean(each.latency for each in of[shape]) for shape in shapes}
    plain = [shape for shape in shapes if shape[0] == PLAIN]
    lines = [
        f"Words seen {settings.budget}, {settings.dim} channels, {settings.seeds} "
        f"seed{'s' * (settings.seeds > 1)}, data {settings.data}; milliseconds of one text of "
        f"{settings.length} words.",
        "",
        "| cell | category | layers | weights | ms | perplexity | at equal latency |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    for shape in shapes:
        beats = "" if shape in plain else _beats(of, shape, plain, latency, None)
        ratio = of[shape][0].weights / base[0].weights - 1
        lines.append(
            f"| {shape[0]} | {CATEGORIES[shape[0]]} | {shape[1]} | {ratio:+.1%} "
            f"| {latency[shape]:.2f} | {fmean(each.perplexity for each in of[shape]):.2f} "
            f"| {beats} |"
        )
    for task in tasks:
        deepest = max(layers for _, layers in shapes)
        head = " | ".join(f"layer {layer}" for layer in range(deepest + 1))
        lines += ["", f"**{task}**", "", f"| cell | {head} | best by dev | at equal latency |"]
        lines.append("|---|" + "--:|" * (deepest + 2) + "---|")
        for shape in shapes:
            cells = [_cell(of[shape], task, layer) for layer in range(deepest + 1)]
            beats = "" if shape in plain else _beats(of, shape, plain, latency, task)
            best = fmean(each.best(task) for each in of[shape])
            name = shape[0] if shape[1] == settings.layers else f"{shape[0]}, {shape[1]} layers"
            lines.append(f"| {name} | {' | '.join(cells)} | {best:.4f} | {beats} |")
    lines += ["", "In brackets the milliseconds to reach a layer."]
    return "\n".join(lines) + "\n"


def _beats(
    of: Mapping[tuple[str, int], Sequence[Found]],
    shape: tuple[str, int],
    plain: Sequence[tuple[str, int]],
    latency: Mapping[tuple[str, int], float],
    task: str | None,
) -> str:
    def values(which: tuple[str, int]) -> list[float]:
        return [-each.perplexity if task is None else each.best(task) for each in of[which]]

    return verdict(values(shape), latency[shape], {latency[p]: values(p) for p in plain})


def _cell(runs: Sequence[Found], task: str, layer: int) -> str:
    if layer not in runs[0].scores[task]:
        return ""
    score = fmean(each.scores[task][layer] for each in runs)
    time = fmean(each.milliseconds[layer] for each in runs)
    return f"{score:.4f} ({time:.2f})"


def run(settings: Settings) -> str:
    """Train, measure and compare; the tables, which the folder keeps as ``table.md`` too."""
    make_folder(settings.output)
    every = stacks(settings)
    trained = {stack: train(settings, stack) for stack in every}
    names = [stack.encoder(settings) for stack in every]
    records = measure(settings, names)
    found = {
        stack: gather(records, name, trained[stack])
        for stack, name in zip(every, names, strict=True)
    }
    told = tables(settings, found)
    write_text(settings.output / "table.md", told)
    return told


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--text", type=Path, nargs="+", help="else MASC, of LAYERWISE_DATA")
    parser.add_argument("--held-out", type=Path, nargs="+", default=[])
    parser.add_argument("--budget", default="1Mwords")
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--deeper", type=int, nargs="*", default=[2, 4], help="layers more")
    parser.add_argument("--window", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--vocabulary", type=int, default=4000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--data", default="gum_open")
    parser.add_argument("--tasks", nargs="+", default=["pos", "deprel", "constituent", "coref"])
    parser.add_argument("--length", type=int, default=60, help="words; less than --window")
    parser.add_argument("--repeats", type=int, default=30)
    given = vars(parser.parse_args())
    if given["text"] is None:
        data = os.environ.get("LAYERWISE_DATA")
        if not data:
            raise SystemExit(
                str(UsageError("no text", where="LAYERWISE_DATA", cure="set it, or give --text"))
            )
        given["text"] = [Path(data) / "pretrain" / "masc.txt.gz"]
    torch.set_num_threads(1)
    settings = Settings(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in given.items()
        }
    )
    try:
        print(run(settings), end="")
    except LayerwiseError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
