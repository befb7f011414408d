"""``probe prune``: an encoder with weights at 0, or with fewer neurons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...core.errors import UsageError
from ...results.escaping import visible

if TYPE_CHECKING:
    from ...encoders.pruned_encoder import Pruned


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
    type=click.Choice(["weights", "neurons", "2:4"]),
    default="weights",
    show_default=True,
    help="weights and 2:4 set single weights to 0 and make nothing faster; neurons shrinks the matrices (transformer, lstm).",
)
@click.option(
    "--scope",
    type=click.Choice(["global", "layer"]),
    default="global",
    show_default=True,
    help="Of --structure weights: all matrices compete, or each gives its share.",
)
@click.option("--sparsity", default="0.5", show_default=True, help="Shares that go: 0.5,0.8,0.9.")
@click.option(
    "--text",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Plain text or .gz that movement and obd read. Repeatable.",
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
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder of the encoders."
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and write nothing.")
def command(
    encoder: str, sparsity: str, text: tuple[Path, ...], output: Path, dry_run: bool, **how: Any
) -> int:
    """Prune the encoder ENCODER, a biLM or a Hugging Face model, at once and without training.

    Each sparsity becomes an encoder in a folder of its own, OUTPUT/sparsity-0.5. Counted are the
    matrices of the layers: no biases, norms, embeddings, nor the character CNN. The card.json of
    the folder names them, with the weights of each that are 0. What is written already is not
    written again.

    \b
    probe prune lstm --sparsity 0.5,0.8,0.9 --output pruned
    probe run -e lstm -e local:pruned/sparsity-0.8 -t pos
    """
    from ...encoders.base import EncoderOptions
    from ...encoders.loading import load_encoder
    from ...encoders.pruned_encoder import Pruning, is_written, prune, write
    from ...encoders.pruning import check_sparsity
    from ...encoders.training_text import read_text

    shares = _shares(sparsity)
    for share in shares:
        check_sparsity(share)
    if text and how["score"] in ("magnitude", "random"):
        raise UsageError(
            f"--score {how['score']} reads no text", where="--text", cure="leave it away"
        )
    source = load_encoder(encoder, EncoderOptions())
    read = read_text(text) if text else None
    for share in shares:
        plan = Pruning(sparsity=share, text=read, **how)
        folder = output / f"sparsity-{share:g}"
        if is_written(folder, source, plan):
            click.echo(f"sparsity {share:g}: written before; {visible(str(folder))}")
            continue
        pruned = prune(source, plan)
        if not dry_run:
            write(folder, source, plan, pruned)
        use = "would be" if dry_run else "use it as"
        name = visible(_name(folder, pruned))
        click.echo(f"sparsity {share:g}: {_counts(pruned.counts)}; {use} --encoder {name}")
    if dry_run:
        click.echo("nothing was kept: this was a dry run")
    return 0


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
    return (
        f"{counts['kept_a_block']:,} of {counts['neurons_a_block']:,} neurons stay in each of "
        f"{len(counts['blocks'])} blocks, {sizes['after']:,} of {sizes['before']:,} parameters"
    )
