"""``probe prune``: an encoder with weights at 0, or with fewer neurons or heads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...core.errors import UsageError
from ...results.escaping import visible
from ._command_line import command_line

if TYPE_CHECKING:
    from ...encoders.base import Encoder
    from ...encoders.prune_gradually import Gradual, Schedule
    from ...encoders.pruned_encoder import Pruned
    from ...encoders.pruning_plan import Pruning

_GRADUAL = ("budget", "rounds", "rewind", "learning_rate", "device")
"""What --schedule oneshot does not take."""


@click.command(name="prune")
@click.argument("encoder")
@click.option(
    "--score",
    type=click.Choice(["magnitude", "random", "movement", "obd"]),
    default="magnitude",
    show_default=True,
    help="What tells the weights that go: the smallest, a draw, the change of a biLM's loss to first or to second order.",
)
@click.option(
    "--structure",
    type=click.Choice(["weights", "neurons", "heads", "neurons,heads", "2:4"]),
    default="weights",
    show_default=True,
    help="weights and 2:4 set single weights to 0 and make nothing faster; neurons and heads shrink the matrices (transformer, hf: of BERT's kind; neurons lstm too).",
)
@click.option(
    "--scope",
    type=click.Choice(["global", "layer"]),
    default="global",
    show_default=True,
    help="Of --structure weights: all matrices compete, or each gives its share.",
)
@click.option(
    "--schedule",
    type=click.Choice(["oneshot", "gradual"]),
    default="oneshot",
    show_default=True,
    help="At once and without training, or in rounds while a biLM goes on training on --text.",
)
@click.option("--sparsity", default="0.5", show_default=True, help="Shares that go: 0.5,0.8,0.9.")
@click.option(
    "--text",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Plain text or .gz that movement, obd and gradual read. Repeatable.",
)
@click.option(
    "--held-out",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Text for the perplexity before and after, of biLMs with their softmax; gradual: else the last fiftieth of --text.",
)
@click.option(
    "--windows",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    help="How many windows of --text they read.",
)
@click.option(
    "--seed", default=0, show_default=True, help="Of draws: random, and windows of --text."
)
@click.option(
    "--budget", help="Of gradual, as of probe pretrain: 1000steps (default), 2Mwords, 20m."
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    help="Of gradual: how many times weights go (30; with --rewind 5).",
)
@click.option(
    "--rewind",
    help="Of gradual: first, or a folder of an interrupted probe pretrain. Each round sets weights and learning rate back to there.",
)
@click.option("--learning-rate", type=float, help="Of gradual; else that of the encoder's card.")
@click.option("--device", help="Where gradual trains: cpu (default), cuda.")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the encoders."
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and write nothing.")
def command(
    encoder: str,
    sparsity: str,
    text: tuple[Path, ...],
    held_out: tuple[Path, ...],
    schedule: str,
    output: Path,
    dry_run: bool,
    **how: Any,
) -> int:
    """Prune the encoder ENCODER, a biLM or a Hugging Face model.

    Each sparsity becomes an encoder in a folder of its own, OUTPUT/sparsity-0.5. Counted are the
    matrices of the layers: no biases, norms, embeddings, nor the character CNN. The card.json of
    the folder names them, with the weights of each that are 0. What is written already is not
    written again, and a killed training goes on with the same command.

    \b
    probe prune lstm --sparsity 0.5,0.8,0.9 --output pruned
    probe prune local:my-encoder --schedule gradual --text books.txt --sparsity 0.9 --output pruned
    probe run -e lstm -e local:pruned/sparsity-0.8 -t pos
    """
    from ...encoders.base import EncoderOptions
    from ...encoders.loading import load_encoder
    from ...encoders.pruning import check_sparsity

    shares = _shares(sparsity)
    for share in shares:
        check_sparsity(share)
    training = {name: how.pop(name) for name in _GRADUAL}
    given = {name: value for name, value in training.items() if value is not None}
    if schedule == "oneshot":
        _refuse_training(how["score"], text, given)
        source = load_encoder(encoder, EncoderOptions())
        for plan in _plans(shares, text, held_out, how):
            _at_once(source, plan, output / f"sparsity-{plan.sparsity:g}", dry_run)
    else:
        from ...encoders.prune_gradually import Schedule

        if not text:
            raise UsageError("goes on training", where="--schedule gradual", cure="--text FILE")
        source = load_encoder(encoder, EncoderOptions())
        times = Schedule(text, held_out, **given)
        for plan in _plans(shares, text, (), how):
            _in_rounds(source, plan, times, output / f"sparsity-{plan.sparsity:g}", dry_run)
    if dry_run:
        click.echo("nothing was kept: this was a dry run")
    return 0


def _refuse_training(score: str, text: tuple[Path, ...], given: dict[str, Any]) -> None:
    if given:
        raise UsageError(
            "is for --schedule gradual",
            where=f"--{next(iter(given)).replace('_', '-')}",
            cure="leave it away, or add --schedule gradual",
        )
    if text and score in ("magnitude", "random"):
        raise UsageError(f"--score {score} reads no text", where="--text", cure="leave it away")


def _plans(
    shares: list[float], text: tuple[Path, ...], held_out: tuple[Path, ...], how: dict[str, Any]
) -> list[Pruning]:
    from ...core.errors import DataError
    from ...encoders.pruning_plan import Pruning
    from ...encoders.training_text import read_text

    read = read_text(text) if text else None
    kept = read_text(held_out) if held_out else None
    if kept is not None and not len(kept.words):
        raise DataError("holds no words", where="--held-out")
    return [Pruning(sparsity=share, text=read, held_out=kept, **how) for share in shares]


def _at_once(source: Encoder, plan: Pruning, folder: Path, dry_run: bool) -> None:
    from ...encoders.pruned_encoder import identity_of, is_written, prune, write

    share = plan.sparsity
    if is_written(folder, identity_of(source, plan)):
        click.echo(f"sparsity {share:g}: written before; {visible(str(folder))}")
        return
    pruned = prune(source, plan)
    if not dry_run:
        write(folder, source, plan, pruned)
    use = "would be" if dry_run else "use it as"
    name = visible(_name(folder, pruned))
    told = f"sparsity {share:g}: {_counts(pruned.counts)}{_perplexities(pruned.perplexities)}"
    click.echo(f"{told}; {use} --encoder {name}")


def _in_rounds(
    source: Encoder, plan: Pruning, schedule: Schedule, folder: Path, dry_run: bool
) -> None:
    from ...encoders.pretrain import read_both
    from ...encoders.prune_gradually import Gradual

    share = plan.sparsity
    read = read_both(schedule.text, schedule.held_out)
    gradual = Gradual(source, plan, schedule, read)
    if gradual.is_written(folder):
        click.echo(f"sparsity {share:g}: written before; {visible(str(folder))}")
        return
    if dry_run:
        click.echo(f"sparsity {share:g}: {_rounds(gradual, len(read[0].words))}")
        return

    card = gradual.run(folder, command_line())
    anew = "" if gradual.keeps_softmax else ", by a softmax that was drawn anew"
    told = f"{_counts(card['pruning'])}{_perplexities(card)}{anew}"
    click.echo(f"sparsity {share:g}: {told}; use it as --encoder local:{visible(str(folder))}")


def _rounds(gradual: Gradual, words: int) -> str:
    """What a training would do."""
    reached = [f"{sparsity:.3g}" for sparsity in gradual.sparsities()]
    shown = reached if len(reached) < 8 else [*reached[:4], "...", reached[-1]]
    settings, size = gradual.training, gradual.bilm.settings.window
    back = f", each begun anew from {gradual.schedule.rewind}" if gradual.schedule.rewind else ""
    softmax = "its own softmax" if gradual.keeps_softmax else "a softmax that is drawn anew"
    return (
        f"would train {settings.budget} of {settings.windows} x {size} words on {words:,} words "
        f"with {softmax}; {len(reached)} rounds{back}, to the sparsities {', '.join(shown)}"
    )


def _perplexities(told: dict[str, Any]) -> str:
    """The held-out perplexity before and after, where it was measured."""
    if "held_out_perplexity" not in told:
        return ""
    before, after = (told.get(f"held_out_perplexity{end}") for end in ("_before", ""))
    start = f"{before['mean']} before, " if before else ""
    return f"; held-out perplexity {start}{after['mean'] if after else ''} after"


def _shares(text: str) -> list[float]:
    try:
        shares = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(
            "not numbers with commas between them",
            where=f"--sparsity {text}",
            cure="such as 0.5,0.8,0.9",
        ) from error
    return list(dict.fromkeys(shares))


def _name(folder: Path, pruned: Pruned) -> str:
    """As ``--encoder`` takes it."""
    if pruned.tokenizer is None:
        return f"local:{folder}"
    plain = str(folder)
    return f"hf:{plain}" if plain.startswith(("/", ".", "~")) else f"hf:./{plain}"


def _counts(counts: dict[str, Any]) -> str:
    if "zeros" in counts:
        return (
            f"{counts['zeros']:,} of {counts['counted']:,} weights in "
            f"{len(counts['matrices'])} matrices are 0"
        )
    sizes = counts["contextual_parameters"]
    left = " and ".join(
        f"{counts[kind]['kept']:,} of {counts[kind]['a_block']:,} {kind}"
        for kind in ("neurons", "heads")
        if kind in counts
    )
    return (
        f"{left} stay in each of {len(counts['blocks'])} blocks, "
        f"{sizes['after']:,} of {sizes['before']:,} parameters"
    )
