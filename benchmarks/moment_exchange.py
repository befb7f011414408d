"""Moment exchange beside dropout and mixup, in both places where features are trained.

    python benchmarks/moment_exchange.py probes -o probes.jsonl [--task pos --task deprel]
    python benchmarks/moment_exchange.py pretraining -o FOLDER --text FILE --held-out FILE
    python benchmarks/moment_exchange.py table probes.jsonl

Five seeds, little data and all of it, and paired tests of every kind against none and of moment
exchange against the others. What is measured already is not measured again, so that the same
command goes on after a kill; ``pretraining --dry-run`` tells the cost.

``probes``: a seed draws the training targets and the augmentation. Each kind has as many rows and
as many settings to choose from, by the cross-entropy on dev. ``pretraining``: a seed draws weights,
windows and augmentation; each kind has the same steps, and its settings are the defaults' or those
given; the score is the held-out cross-entropy in nats, the lowest on the way.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ttest_rel
from threadpoolctl import threadpool_limits

from layerwise.core import registry
from layerwise.core.files import append_line, canonical_json
from layerwise.encoders.base import EncoderOptions
from layerwise.encoders.loading import load_encoder
from layerwise.encoders.store import Store
from layerwise.probes.augmentation import KINDS
from layerwise.probes.augmented_probe import PROBES, AugmentedProbe
from layerwise.probes.linear import LinearProbe
from layerwise.results.comparison import paired_difference
from layerwise.results.multiplicity import holm
from layerwise.suite.arrays import to_arrays
from layerwise.suite.fitting import rows_of
from layerwise.tasks.corpora import load_corpus
from layerwise.tasks.preparation import prepare

NONE = "none"
SETTINGS = ((0.5, 0.9), (0.5, 0.5), (1.0, 0.9))
"""Probability and lambda, of which each kind of each seed takes what is best on dev."""
GRID = tuple(10.0**k for k in range(4, -3, -1))

Line = dict[str, Any]


def read(path: Path) -> list[Line]:
    """The lines that were measured so far."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def key_of(line: Line) -> tuple[Any, ...]:
    """What a line measures."""
    return tuple(line[name] for name in ("what", "size", "seed", "kind"))


class Targets:
    """A task's features and labels on one layer, and the sentences of its test targets."""

    def __init__(self, encoder: str, corpus: str, task: str, layer: int) -> None:
        prepared = prepare(registry.load("task", task)(""), load_corpus(corpus))
        arrays = to_arrays(prepared)
        loaded = load_encoder(encoder, EncoderOptions())
        self.features, self.labels = {}, {}
        for name in ("train", "dev", "test"):
            stored = Store().activations(loaded, prepared.splits[name].documents)
            rows = rows_of(np.asarray(stored.layer(layer)), arrays.splits[name], "mean")
            self.features[name] = rows.astype(np.float32)  # (targets, dim)
            self.labels[name] = arrays.splits[name].labels
        self.classes = len(arrays.classes)
        self.sentences = np.unique(arrays.splits["test"].clusters, return_inverse=True)[1]

    def drawn(self, size: int, seed: int) -> NDArray[np.int64]:
        """The training targets of a seed; all of them for 0."""
        count = len(self.labels["train"])
        if not 0 < size < count:
            return np.arange(count)
        return np.sort(np.random.default_rng(seed).choice(count, size, replace=False))

    def measure(self, kind: str, size: int, seed: int) -> Line:
        """Fit on a seed's targets, choose on dev, and count what is right in each sentence."""
        rows = self.drawn(size, seed)
        X, y = self.features["train"][rows], self.labels["train"][rows]
        dev, dev_labels = self.features["dev"], self.labels["dev"]
        fits = []
        started = time.process_time()
        for probability, own in SETTINGS if kind != NONE else ((0.0, 1.0),):
            probe: LinearProbe | AugmentedProbe = LinearProbe(l2=GRID)
            if kind != NONE:
                probe = PROBES[kind](probability=probability, own=own, seed=seed, l2=GRID)
            probe.fit(X, y, dev, dev_labels, classes=self.classes)
            fits.append((cross_entropy(probe, dev, dev_labels, y), probability, own, probe))
        on_dev, probability, own, best = min(fits, key=lambda fit: fit[0])
        right = best.predict(self.features["test"]) == self.labels["test"]
        return {
            "probability": probability,
            "lambda": own,
            "l2": best.fit_report()["l2"],
            "dev_cross_entropy": round(on_dev, 5),
            "test_cross_entropy": round(
                cross_entropy(best, self.features["test"], self.labels["test"], y), 5
            ),
            "cpu_seconds": round(time.process_time() - started, 1),
            "right": np.bincount(self.sentences, right).astype(int).tolist(),
            "of": np.bincount(self.sentences).tolist(),
            "score": float(right.mean()),
        }


def cross_entropy(
    probe: Any, X: NDArray[Any], labels: NDArray[np.int64], seen: NDArray[np.int64]
) -> float:
    """The mean in nats over the targets whose label training has."""
    known = np.isin(labels, seen)
    p = probe.predict_proba(X[known])[np.arange(int(known.sum())), labels[known]]
    return float(-np.log(np.maximum(p, 1e-12)).mean())


def probes(asked: argparse.Namespace) -> None:
    """Measure all that is missing."""
    done = {key_of(line) for line in read(asked.output)}
    for task in asked.task:
        targets = Targets(asked.encoder, asked.data, task, asked.layer)
        for size in asked.sizes:
            for seed, kind in ((s, k) for s in range(asked.seeds) for k in (NONE, *KINDS)):
                line = {"what": f"{task} {asked.encoder}:{asked.layer}", "size": size}
                line |= {"seed": seed, "kind": kind}
                if key_of(line) in done:
                    continue
                line |= targets.measure(kind, size, seed)
                append_line(asked.output, canonical_json(line))
    table(read(asked.output))


def pretraining(asked: argparse.Namespace) -> None:
    """Train all that is missing, each in a folder of its own, and add their lines."""
    from layerwise.encoders.bilm import build_settings
    from layerwise.encoders.estimate import estimate
    from layerwise.encoders.pretrain import pretrain
    from layerwise.encoders.training_log import LOG
    from layerwise.encoders.training_settings import TrainingSettings

    settings = build_settings(asked.encoder, asked.size, window=asked.window)
    plans = list(_plans(asked, TrainingSettings))
    if asked.dry_run:
        total = 0.0
        for kind in (NONE, *asked.kinds):
            own = [plan for plan in plans if plan[2] == kind]
            found = estimate(settings, own[0][3], asked.text, asked.held_out)
            step, held_out = found.step_seconds, found.evaluation_seconds
            seconds = len(own) * (found.steps * step + found.evaluations * held_out)
            total += seconds
            print(f"{kind:8} {len(own)} trainings of {found.steps:,} steps of {step:.3f} s")
        print(f"all {len(plans)} trainings: {total / 3600:.1f} hours")
        return
    lines = asked.output / "pretraining.jsonl"
    done = {key_of(line) for line in read(lines)}
    for words, seed, kind, plan in plans:
        line = {"what": f"{asked.encoder} {asked.size}", "size": words, "seed": seed, "kind": kind}
        if key_of(line) in done:
            continue
        text = [_beginning(asked.output, path, words) for path in asked.text]
        folder = asked.output / f"{words or 'all'}-{kind}-{seed}"
        card = pretrain(settings, plan, text, asked.held_out, folder, "benchmarks/moment_exchange")
        held_out = [each["held_out"]["mean"] for each in read(folder / LOG) if "held_out" in each]
        append_line(
            lines,
            canonical_json(
                line
                | {"probability": plan.augment_probability, "lambda": plan.augment_lambda}
                | {"cpu_seconds": card["seconds"], "score": math.log(min(held_out))}
                | {"last": math.log(held_out[-1]), "steps": card["steps"]}
            ),
        )
    table(read(lines))


def _plans(asked: argparse.Namespace, make: Any) -> Iterator[tuple[int, int, str, Any]]:
    """Words of text (0 for all), seed, kind, training."""
    for words in asked.words:
        for seed in range(asked.seeds):
            for kind in (NONE, *asked.kinds):
                own = {}
                if kind != NONE:
                    own = {
                        "augment": kind,
                        "augment_probability": asked.probability,
                        "augment_lambda": asked.own,
                    }
                yield (
                    words,
                    seed,
                    kind,
                    make(
                        budget=f"{asked.steps}steps",
                        batch=asked.batch,
                        vocabulary=asked.vocabulary,
                        seed=seed,
                        evaluate_every=max(asked.steps // 10, 1),
                        **own,
                    ),
                )


def _beginning(folder: Path, path: Path, words: int) -> Path:
    """The text, or a file of its first lines with so many words."""
    from layerwise.core.files import write_text
    from layerwise.encoders.running_text import read_words

    if not words:
        return path
    short = folder / f"{path.name.split('.')[0]}-{words}.txt"
    if not short.exists():
        lines, count = [], 0
        for line in read_words([path]):
            if count >= words:
                break
            lines.append(" ".join(line))
            count += len(line)
        write_text(short, "\n".join(lines) + "\n")
    return short


def table(lines: Sequence[Line]) -> None:
    """Means over the seeds that all kinds have, and the tests of each pair of kinds."""
    groups = sorted({(line["what"], line["size"]) for line in lines})
    for what, size in groups:
        own = [line for line in lines if (line["what"], line["size"]) == (what, size)]
        by_kind = {
            kind: sorted((x for x in own if x["kind"] == kind), key=lambda x: x["seed"])
            for kind in (NONE, *KINDS)
        }
        known = [kind for kind, found in by_kind.items() if found]
        seeds = set.intersection(*({line["seed"] for line in by_kind[k]} for k in known))
        by_kind = {k: [x for x in by_kind[k] if x["seed"] in seeds] for k in known}
        if NONE not in known or not seeds:
            continue
        print(f"\n{what}, {size or 'all'}, {len(seeds)} seeds")
        for kind in known:
            found = by_kind[kind]
            scores = [line["score"] for line in found]
            spread = float(np.std(scores, ddof=1)) if len(scores) > 1 else math.nan
            more = ""
            if "test_cross_entropy" in found[0]:
                nats = mean(line["test_cross_entropy"] for line in found)
                more = f"  {nats:.4f} nats on test"
            seconds = mean(line["cpu_seconds"] for line in found)
            print(f"  {kind:8}{mean(scores):9.5f} +- {spread:.5f}{more}{seconds:9.1f} s")
        pairs = [(kind, NONE) for kind in known if kind != NONE]
        pairs += [("moex", kind) for kind in known if kind not in (NONE, "moex")]
        tests = [_tests(by_kind[first], by_kind[second]) for first, second in pairs]
        adjusted = holm([float(test[1]) for test in tests]) if len(seeds) > 1 else [math.nan] * 9
        for (first, second), (difference, p, sentences), corrected in zip(
            pairs, tests, adjusted, strict=False
        ):
            print(
                f"  {first:8} less {second:8}{difference:+9.5f}  t-test over seeds p {p:.3f} "
                f"(Holm {corrected:.3f}){sentences}"
            )


def _tests(first: Sequence[Line], second: Sequence[Line]) -> tuple[float, float, str]:
    """The mean difference, the paired t-test over seeds, and what sentences tell, where kept."""
    scores = [np.array([line["score"] for line in lines]) for lines in (first, second)]
    difference = float((scores[0] - scores[1]).mean())
    p = 1.0 if np.array_equal(*scores) else math.nan
    if len(scores[0]) > 1 and math.isnan(p):
        p = float(ttest_rel(*scores).pvalue)
    if "right" not in first[0]:
        return difference, p, ""
    counts = [
        np.stack([np.stack([line["right"], line["of"]], axis=1) for line in lines])
        for lines in (first, second)
    ]
    found = paired_difference(lambda sums: sums[..., 0] / sums[..., 1], *counts)
    interval = found.interval
    between = f" [{interval.low:+.5f}, {interval.high:+.5f}]" if interval else ""
    return difference, p, f"; over sentences p {found.test.p_value:.3f}{between}"


def main() -> None:
    """Measure in one of the two places, or print the table of what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    places = parser.add_subparsers(dest="place", required=True)
    of_probes = places.add_parser("probes")
    of_probes.add_argument("-o", "--output", type=Path, required=True)
    of_probes.add_argument("--encoder", default="transformer")
    of_probes.add_argument("--layer", type=int, default=2)
    of_probes.add_argument("--data", default="gum_open")
    of_probes.add_argument("--task", action="append")
    of_probes.add_argument("--sizes", type=int, nargs="+", default=[500, 5000, 0], help="0: all")
    of_probes.add_argument("--seeds", type=int, default=5)
    of_pretraining = places.add_parser("pretraining")
    of_pretraining.add_argument("-o", "--output", type=Path, required=True, help="a folder")
    of_pretraining.add_argument("--text", type=Path, action="append", required=True)
    of_pretraining.add_argument("--held-out", type=Path, action="append", required=True)
    of_pretraining.add_argument("--encoder", default="transformer")
    of_pretraining.add_argument("--size", default="tiny")
    of_pretraining.add_argument("--window", type=int, default=64)
    of_pretraining.add_argument(
        "--words", type=int, nargs="+", default=[100_000, 0], help="of each text; 0: all"
    )
    of_pretraining.add_argument("--steps", type=int, default=2000)
    of_pretraining.add_argument("--batch", type=int, default=16)
    of_pretraining.add_argument("--vocabulary", type=int, default=8000)
    of_pretraining.add_argument("--seeds", type=int, default=5)
    of_pretraining.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    of_pretraining.add_argument("--probability", type=float, default=1.0)
    of_pretraining.add_argument("--own", type=float, default=0.9, help="lambda")
    of_pretraining.add_argument("--dry-run", action="store_true")
    of_table = places.add_parser("table")
    of_table.add_argument("lines", type=Path)
    asked = parser.parse_args()
    with threadpool_limits(1):
        if asked.place == "probes":
            asked.task = asked.task or ["pos", "deprel"]
            probes(asked)
        elif asked.place == "pretraining":
            pretraining(asked)
        else:
            table(read(asked.lines))


if __name__ == "__main__":
    main()
