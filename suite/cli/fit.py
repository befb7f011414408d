"""``probe fit``: the linear probe on anyone's vectors."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...core.errors import DataError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...probes.linear import LinearProbe
    from ._vectors import Vectors

_FILE = click.Path(path_type=Path)
_PAIR: dict[str, Any] = {"nargs": 2, "type": _FILE, "metavar": "FEATURES.npy LABELS.txt"}


@click.command(name="fit")
@click.argument("features", metavar="FEATURES.npy", type=_FILE)
@click.argument("labels", metavar="LABELS.txt", type=_FILE)
@click.option("--dev", **_PAIR, help="Chooses L2; without it cross-validation in five folds does.")
@click.option("--test", **_PAIR, help="Is scored.")
@click.option("--l2", help="1 / C of scikit-learn: a value, or several with commas between them.")
@click.option("-o", "--output", type=_FILE, help="Weights to write, as safetensors.")
@click.option("--predictions", type=_FILE, help="Labels to write, of test or else of dev.")
@click.option(
    "-f", "--format", "format_", type=click.Choice(["terminal", "json"]), default="terminal"
)
def command(
    features: Path,
    labels: Path,
    dev: tuple[Path, Path] | None,
    test: tuple[Path, Path] | None,
    l2: str | None,
    output: Path | None,
    predictions: Path | None,
    format_: str,
) -> int:
    """Fit a linear classifier to its optimum on vectors of your own, and score it.

    FEATURES.npy holds a float array of shape (rows, features), LABELS.txt one label a line.

    \b
    probe fit train.npy train.txt --dev dev.npy dev.txt --test test.npy test.txt
    """
    from ._vectors import read

    given = {"dev": dev, "test": test}
    held_out = {name: pair for name, pair in given.items() if pair}
    grid = _grid(l2)
    _check_outputs(
        output, predictions, [features, labels, *(p for q in held_out.values() for p in q)]
    )
    if predictions and not held_out:
        raise UsageError("nothing to predict", where="--predictions", cure="give --test or --dev")
    train = read(features, labels)
    classes = sorted(set(train.labels))
    if len(classes) == 1:
        raise DataError(
            "has one label only", where=str(labels), cure="there is nothing to tell apart"
        )
    sets = {name: read(*pair, like=train) for name, pair in held_out.items()}
    if "dev" in sets and not set(sets["dev"].labels) & set(classes):
        raise DataError(
            "has no label of training",
            where=str(held_out["dev"][1]),
            cure="L2 cannot be chosen on it",
        )

    probe, seconds = _fit(train, classes, sets.get("dev"), grid)
    gold = train.numbers(classes)
    results = {name: _score(probe, given, gold, classes) for name, given in sets.items()}
    report = {
        "rows": len(train.labels),
        "features": train.vectors.shape[1],
        "classes": len(classes),
        **_report(probe, "dev" if "dev" in sets else "cross-validation"),
        "seconds": seconds,
        **{name: scores for name, (scores, _) in results.items()},
    }
    if output:
        _write_weights(output, probe, classes)
    if predictions:
        _, predicted = results["test" if "test" in results else "dev"]
        _write_labels(predictions, [classes[number] for number in predicted.tolist()])
    click.echo(json.dumps(report, indent=2) if format_ == "json" else _as_text(report))
    return 0


def _grid(text: str | None) -> list[float] | None:
    """The values of ``--l2``; None for the probe's own."""
    if text is None:
        return None
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if not values or not all(0 < value < math.inf for value in values):
        raise UsageError(
            f"{text!r} is not a list of numbers above 0", where="--l2", cure="write 0.1,1,10"
        )
    return sorted(set(values), reverse=True)


def _check_outputs(output: Path | None, predictions: Path | None, inputs: Sequence[Path]) -> None:
    """Before the work, not after it."""
    if output and output.suffix != ".safetensors":
        raise UsageError(
            f"{output} does not end in .safetensors",
            where="--output",
            cure="weights have that format",
        )
    for flag, path in (("--output", output), ("--predictions", predictions)):
        if path and path.resolve() in {source.resolve() for source in inputs}:
            raise UsageError(f"{path} is read here", where=flag, cure="name another file")
        if path and path.is_dir():
            raise UsageError(f"{path} is a folder", where=flag, cure="name a file")


def _fit(
    train: Vectors, classes: Sequence[str], dev: Vectors | None, grid: list[float] | None
) -> tuple[LinearProbe, float]:
    import time
    import warnings

    from ...probes.linear import LinearProbe

    probe = LinearProbe() if grid is None else LinearProbe(l2=grid)
    held_out = (dev.vectors, dev.numbers(classes)) if dev else ()
    started = time.perf_counter()
    with warnings.catch_warnings():
        # scikit-learn takes many labels on few rows for a regression.
        warnings.filterwarnings("ignore", message="The number of unique classes")
        probe.fit(train.vectors, train.numbers(classes), *held_out)
    return probe, time.perf_counter() - started


def _report(probe: LinearProbe, how: str) -> dict[str, Any]:
    grid = probe.l2 if isinstance(probe.l2, Sequence) else (probe.l2,)
    edge = None
    if len(grid) > 1 and probe.l2_ in (min(grid), max(grid)):
        edge = "weakest" if probe.l2_ == min(grid) else "strongest"
    return {
        "l2": probe.l2_,
        "l2_chosen_by": how if len(grid) > 1 else "you",
        "l2_at_the_edge": edge,
        "gap": probe.gap_,
        "converged": probe.converged_,
        "passes": probe.report_["passes"],
    }


def _score(
    probe: LinearProbe, given: Vectors, train: NDArray[np.int64], classes: Sequence[str]
) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """The scores of a set beside those of the majority label, and what was predicted."""
    from ...probes import metrics
    from ...probes.majority import majority

    gold, predicted = given.numbers(classes), probe.predict(given.vectors)
    found = metrics.scores(gold, predicted, probe.predict_proba(given.vectors), len(classes))
    nats = found.get("cross_entropy_nats")
    baseline = metrics.scores(gold, majority(train, len(gold)), None, len(classes))
    return {
        "rows": len(gold),
        "unknown_labels": int((gold == metrics.UNSEEN).sum()),
        "accuracy": found["accuracy"],
        "macro_f1": found["macro_f1"],
        "cross_entropy_bits": None if nats is None else nats / math.log(2),
        "majority_accuracy": baseline["accuracy"],
    }, predicted


def _write_weights(path: Path, probe: LinearProbe, classes: Sequence[str]) -> None:
    """``coef`` and ``intercept`` as the estimator has them; the classes are a JSON list."""
    from safetensors.numpy import save

    from ...core import files

    arrays = {"coef": probe.coef_.copy(), "intercept": probe.intercept_.copy()}
    note = {"classes": json.dumps(classes), "l2": repr(probe.l2_)}
    with files.atomic_writer(path) as stream:
        stream.write(save(arrays, note))


def _write_labels(path: Path, labels: Sequence[str]) -> None:
    from ...core import files

    files.write_text(path, "".join(f"{label}\n" for label in labels))


def _as_text(report: Mapping[str, Any]) -> str:
    how = {
        "you": "as given",
        "dev": "chosen on dev",
        "cross-validation": "chosen by cross-validation in five folds",
    }[report["l2_chosen_by"]]
    edge = report["l2_at_the_edge"]
    lines = [
        f"train     {report['rows']:,} rows, {report['features']:,} features, "
        f"{report['classes']:,} classes",
        f"L2        {report['l2']:.4g}, {how}"
        + (f"; the {edge} of the grid: give --l2 beyond it" if edge else ""),
        f"optimum   {'converged' if report['converged'] else 'NOT CONVERGED'}, "
        f"gap {report['gap']:.1e}; {report['passes']:,} passes, {report['seconds']:.1f} s",
    ]
    for name in ("dev", "test"):
        if name not in report:
            continue
        found = report[name]
        bits = found["cross_entropy_bits"]
        entropy = "undefined" if bits is None else f"{bits:.4f} bits a label"
        lines.append(
            f"{name:10}accuracy {found['accuracy']:.4f} (majority {found['majority_accuracy']:.4f}), "
            f"macro F1 {found['macro_f1']:.4f}, cross-entropy {entropy}; {found['rows']:,} rows"
        )
        if found["unknown_labels"]:
            lines.append(
                f"          {found['unknown_labels']:,} labels are unknown in training: counted as "
                "errors, left out of cross-entropy"
            )
    return "\n".join(lines)
