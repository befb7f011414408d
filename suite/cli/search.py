"""``probe search``: look for a cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


class _Names(click.Option):
    """An option whose help names what is installed, looked up when the help is asked for."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        from ...core import registry

        self.help = f"One of {', '.join(registry.names(str(self.name)))}."
        return super().get_help_record(ctx)


@click.command(name="search")
@click.option("--space", cls=_Names, default="cell", show_default=True)
@click.option("--strategy", cls=_Names, default="evolution", show_default=True)
@click.option("--estimator", cls=_Names, required=True)
@click.option(
    "--budget",
    default="100evals",
    show_default=True,
    help="For each seed and arm: 200evals, 30m, 1h30m.",
)
@click.option(
    "--objective",
    multiple=True,
    default=("perplexity",),
    show_default=True,
    help="perplexity (or the table's own loss), probe:TASK, latency, parameters. Several give a Pareto front; each loss of an estimator is a training of its own.",
)
@click.option("--seed", default=0, show_default=True)
@click.option("--seeds", type=int, help="Independent repetitions: 10 of a table, else 1.")
@click.option(
    "--set",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of the strategy or the estimator (strategy.NAME where both have it). Repeatable.",
)
@click.option("--base-url", help="Of --strategy llm: an OpenAI-compatible server.")
@click.option("--model", help="Of --strategy llm: the name of the model.")
@click.option(
    "--text",
    multiple=True,
    type=click.Path(path_type=Path),
    help="What candidates are trained on; else the training sentences of --data. Repeatable.",
)
@click.option(
    "--held-out",
    multiple=True,
    type=click.Path(path_type=Path),
    help="What they are measured on; else the last fiftieth of --text, or the dev sentences.",
)
@click.option("-d", "--data", default="builtin", show_default=True, help="For probe:TASK.")
@click.option(
    "--train-targets",
    default=2000,
    show_default=True,
    help="Targets that a probe learns from at most, and about as many that it is scored on.",
)
@click.option("--words", type=int, help="Words of a full training.")
@click.option("--dim", type=int, help="Channels of a direction.")
@click.option("--layers", type=int)
@click.option(
    "--weights",
    type=int,
    help="In place of --layers: as many as bring both directions nearest to so many weights.",
)
@click.option("--window", type=int, help="Words that are read together.")
@click.option("--batch", type=int, help="Windows that are read at once.")
@click.option("--vocabulary", type=int, help="Words that can be predicted.")
@click.option("--learning-rate", type=float)
@click.option(
    "--latency-budget",
    metavar="TIME",
    help="Skip candidates that are surely slower, such as 5ms: by the lower bound of --cost-model, for one text of 128 words through both stacks. A skipped one costs no evaluation.",
)
@click.option(
    "--cost-model",
    type=click.Path(path_type=Path),
    help="What `probe cost fit` learnt from cells, for --latency-budget.",
)
@click.option(
    "--confirm",
    default=3,
    show_default=True,
    help="New seeds that measure the winners anew: what chose them is not what is reported.",
)
@click.option("--no-random", is_flag=True, help="Without the control, random search.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder for the journal (runs/search-...).",
)
@click.option("--again", is_flag=True, help="Begin anew where a journal is.")
@click.option("--dry-run", is_flag=True, help="Say what would be done and what it may cost.")
def command(
    budget: str,
    objective: tuple[str, ...],
    base_url: str | None,
    model: str | None,
    no_random: bool,
    dry_run: bool,
    **given: Any,
) -> int:
    """Search for a cell, with random search beside it at an equal budget.

    The winners of both are measured anew by seeds that did not choose them. The journal is
    search.jsonl in the folder; the same command resumes a killed search. Nothing is chosen by a
    test split.

    \b
    probe search --space nasbench-nlp --strategy evolution --estimator table --budget 100evals
    probe search --estimator low-fidelity --objective probe:pos --objective latency --budget 30m
    """
    from ...encoders.search.search_budget import SearchBudget
    from ..search import SearchConfig, evaluate

    sizes = ("words", "dim", "layers", "weights", "window", "batch", "vocabulary", "learning_rate")
    chosen = {name: given.pop(name) for name in sizes}
    flags = {"base_url": base_url, "model": model}
    config = SearchConfig(
        budget=SearchBudget.parse(budget),
        objective=objective,
        flags={name: value for name, value in flags.items() if value is not None},
        sizes={name: value for name, value in chosen.items() if value is not None},
        control=not no_random,
        **given,
    )
    if dry_run:
        from ..search_forecast import forecast

        click.echo(forecast(config), nl=False)
        return 0
    from ..search_report import report, write_winner

    outcome = evaluate(config)
    for note in outcome.notes:
        click.echo(note, err=True)
    write_winner(config, outcome)
    click.echo(report(config, outcome), nl=False)
    return 0
