"""``probe pretrain``: train a biLM on running text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._command_line import command_line

if TYPE_CHECKING:
    from ...encoders.bilm import BiLMSettings
    from ...encoders.estimate import Estimate
    from ...encoders.training_settings import TrainingSettings


class _Architecture(click.Option):
    """An option whose help names what is installed, looked up when the help is asked for."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        from ...core import registry

        self.help = f"The architecture: {', '.join(registry.names('architecture'))}."
        return super().get_help_record(ctx)


@click.command(name="pretrain")
@click.option("-e", "--encoder", required=True, cls=_Architecture)
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
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another setting of the architecture than the size's, such as layers=4. Repeatable.",
)
@click.option("--window", default=128, show_default=True, help="Words that are read together.")
@click.option(
    "--budget",
    default="4000steps",
    show_default=True,
    help="How long: 4000steps, 10Mwords, 20m, 1h30m. Time is that of the steps alone.",
)
@click.option("--batch", default=16, show_default=True, help="Windows that are read at once.")
@click.option("--accumulate", default=1, show_default=True, help="Batches that make a step.")
@click.option("--vocabulary", default=8000, show_default=True, help="Words that can be predicted.")
@click.option(
    "--softmax",
    type=click.Choice(["full", "sampled", "adaptive"]),
    help="What predicts them: full for up to 20,000, else adaptive.",
)
@click.option("--samples", default=8192, show_default=True, help="Draws of --softmax sampled.")
@click.option("--learning-rate", default=2e-3, show_default=True)
@click.option("--warmup", default=0.05, show_default=True, help="Share of the budget.")
@click.option("--weight-decay", default=0.01, show_default=True)
@click.option("--clip", default=1.0, show_default=True, help="Largest norm of the gradients.")
@click.option(
    "--precision", type=click.Choice(["float32", "bfloat16"]), default="float32", show_default=True
)
@click.option(
    "--augment",
    type=click.Choice(["moex", "mixup", "dropout"]),
    help="Augment the word vectors: trade their moments with another window's, mix them, drop some.",
)
@click.option(
    "--augment-probability", default=1.0, show_default=True, help="Share of the steps that do."
)
@click.option(
    "--augment-lambda",
    default=0.9,
    show_default=True,
    help="What is kept: the weight of a window's own targets (moex, mixup) and words (mixup), or the share of features (dropout).",
)
@click.option(
    "--augment-moments",
    default="channels",
    show_default=True,
    help="Moments that moex trades: of each word by itself. Those over time are refused: they tell what follows.",
)
@click.option("--compile", "compiled", is_flag=True, help="Compile the model (torch.compile).")
@click.option("--evaluate-every", default=1000, show_default=True, help="Steps.")
@click.option("--seed", default=0, show_default=True)
@click.option("--device", default="cpu", show_default=True)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say what it takes (parameters, memory, time) from a few steps, and write nothing.",
)
def command(
    encoder: str,
    text: tuple[Path, ...],
    held_out: tuple[Path, ...],
    output: Path,
    size: str,
    overrides: tuple[str, ...],
    window: int,
    compiled: bool,
    device: str,
    dry_run: bool,
    **training: Any,
) -> int:
    """Pretrain a bidirectional language model: next word forwards, previous word backwards.

    The folder becomes an encoder, `--encoder local:FOLDER`, with its log and loss curve. The same
    command resumes a killed training. `torchrun --nproc-per-node 4 -m layerwise pretrain ...` trains
    on several GPUs, to the same losses.

    \b
    probe pretrain --encoder transformer --text books.txt --output my-encoder
    probe pretrain -e transformer --text books.txt -o my-encoder --augment moex
    """
    settings, plan = _settings(encoder, size, overrides, window, training)
    compiler = "inductor" if compiled else None
    if dry_run:
        from ...encoders.estimate import estimate

        found = estimate(settings, plan, text, held_out, device, compiler)
        _say(f"{encoder} {size}", plan, found)
        return 0
    from ...encoders.pretrain import pretrain
    from ...encoders.processes import is_first
    from ...encoders.training_log import LOG
    from ...results.duration import duration
    from ...results.loss_curve import draw, read_curve

    card = pretrain(settings, plan, text, held_out, output, command_line(), device, compiler)
    if is_first():
        curve = read_curve(output / LOG, encoder)
        draw([curve], [output / "loss_curve.png", output / "loss_curve.svg"])
        reached = card["held_out_perplexity"]
        click.echo(
            f"held-out perplexity {reached['mean']} (forward {reached['forward']}, backward "
            f"{reached['backward']}) on {reached['words']:,} words after {card['steps']:,} steps, "
            f"{card['words_seen']:,} words, {duration(card['seconds'])}; "
            f"use it as --encoder local:{output}"
        )
    return 0


def _settings(
    encoder: str, size: str, overrides: tuple[str, ...], window: int, training: dict[str, Any]
) -> tuple[BiLMSettings, TrainingSettings]:
    """The settings of the model and of its training. Raises UsageError that names the option."""
    from pydantic import ValidationError

    from ...core import registry
    from ...core.errors import UsageError, did_you_mean
    from ...encoders.bilm import architecture_of, build_settings
    from ...encoders.character_cnn import PAPER, CharacterSettings
    from ...encoders.training_settings import TrainingSettings

    known = registry.load("architecture", encoder).model_fields
    changed = {}
    for text in overrides:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError("not NAME=VALUE", where=f"--set {text}", cure="such as layers=4")
        if name not in known:
            raise UsageError(
                f"{encoder} has no setting {name!r}",
                where="--set",
                cure=did_you_mean(name, known),
            )
        changed[name] = value
    try:
        characters = PAPER if size == "paper" else CharacterSettings()
        settings = build_settings(encoder, size, changed, window=window, characters=characters)
        architecture_of(settings)
        return settings, TrainingSettings(**training)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        flag = f"--set {name}" if name in changed else f"--{name.replace('_', '-')}"
        raise UsageError(first["msg"].removeprefix("Value error, "), where=flag) from error


def _say(what: str, plan: TrainingSettings, found: Estimate) -> None:
    """Print an estimate."""
    from ...results.duration import duration

    parts = " + ".join(f"{name} {count:,}" for name, count in found.parameters.items())
    memory = found.memory
    times_over = found.words_to_read / found.words
    of_text = f"{found.words:,} words" + ("" if found.complete else " and more were looked at")
    over = f", {times_over:.1f} times over" if found.complete else ""
    speed = found.words_to_read / found.steps / found.step_seconds
    steps = f"{found.steps:,} steps of {duration(found.step_seconds)}"
    click.echo(
        f"{what}: {parts} = {sum(found.parameters.values()):,} parameters\n"
        f"text: {of_text}; {plan.output_layer} softmax over {found.vocabulary:,} words\n"
        f"memory: weights {_size(memory.weights)}, optimiser {_size(memory.optimiser)}, a step "
        f"{_size(memory.step)} (gradients and activations, measured), saving "
        f"{_size(memory.saving)}; at its highest {_size(memory.highest)} allocated, beside Python "
        "and torch\n"
        f"time: {duration(found.steps * found.step_seconds)} for {steps} (median of {found.timed},"
        f" {speed:,.0f} words a second), which read {found.words_to_read:,} words{over}; "
        f"{duration(found.evaluations * found.evaluation_seconds)} to measure held-out text "
        f"{found.evaluations:,} times\n"
        "nothing was kept: this was a dry run"
    )


def _size(count: int) -> str:
    return f"{count / 2**20:,.1f} MiB"
