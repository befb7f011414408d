"""``probe similarity``: how alike the words of a sentence are, layer by layer."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...core.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from ..similarity import LayerSimilarity

_ENDINGS = (".png", ".pdf", ".svg", ".csv", ".json")


@click.command(name="similarity")
@click.option("-e", "--encoder", required=True, help="As in `probe run`; `probe list encoders`.")
@click.option("--text", help="A sentence; it is split into words as English treebanks are.")
@click.option("--words", help="Its words instead, with spaces between them.")
@click.option("--layers", default="all", show_default=True, help="all, or 0,2, or -1 for the last.")
@click.option(
    "--center",
    "centre",
    metavar="DATA",
    help="Take off each layer's mean over the training split of this data (builtin, a corpus, a path); by default nothing.",
)
@click.option("--subword-pooling", default="mean", show_default=True, help="mean, first, last.")
@click.option("--device", default="cpu", show_default=True)
@click.option(
    "--allow-download",
    is_flag=True,
    help="Let hf: models and hf-data: sets be fetched from the hub.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A file to write: .png, .pdf or .svg for a heat map, .csv or .json for the numbers.",
)
@click.option(
    "-f", "--format", "format_", type=click.Choice(["terminal", "json"]), default="terminal"
)
def command(
    encoder: str,
    text: str | None,
    words: str | None,
    layers: str,
    centre: str | None,
    subword_pooling: str,
    device: str,
    allow_download: bool,
    output: Path | None,
    format_: str,
) -> int:
    """Show the cosine of each word with each other one, at each layer.

    \b
    probe similarity -e transformer --text "The cat sat on the mat." -o cat.png
    """
    if (text is None) == (words is None):
        raise UsageError(
            "give a sentence", where="--text", cure="or its words as --words, not both"
        )
    ending = output.suffix.lower() if output else ""
    if output and ending not in _ENDINGS:
        raise UsageError(
            f"{output.name} has no ending that is known",
            where="--output",
            cure=did_you_mean(ending, _ENDINGS),
        )
    if allow_download:
        os.environ["LAYERWISE_ALLOW_DOWNLOAD"] = "1"
    from ...encoders.base import EncoderOptions
    from ...encoders.loading import load_encoder
    from ..config import select_layers
    from ..similarity import layer_similarities, sentence_of

    sentence = sentence_of(text or "", (words or "").split())
    options = EncoderOptions(device=device, subword_pooling=subword_pooling)
    loaded = load_encoder(encoder, options)
    chosen = select_layers(layers, len(loaded.layer_names))
    found = layer_similarities(loaded, sentence, chosen, centre)
    report = _report(encoder, sentence.words, centre, found)
    if output:
        _write(output, ending, report, found)
    if format_ == "json":
        click.echo(json.dumps(report, ensure_ascii=False))
    else:
        click.echo(_as_text(report, found), nl=False)
    return 0


def _report(
    encoder: str, words: Sequence[str], centre: str | None, found: Sequence[LayerSimilarity]
) -> dict[str, Any]:
    return {
        "encoder": encoder,
        "words": list(words),
        "center": centre,
        "layers": [
            {"layer": one.layer, "name": one.name, "cosines": one.cosines.round(6).tolist()}
            for one in found
        ],
    }


def _title(one: LayerSimilarity) -> str:
    return f"layer {one.layer}" if one.name == f"layer {one.layer}" else f"{one.layer} {one.name}"


def _label(report: dict[str, Any]) -> str:
    off = f", less the mean of {report['center']}" if report["center"] else ""
    return f"cosine, {report['encoder']}{off}"


def _as_text(report: dict[str, Any], found: Sequence[LayerSimilarity]) -> str:
    import shutil

    from ...results.escaping import visible
    from ...results.shaded_matrix import to_terminal

    styled = sys.stdout.isatty()
    width = shutil.get_terminal_size((100, 24)).columns if styled else 100
    parts = [visible(_label(report)) + "\n"]
    for one in found:
        drawn = to_terminal(one.cosines, report["words"], width=width, styled=styled)
        parts.append(f"\n{visible(_title(one))}\n{drawn}")
    return "".join(parts)


def _write(
    path: Path, ending: str, report: dict[str, Any], found: Sequence[LayerSimilarity]
) -> None:
    from ...core import files

    if ending == ".json":
        files.write_json(path, report)
    elif ending == ".csv":
        files.write_text(path, _as_csv(report))
    else:
        from ...results.heat_map import Panel, write_heat_map

        panels = [Panel(_title(one), one.cosines) for one in found]
        write_heat_map(path, panels, report["words"], _label(report))


def _as_csv(report: dict[str, Any]) -> str:
    """One pair of words a line, each pair once, places counted from 1."""
    import csv
    import io

    from ...results.escaping import spreadsheet

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["layer", "place1", "word1", "place2", "word2", "cosine"])
    words = [spreadsheet(word) for word in report["words"]]
    for layer in report["layers"]:
        for i, row in enumerate(layer["cosines"]):
            for j in range(i + 1, len(row)):
                writer.writerow([layer["layer"], i + 1, words[i], j + 1, words[j], row[j]])
    return out.getvalue()
