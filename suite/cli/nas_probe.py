"""``probe nas-probe``: the table of small cells, each trained and probed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...core.errors import UsageError

if TYPE_CHECKING:
    from ..nas_probe_bench import NasProbeSettings

_PATH = click.Path(path_type=Path)


@click.command(name="nas-probe")
@click.option("-o", "--output", required=True, type=_PATH, help="Folder for the lines.")
@click.option(
    "--text",
    multiple=True,
    required=True,
    type=_PATH,
    help="Plain text or .gz to train on. Repeatable.",
)
@click.option(
    "--held-out",
    multiple=True,
    type=_PATH,
    help="Text for the perplexity; else the last fiftieth of --text.",
)
@click.option("-d", "--data", default="gum_open", show_default=True, help="What to probe on.")
@click.option(
    "-t",
    "--task",
    "tasks",
    multiple=True,
    default=("pos", "deprel", "coref"),
    show_default=True,
    help="Repeatable.",
)
@click.option("--cells", default=160, show_default=True, help="Cells, the named ones among them.")
@click.option("--words", default=100_000, show_default=True, help="Words that each is trained on.")
@click.option("--dim", default=32, show_default=True, help="Channels a direction.")
@click.option("--layers", default=2, show_default=True, help="Layers of a cell.")
@click.option("--window", default=32, show_default=True, help="Words that are read together.")
@click.option("--batch", default=16, show_default=True, help="Windows that are read at once.")
@click.option("--vocabulary", default=1000, show_default=True, help="Words that can be predicted.")
@click.option("--learning-rate", default=3e-3, show_default=True)
@click.option(
    "--train-targets", default=1500, show_default=True, help="Targets that a probe learns from."
)
@click.option("--seed", default=0, show_default=True, help="Of the draw and of the trainings.")
@click.option("--part", default="1/1", show_default=True, help="2/3: every third from the second.")
@click.option(
    "--export", type=_PATH, help="Score the cells too, and write Parquet and a card to the folder."
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say how long it takes, from the first cells, and write nothing.",
)
def command(output: Path, part: str, export: Path | None, dry_run: bool, **given: Any) -> int:
    """Train many small cells under one budget, and probe each layer by layer.

    One line a cell goes to cells.jsonl in the folder; the same command resumes a killed run, and
    several with --part 1/2, 2/2 ... share the work.

    \b
    probe nas-probe -o nas_probe --text masc.txt.gz --export results/reference
    """
    from ..nas_probe import evaluate

    settings = _settings(given)
    which = _part(part)
    if dry_run:
        return _dry_run(settings, output)
    failed = sum(line["status"] == "failed" for line in evaluate(settings, output, which))
    if failed:
        click.echo(f"{failed} cells could not be trained or probed; their lines say why", err=True)
    if export:
        from ..nas_probe_export import export as write

        path = write(settings, output, export)
        click.echo(f"wrote {path}")
    return 0


def _settings(given: dict[str, Any]) -> NasProbeSettings:
    from pydantic import ValidationError

    from ..nas_probe_bench import NasProbeSettings

    try:
        return NasProbeSettings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]).replace("_", "-").replace("tasks", "task")
        raise UsageError(first["msg"], where=f"--{name}") from error


def _part(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text)
    which, of = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= which <= of:
        raise UsageError(f"{text!r} is no part", where="--part", cure="such as 1/2 and 2/2")
    return which, of


def _dry_run(settings: NasProbeSettings, output: Path) -> int:
    from ..nas_probe import estimate

    found = estimate(settings, output)
    hours, minutes = divmod(round(found.missing * found.seconds / 60), 60)
    click.echo(
        f"{found.missing} of {settings.cells} cells are missing; a cell took {found.seconds:.0f} s "
        f"of one processor (median of {found.cells}): {hours} h {minutes} min of it in all"
    )
    return 0
