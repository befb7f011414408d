"""``probe data``: look at data and take it out."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ._data_audit import command as audit


@click.group(name="data")
def command() -> None:
    """Check a file, or export a corpus."""


command.add_command(audit)


@command.command()
@click.argument("file", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--limit", default=50, show_default=True, help="Problems shown of a file.")
def check(file: tuple[Path, ...], limit: int) -> int:
    """Prove CoNLL-U files sound: trees with one root, heads in range, brackets closed."""
    from ...tasks.check import check_conllu

    sound = True
    for path in file:
        report = check_conllu(path, limit=limit)
        for problem in report.problems:
            cure = f"; {problem.cure}" if problem.cure else ""
            click.echo(f"{path}:{problem.line}: {problem.severity}: {problem.what}{cure}")
        if report.unlisted:
            click.echo(f"{path}: {report.unlisted} more problems; --limit shows more")
        counts = ", ".join(f"{number:,} {what}" for what, number in report.counts.items())
        verdict = "sound" if report.sound else f"{report.errors} errors"
        click.echo(f"{path}: {verdict}, {report.warnings} warnings; {counts}")
        sound &= report.sound
    return 0 if sound else 3


@command.command()
@click.argument("name")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path(), help="Folder to write to."
)
@click.option("--force", is_flag=True, help="Write over files of that name.")
def export(name: str, output: Path, force: bool) -> None:
    """Write a corpus as CoNLL-U files, one a split. NAME is builtin."""
    from ...core import files
    from ...core.errors import UsageError
    from ...tasks.builtin import builtin_files

    if name != "builtin":
        raise UsageError(
            f"{name!r} is a corpus of files already",
            where="probe data export",
            cure="export builtin",
        )
    for source in builtin_files()[0].values():
        path = output / source.name
        if path.exists() and not force:
            raise UsageError("is there already", where=str(path), cure="--force writes over it")
        files.write_text(path, source.read_text(encoding="utf-8"))
        click.echo(str(path))


@command.command()
@click.argument("name", default="builtin")
def stats(name: str) -> None:
    """Counts of a corpus, as JSON."""
    from ...tasks.corpora import load_corpus

    corpus = load_corpus(name)
    click.echo(json.dumps(dict(corpus.facts), indent=2, ensure_ascii=False))
