"""NAS-Probe's lines as a Parquet table and its card."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from ..core import files
from ..results import nas_probe_table
from ..results.nas_probe_table import CELL_LINES, COLUMNS, ProbedCells, read_lines
from . import nas_probe_scores
from .nas_probe_bench import NasProbeSettings
from .nas_probe_cells import FEWEST, MOST, draw_cells

TABLE, CARD = "nas_probe.parquet", "nas_probe.md"


def export(settings: NasProbeSettings, folder: Path, target: Path) -> Path:
    """Score the cells that were measured, write table and card, and return the table's path.

    Raises DataError where nothing was measured yet.
    """
    measured = {line["id"] for line in read_lines(folder / CELL_LINES)}
    cells = [each for each in draw_cells(settings.cells, settings.seed) if each.id in measured]
    deque(nas_probe_scores.evaluate(cells, settings.text, folder), maxlen=0)
    table = nas_probe_table.collect(folder, [each.id for each in cells])
    nas_probe_table.write(table, target / TABLE)
    files.write_text(target / CARD, card(table, command_of(settings)))
    return target / TABLE


def command_of(settings: NasProbeSettings) -> str:
    """The command that makes the table, with files by name alone."""
    words = ["probe nas-probe -o nas_probe --export results/reference"]
    flags = {"tasks": "task"}
    for name, field in NasProbeSettings.model_fields.items():
        value = getattr(settings, name)
        if value == field.default:
            continue
        for each in value if isinstance(value, tuple) else (value,):
            told = Path(str(each)).name if name in ("text", "held_out", "data") else each
            words.append(f"--{flags.get(name, name).replace('_', '-')} {told}")
    return " ".join(words)


def card(table: ProbedCells, command: str) -> str:
    """What the table is, how it was made, and what its columns are, as Markdown."""
    settings = table.settings
    made = settings["provenance"]
    text = ", ".join(each["file"] for each in settings["text"])
    held_out = ", ".join(each["file"] for each in settings["held_out"])
    facts = [
        f"cells: rounds of one cell of each size from {FEWEST} to {MOST} nodes, all operations,"
        f" drawn with seed {settings['seed']}, and the named cells",
        f"training: {settings['layers']} layers of {settings['dim']} channels a direction,"
        f" {settings['words']:,} words of {text} in windows of {settings['window']},"
        f" {settings['batch']} windows a step, {settings['vocabulary']:,} words to predict,"
        f" learning rate {settings['learning_rate']:g}, seed {settings['seed']}; all cells read the"
        " same words in the same order; the softmax's bias starts at the log frequencies of words",
        f"perplexity: on {held_out}; that of word frequencies alone is"
        f" {settings['unigram_perplexity']:.1f}",
        f"probes: {', '.join(settings['tasks'])} on {Path(settings['data']).name}, linear,"
        f" {settings['train_targets']:,} training targets, no control tasks",
        f"machine: {made['processor']}, {made['processors']} processors, threads"
        f" {made['threads']}; times are those of the processor, whatever else ran beside",
        "one seed a cell: what differs between two cells holds the luck of that draw",
    ]
    lines = [
        "# NAS-Probe",
        "",
        f"{len(table.rows)} distinct cells of the open space, {len(table.good)} of them trained",
        "and probed: `nas_probe.parquet`, a row a cell. [What it shows](../../docs/nas_probe.md).",
        "",
        "```sh",
        command,
        "```",
        "",
        *(f"- {fact}" for fact in facts),
        "",
        "| column | what it is |",
        "| :-- | :-- |",
        *(f"| {name} | {told} |" for name, told in COLUMNS.items()),
    ]
    return "\n".join(lines) + "\n"
