"""``probe pretrain``: train a biLM on running text."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import click


@click.command(name="pretrain")
@click.option("-e", "--encoder", required=True, help="The architecture: transformer.")
@click.option(
    "--text",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="Plain text or .gz, UTF-8. Repeatable.",
)
@click.option(
    "--held-out",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Text for the perplexity; else the last fiftieth of --text.",
)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder for the encoder."
)
@click.option("--size", default="small", show_default=True, help="tiny, small or paper.")
@click.option("--window", default=128, show_default=True, help="Words that are read together.")
@click.option("--steps", default=4000, show_default=True)
@click.option("--batch", default=16, show_default=True, help="Windows a step.")
@click.option("--vocabulary", default=8000, show_default=True, help="Words that can be predicted.")
@click.option("--learning-rate", default=2e-3, show_default=True)
@click.option(
    "--precision", type=click.Choice(["float32", "bfloat16"]), default="float32", show_default=True
)
@click.option("--seed", default=0, show_default=True)
@click.option("--device", default="cpu", show_default=True)
@click.option("--dry-run", is_flag=True, help="Say what would be trained, and train nothing.")
def command(
    encoder: str,
    text: tuple[Path, ...],
    held_out: tuple[Path, ...],
    output: Path,
    size: str,
    window: int,
    device: str,
    dry_run: bool,
    **training: Any,
) -> int:
    """Pretrain a bidirectional language model: next word forwards, previous word backwards.

    The folder becomes an encoder, `--encoder local:FOLDER`. The same command resumes a killed
    training.

    \b
    probe pretrain --encoder transformer --text books.txt --output my-encoder
    """
    from pydantic import ValidationError

    from ...core.errors import UsageError
    from ...encoders import pretrain
    from ...encoders.bilm import BiLM, build_settings, count_parameters
    from ...encoders.training_text import read_text

    try:
        settings = build_settings(encoder, size, window=window)
        plan = pretrain.TrainingSettings(**training)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]).replace("_", "-")
        raise UsageError(first["msg"], where=f"--{name}") from error
    if dry_run:
        model = BiLM(settings)
        read = read_text(text)
        seen = plan.steps * plan.batch * window
        click.echo(
            f"{encoder} {size}: {count_parameters([model]):,} parameters; "
            f"{len(read.words):,} words of text, {seen:,} to be read "
            f"({seen / max(len(read.words), 1):.1f} times over); nothing was trained"
        )
        return 0
    card = pretrain.pretrain(settings, plan, text, held_out, output, _command_line(), device)
    reached = card["held_out_perplexity"]
    click.echo(
        f"held-out perplexity {reached['mean']} (forward {reached['forward']}, backward "
        f"{reached['backward']}) on {reached['words']:,} words; use it as --encoder local:{output}"
    )
    return 0


def _command_line() -> str:
    """The command as given, with files by name alone: a card tells no one's folders."""
    words = [Path(word).name if "/" in word else word for word in sys.argv[1:]]
    return shlex.join(["probe", *words])
