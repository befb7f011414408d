"""``probe cost``: what an encoder will cost, told before it is built, from what others cost."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...core.errors import DataError, UsageError, did_you_mean

if TYPE_CHECKING:
    from ...encoders.search.cost_features import Features, Shape
    from ...encoders.search.cost_model import CostModel

_PATH = click.Path(path_type=Path)
_CELLS, _ENCODERS = "cells", "encoders"

# Where a cost stands in a line of each kind, and its unit.
_COSTS: dict[str, dict[str, tuple[tuple[str, str], str]]] = {
    "latency": {
        _CELLS: (("latency", "median"), "ms"),
        _ENCODERS: (("scores", "milliseconds"), "ms"),
    },
    "least": {
        _CELLS: (("latency", "least"), "ms"),
        _ENCODERS: (("scores", "milliseconds_min"), "ms"),
    },
    "processor": {_CELLS: (("latency", "processor"), "ms")},
    "memory": {_ENCODERS: (("scores", "peak_megabytes"), "MB")},
    "training": {_CELLS: (("train_seconds", "processor"), "s")},
}


@click.group(name="cost")
def command() -> None:
    """Tell what an encoder will cost from what others cost."""


@command.command()
@click.argument("records", nargs=-1, required=True, type=_PATH)
@click.option("-o", "--output", required=True, type=_PATH, help="The model, a JSON file.")
@click.option(
    "--cost",
    type=click.Choice(list(_COSTS)),
    default="latency",
    show_default=True,
    help="Median or least time of a pass, the processor's time, peak memory, time of training.",
)
@click.option("--source", type=_PATH, help="A model of another device: a few records then do.")
@click.option("--dim", default=32, show_default=True, help="Width of the cells in RECORDS.")
@click.option("--layers", default=2, show_default=True, help="Layers of the cells in RECORDS.")
@click.option("--length", default=128, show_default=True, help="Words that they were timed on.")
def fit(
    records: tuple[Path, ...],
    output: Path,
    cost: str,
    source: Path | None,
    dim: int,
    layers: int,
    length: int,
) -> None:
    """Learn from RECORDS: lines of `probe time`, or cells.jsonl or a table of `probe nas-probe`.

    A line of cells may tell its own "shape"; else --dim, --layers and --length say it.
    """
    from ...encoders.search.cost_features import Shape
    from ...encoders.search.cost_model import CostModel

    shape = _shape(Shape(dim=dim, layers=layers, length=length))
    kind, features, costs = _read(records, cost, shape)
    model = CostModel(source=_load(source, kind) if source else None).fit(features, costs)
    model.facts = {"kind": kind, "cost": cost, "unit": _COSTS[cost][kind][1]}
    model.save(output)
    _, high = model.interval(features)
    click.echo(
        f"{output}: {cost} from {len(costs)} {kind}, {min(costs):.4g} to {max(costs):.4g} "
        f"{model.facts['unit']}"
    )
    if not all(map(math.isfinite, high)):
        click.echo("warning: too few records for 90 % intervals", err=True)


@command.command()
@click.option("--model", required=True, type=_PATH, help="What `probe cost fit` wrote.")
@click.option("--cell", "cells", multiple=True, help="A cell, or a name such as lstm. Repeatable.")
@click.option("--encoder", "encoders", multiple=True, help="A timed encoder. Repeatable.")
@click.option("--layer", default=2, show_default=True, help="The layer that --encoder is read at.")
@click.option("--device", default=None, help="As in the records; may be left out if there is one.")
@click.option("--dim", default=32, show_default=True, help="Channels a direction of --cell.")
@click.option("--layers", default=2, show_default=True, help="Layers of --cell.")
@click.option("--directions", default=2, show_default=True, help="Directions of --cell.")
@click.option("--length", default=128, show_default=True, help="Words of a text.")
@click.option("--batch", default=1, show_default=True, help="Texts at once.")
@click.option("--threads", default=1, show_default=True)
@click.option("--confidence", default=0.9, show_default=True, help="Of the intervals.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def predict(
    model: Path,
    cells: tuple[str, ...],
    encoders: tuple[str, ...],
    layer: int,
    device: str | None,
    confidence: float,
    as_json: bool,
    **size: int,
) -> None:
    """Tell the cost of each --cell or --encoder, with an interval.

    What lies beyond the records is a guess: a warning names the counts that do.
    """
    from ...encoders.search.cost_features import Shape

    if bool(cells) == bool(encoders):
        raise UsageError("give one of the two", where="--cell or --encoder")
    kind = _CELLS if cells else _ENCODERS
    known = _load(model, kind)
    shape = _shape(Shape(**size))
    features = [
        _of_cell(name, shape) if cells else _of_encoder(known, name, layer, device, shape)
        for name in (cells or encoders)
    ]
    said = known.predict(features)
    low, high = known.interval(features, confidence)
    unit = known.facts["unit"]
    for name, each, cost, least, most in zip(
        cells or encoders, features, said, low, high, strict=True
    ):
        beyond = known.outside(each)
        if as_json:
            interval = [float(least), float(most) if math.isfinite(most) else None]
            told = {"name": name, known.facts["cost"]: float(cost), "unit": unit}
            click.echo(json.dumps({**told, "interval": interval, "beyond": beyond}))
            continue
        click.echo(f"{name}: {cost:.4g} {unit} [{least:.4g}, {most:.4g}]")
        if beyond:
            click.echo(f"warning: {name}: beyond the records in {', '.join(beyond)}", err=True)


def _read(
    paths: tuple[Path, ...], cost: str, shape: Shape
) -> tuple[str, list[Features], list[float]]:
    """The kind of the lines, their descriptions, and costs that are above 0."""
    found: dict[str, tuple[list[Features], list[float]]] = {}
    for path in paths:
        for number, line in _lines(path):
            kind = _CELLS if "cell" in line else _ENCODERS
            if cost_of := _cost(line, kind, cost):
                try:
                    features = _features(line, kind, shape)
                except (KeyError, TypeError, ValueError, DataError) as error:
                    raise DataError(
                        "neither a time of `probe time` nor a cell of `probe nas-probe`",
                        where=f"{path}, line {number}",
                    ) from error
                every, costs = found.setdefault(kind, ([], []))
                every.append(features)
                costs.append(cost_of)
    if len(found) != 1:
        raise DataError(
            "cells and encoders together" if found else f"no line tells its {cost}",
            where=", ".join(map(str, paths)),
            cure="fit a model to each" if found else "name another --cost or other records",
        )
    ((kind, (features_of, costs_of)),) = found.items()
    return kind, features_of, costs_of


def _lines(path: Path) -> list[tuple[int, dict[str, Any]]]:
    if path.suffix == ".parquet":
        return list(enumerate(_rows(path), start=1))
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=str(path)) from error
    except ValueError as error:
        raise DataError("is no text", where=str(path)) from error
    lines = []
    for number, each in enumerate(text.splitlines(), start=1):
        try:
            line = json.loads(each) if each.strip() else {}
        except (ValueError, RecursionError):
            line = None
        if not isinstance(line, dict):
            raise DataError("no line of JSON", where=f"{path}, line {number}")
        lines.append((number, line))
    return lines


def _rows(path: Path) -> list[dict[str, Any]]:
    """The cells of a table of NAS-Probe as lines, which tell costs of the processor alone."""
    from ...results.nas_probe_table import read

    return [
        {
            "cell": row["cell"],
            "latency": {"processor": row["milliseconds"]},
            "train_seconds": {"processor": row["train_seconds"]},
        }
        for row in read(path).rows
    ]


def _cost(line: dict[str, Any], kind: str, cost: str) -> float:
    """0 for a line that failed, is of another task, or tells no such cost."""
    if kind not in _COSTS[cost]:
        return 0.0
    (group, name), _ = _COSTS[cost][kind]
    of = line.get(group)
    value = of.get(name) if isinstance(of, dict) else None
    return float(value) if isinstance(value, int | float) and 0 < value < math.inf else 0.0


def _features(line: dict[str, Any], kind: str, shape: Shape) -> Features:
    from ...encoders.search.cost_features import encoder_features

    if kind == _CELLS:
        return _of_cell(line["cell"], _shape(shape._replace(**line.get("shape", {}))))
    key = line["key"]
    settings = key["settings"]
    return encoder_features(
        key["encoder"],
        layer=key["layer"],
        batch=settings["batch_size"],
        length=settings["length"],
        threads=settings["threads"],
        device=settings["device"],
    )


def _of_cell(text: str, shape: Shape) -> Features:
    from ...encoders.search.cost_features import cell_features
    from ...encoders.search.space.aliases import read_cell
    from ...encoders.search.space.canonical import canonical

    return cell_features(canonical(read_cell(text)), shape)


def _of_encoder(
    model: CostModel, name: str, layer: int, device: str | None, shape: Shape
) -> Features:
    from ...encoders.search.cost_features import encoder_features

    timed = {tuple(n.rsplit(", ", 2)[:2]) for n in model.names if n.count(", ") > 1}
    devices = sorted({on for encoder, on in timed if encoder == name})
    if not devices:
        cure = did_you_mean(name, {encoder for encoder, _ in timed})
        raise UsageError(f"no time of {name!r} is in the model", where="--encoder", cure=cure)
    if device not in devices if device else len(devices) > 1:
        raise UsageError(
            f"{name} was timed on other devices" if device else f"{name} was timed on several",
            where="--device",
            cure=f"take one of {', '.join(devices)}",
        )
    return encoder_features(
        name,
        layer=layer,
        batch=shape.batch,
        length=shape.length,
        threads=shape.threads,
        device=device or devices[0],
    )


def _load(path: Path, kind: str) -> CostModel:
    from ...encoders.search.cost_model import CostModel

    model = CostModel.load(path)
    if model.facts.get("kind") != kind:
        raise UsageError(
            f"is a model of {model.facts.get('kind')}, not of {kind}",
            where=str(path),
            cure="name another",
        )
    return model


def _shape(shape: Shape) -> Shape:
    for name, value in shape._asdict().items():
        if not isinstance(value, int) or value < 1:
            raise UsageError(f"{value!r} is no number from 1", where=f"--{name}")
    return shape
