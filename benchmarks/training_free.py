"""What scores of untrained cells tell of trained ones: all cells of NAS-Bench-NLP.

    export LAYERWISE_DATA=...
    python benchmarks/training_free.py -o scores.jsonl

The file has a line for each cell, and a run that was stopped goes on where it was. Cells are
distinct ones by their canonical form; a cell's loss is the mean of its finite runs. The first table
is of the half of the cells that rank-and-reach was made without; ``all`` adds the other half, and
``diverged too`` the cells without a finite run, as the worst. CPU seconds include the recording
that all scores of a cell share. The second table sets scores beside published ones
(Serianni and Kalita 2023, arXiv 2306.00288).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch

from layerwise.core.errors import UsageError
from layerwise.core.files import append_line
from layerwise.encoders.search.space.canonical import canonical
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.training_free.probe_batch import ProbeBatch, Spread, text_batch
from layerwise.encoders.search.training_free.recording import record
from layerwise.encoders.search.training_free.scores import SCORES, value
from layerwise.results.agreement import Agreement, agreement, best, rho, tau

FORWARD = (
    "naswot",
    "naswot-preactivation",
    "hidden-covariance-1",
    "hidden-covariance-2",
    "hidden-covariance-3",
)
"""The scores that need no gradient, which are taken as published too: 50 texts of 70 words, whose
vectors are within 0.1 of 0."""

NAMES: dict[Spread, tuple[str, ...]] = {"narrow": FORWARD, "unit": tuple(SCORES)}

SAMPLES, FEWEST = 200, 20

PUBLISHED = {
    "naswot": "activation_distance_naswot",
    "hidden-covariance-1": "hidden_covariance_l1",
    "hidden-covariance-2": "hidden_covariance_l2",
    "hidden-covariance-3": "hidden_covariance_l3",
    "jacobian-covariance": "jacobian_covariance",
    "jacobian-cosine": "jacobian_cosine",
    "synaptic-saliency": "synaptic_saliency",
    "hidden-saliency": "hidden_synaptic_saliency",
}


def main() -> None:
    """Score what has no score yet, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-o", "--out", type=Path, required=True, help="the scores, by cell")
    parser.add_argument("--cells", type=int, default=0, help="only so many, in random order")
    parser.add_argument("--half", choices=["design", "report"], help="only the cells of one half")
    parser.add_argument("--vectors", choices=list(NAMES), help="only the scores of these vectors")
    parser.add_argument("--scores", nargs="+", choices=list(SCORES), help="only these scores")
    parser.add_argument("--table", action="store_true", help="score nothing, print what is there")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # values that die out take a hundred times as long otherwise
    data = Path(os.environ.get("LAYERWISE_DATA", ""))
    if not (data / "nas").is_dir():
        raise SystemExit(str(UsageError("no data", where="LAYERWISE_DATA", cure="name its folder")))
    table = Table(data / "nas")
    cells = [cell for cell in table.cells if arguments.half in (None, half(cell))]
    if not arguments.table:
        for spread, names in NAMES.items():
            if arguments.vectors in (None, spread):
                wanted = [n for n in names if n in (arguments.scores or names)]
                score_all(cells[: arguments.cells or None], spread, wanted, arguments.out, data)
    show(table, *read(arguments.out))


def half(cell: str) -> str:
    """One of two halves, by the text: the score of our own was made looking at ``design`` alone."""
    return ("design", "report")[int(hashlib.sha256(cell.encode()).hexdigest()[:8], 16) % 2]


class Table:
    """The trainings by canonical cell. Cells are in random order, those with a finite one first."""

    def __init__(self, folder: Path) -> None:
        archs = pq.read_table(folder / "archs.parquet", columns=["arch", "cell"]).to_pylist()
        names = {row["arch"]: str(canonical(parse(row["cell"]))) for row in archs}
        self.runs: dict[str, list[float]] = defaultdict(list)
        self.published: dict[str, dict[str, float]] = {}
        for row in pq.read_table(folder / "ptb_runs.parquet").to_pylist():
            cell, loss = names[row["arch"]], row["ptb_test_loss_final"]
            self.runs[cell].append(np.inf if loss is None or np.isnan(loss) else loss)
            score = row["hidden_covariance_l1"]
            if score is not None and not np.isnan(score):
                self.published.setdefault(cell, row)
        shuffled = sorted(self.runs)
        np.random.default_rng(0).shuffle(shuffled)
        self.cells = sorted(shuffled, key=lambda cell: not np.isfinite(self.loss(cell)))

    def loss(self, cell: str) -> float:
        """The mean of the finite runs; inf where there is none."""
        finite = [loss for loss in self.runs[cell] if np.isfinite(loss)]
        return float(np.mean(finite)) if finite else np.inf

    def agreement(self, scores: dict[str, float], cells: Sequence[str]) -> Agreement:
        """How the scores of some cells agree with their losses."""
        return agreement([scores[c] for c in cells], [self.loss(c) for c in cells], samples=SAMPLES)


def score_all(cells: list[str], spread: Spread, names: list[str], out: Path, data: Path) -> None:
    """A line for each cell that lacks some of the scores."""
    done, _ = read(out)
    text = [data / "pretrain" / "wikitext2-valid.txt.gz"]
    batch = text_batch(text, batch=50, time=70) if spread == "narrow" else text_batch(text)
    with torch.set_grad_enabled(spread == "unit"):
        for number, cell in enumerate(cells, 1):
            missing = [name for name in names if cell not in done[spread, name]]
            if missing:
                append_line(out, json.dumps(scored(cell, batch, spread, missing)))
            if number % 100 == 0:
                print(f"{spread}: {number} of {len(cells)}", flush=True)


def scored(cell: str, batch: ProbeBatch, spread: Spread, names: list[str]) -> dict[str, Any]:
    """The scores of a cell, and the CPU seconds of each, of the recording that all read too."""
    started = time.process_time()
    recording = record(parse(cell), batch, spread=spread)
    seconds = {"recording": time.process_time() - started}
    scores = {}
    for name in names:
        started = time.process_time()
        scores[name] = value(SCORES[name], recording)
        seconds[name] = time.process_time() - started
    return {"cell": cell, "spread": spread, "scores": scores, "seconds": seconds}


Scores = dict[tuple[str, str], dict[str, float]]
"""By vectors and name: a value for each cell."""


def read(path: Path) -> tuple[Scores, Scores]:
    """The scores and the seconds in the file; a last line that was cut off is passed."""
    scores: Scores = defaultdict(dict)
    seconds: Scores = defaultdict(dict)
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        for name, score in row["scores"].items():
            scores[row["spread"], name][row["cell"]] = score
            spent = row["seconds"][name] + row["seconds"]["recording"]
            seconds[row["spread"], name][row["cell"]] = spent
    return scores, seconds


def show(table: Table, found: Scores, seconds: Scores) -> None:
    """Two tables: what each score tells of the cells not looked at, and what was published."""
    print(
        "Losses in nats a word; a higher score should be a lower loss; intervals of 95 % by cell."
    )
    print()
    print("| vectors | score | cells | tau | rho | best tenth | all: tau | diverged too | CPU s |")
    print("|---|---|--:|---|---|---|--:|--:|--:|")
    for (spread, name), scores in found.items():
        every = [cell for cell in table.cells if cell in scores]
        finite = [cell for cell in every if np.isfinite(table.loss(cell))]
        unseen = [cell for cell in finite if half(cell) == "report"]
        if len(unseen) < FEWEST:
            continue
        report = table.agreement(scores, unseen)
        top = [unseen[place] for place in best([table.loss(cell) for cell in unseen])]
        inside = table.agreement(scores, top)
        more = [
            tau(np.array([scores[c] for c in cells]), np.array([table.loss(c) for c in cells]))
            for cells in (finite, every)
        ]
        print(
            f"| {spread} | {name} | {len(unseen)} | {told(report.tau, report.tau_interval)} "
            f"| {told(report.rho, report.rho_interval)} | {told(inside.tau, inside.tau_interval)} "
            f"| {more[0]:.3f} of {len(finite)} | {more[1]:.3f} of {len(every)} "
            f"| {np.mean(list(seconds[spread, name].values())):.3f} |"
        )
    print()
    print("| score | cells | published tau | ours on the same cells | rho of ours with theirs |")
    print("|---|--:|---|---|--:|")
    for (spread, name), scores in found.items():
        same = [cell for cell in table.published if cell in scores]
        if name not in PUBLISHED or len(same) < FEWEST or (spread == "unit") == (name in FORWARD):
            continue
        theirs = {cell: table.published[cell][PUBLISHED[name]] for cell in same}
        first, second = table.agreement(theirs, same), table.agreement(scores, same)
        both = rho(np.array([scores[c] for c in same]), -np.array(list(theirs.values())))
        print(
            f"| {name} | {len(same)} | {told(first.tau, first.tau_interval)} "
            f"| {told(second.tau, second.tau_interval)} | {both:.3f} |"
        )


def told(value: float, interval: tuple[float, float]) -> str:
    """A figure with its interval."""
    return f"{value:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"


if __name__ == "__main__":
    main()
