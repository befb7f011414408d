"""``probe data``: look at data, fetch it, and take it out."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import list_
from ._data_audit import command as audit

if TYPE_CHECKING:
    from ...core.types import TaskData
    from ...tasks.base import Corpus

_OUTPUT = click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path(), help="Folder to write to."
)
_LET = click.option("--allow-download", is_flag=True, help="Let hf-data: sets be fetched.")


@click.group(name="data")
def command() -> None:
    """List, check, fetch, audit or export data."""


command.add_command(audit)
command.add_command(list_.data, "list")


@command.command()
@click.argument("file", nargs=-1, required=True)
@click.option("--limit", default=50, show_default=True, help="Problems shown of a file.")
def check(file: tuple[str, ...], limit: int) -> int:
    """Prove files sound. FILE is a path, or FORMAT:PATH.

    Of CoNLL-U all problems are shown (trees with one root, heads in range, brackets closed), of
    other formats the first.
    """
    from ...tasks.corpora import locate

    sound = True
    for each in file:
        kind, path, _ = locate(each if Path(each).exists() or ":" in each else f"./{each}")
        sound &= _check_conllu(path, limit) if kind.name == "conllu" else _check(kind, path)
    return 0 if sound else 3


def _check_conllu(path: Path, limit: int) -> bool:
    from ...tasks.check import check_conllu

    report = check_conllu(path, limit=limit)
    for problem in report.problems:
        cure = f"; {problem.cure}" if problem.cure else ""
        click.echo(f"{path}:{problem.line}: {problem.severity}: {problem.what}{cure}")
    if report.unlisted:
        click.echo(f"{path}: {report.unlisted} more problems; --limit shows more")
    verdict = "sound" if report.sound else f"{report.errors} errors"
    click.echo(f"{path}: {verdict}, {report.warnings} warnings; {_told(report.counts)}")
    return report.sound


def _check(kind: Any, path: Path) -> bool:
    from ...core.errors import DataError

    try:
        counts = kind.read(path)
    except DataError as error:
        cure = f"; {error.cure}" if error.cure else ""
        click.echo(f"{error.where or path}: error: {error.what}{cure}")
        return False
    click.echo(f"{path}: sound ({kind.name}); {_told(counts)}")
    return True


def _told(counts: Any) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in counts.items())


@command.command()
@click.argument("name")
@click.option("--task", multiple=True, help="Write this task's targets. Repeatable.")
@click.option(
    "--as", "form", type=click.Choice(["conllu", "edges"]), help="edges: edge probing of jiant."
)
@_OUTPUT
@click.option("--force", is_flag=True, help="Write over files of that name.")
@_LET
def export(
    name: str,
    task: tuple[str, ...],
    form: str | None,
    output: Path,
    force: bool,
    allow_download: bool,
) -> None:
    """Write a corpus out: as CoNLL-U, a file a split, or a task's targets on it, a folder a task.

    \b
    probe data export builtin -o treebank
    probe data export ewt --task deprel --as edges -o edges
    """
    from ...core.errors import UsageError

    if bool(task) != (form == "edges"):
        raise UsageError(
            "targets are written as edges, and edges are of tasks",
            where="--task" if task else "--as edges",
            cure="write --task TASK --as edges",
        )
    if task:
        _allow(allow_download)
        _export_edges(name, task, output, force)
    else:
        _export_builtin(name, output, force)


def _export_builtin(name: str, output: Path, force: bool) -> None:
    from ...core import files
    from ...core.errors import UsageError
    from ...tasks.builtin import builtin_files

    if name != "builtin":
        raise UsageError(
            f"{name!r} is a corpus of files already",
            where="probe data export",
            cure="export builtin, or a task's targets (--task TASK --as edges)",
        )
    for source in builtin_files()[0].values():
        path = _free(output / source.name, force)
        files.write_text(path, source.read_text(encoding="utf-8"))
        click.echo(str(path))


def _export_edges(name: str, tasks: tuple[str, ...], output: Path, force: bool) -> None:
    from ...core.files import safe_name
    from ...tasks.corpora import load_corpus
    from ...tasks.edge_probing import write_edge_probing

    for each, data in _prepared(tasks, load_corpus(name)):
        stem = each.replace(":", "-")
        stem = stem if re.fullmatch(r"[\w.\[\]-]+", stem) else safe_name(stem)
        for split, part in data.splits.items():
            path = _free(output / stem / f"{split}.jsonl", force)
            counts = write_edge_probing(part.documents, part.targets, path)
            click.echo(f"{path}: {_told(counts)}")


def _prepared(tasks: tuple[str, ...], corpus: Corpus) -> Iterator[tuple[str, TaskData]]:
    from ...core.errors import UsageError
    from ...tasks.choices import ChoiceTask
    from ...tasks.preparation import prepare
    from ..blame import blame
    from ..prepared import expanded, task_of

    for name, task in expanded({name: task_of(name) for name in tasks}, corpus).items():
        if isinstance(task, ChoiceTask):
            raise UsageError(
                "its targets have candidates and no labels",
                where=f"--task {name}",
                cure="export another task",
            )
        with blame(f"task {name}"):
            data = prepare(task, corpus)
        yield name, data


def _free(path: Path, force: bool) -> Path:
    from ...core.errors import UsageError

    if path.exists() and not force:
        raise UsageError("is there already", where=str(path), cure="--force writes over it")
    return path


def _allow(download: bool) -> None:
    if download:
        os.environ["LAYERWISE_ALLOW_DOWNLOAD"] = "1"


@command.command()
@click.argument("name", default="builtin")
@_LET
def stats(name: str, allow_download: bool) -> None:
    """Counts of a corpus and the tasks that it can serve, as JSON."""
    from ...core import registry
    from ...tasks.corpora import load_corpus

    _allow(allow_download)
    corpus = load_corpus(name)
    served = [
        each
        for kind, task in registry.load_all("task").items()
        for each in (task.available(corpus) if hasattr(task, "available") else [kind])
    ]
    facts = {"corpus": corpus.name, **corpus.facts, "tasks": served}
    click.echo(json.dumps(facts, indent=2, ensure_ascii=False))


@command.command()
@click.argument("name")
@click.option("--allow-download", is_flag=True, help="Without it, nothing is downloaded.")
@click.option("--again", is_flag=True, help="Even if it is there already.")
def fetch(name: str, allow_download: bool, again: bool) -> None:
    """Download a named corpus from where it was published, into the cache.

    What is fetched is a commit. Files whose sha256 was known before must have it; of others the
    first download's is kept.
    """
    from ...core.errors import UsageError, did_you_mean
    from ...tasks import fetch as fetching
    from ...tasks.upstream import SOURCES

    source = SOURCES.get(name)
    if source is None:
        raise UsageError(
            f"no source of {name!r} is known",
            where="probe data fetch",
            cure=did_you_mean(name, SOURCES),
        )
    if not allow_download:
        raise UsageError(
            "nothing is downloaded unless that is allowed",
            where=f"probe data fetch {name}",
            cure=f"--allow-download gets github.com/{source.repository} @ {source.commit[:12]} "
            f"({source.licence})",
        )
    done = fetching.fetch(name, again=again)
    for file, pinned in sorted(done.pinned.items()):
        known = "as known before" if pinned else "kept from the first download"
        click.echo(f"{file}: sha256 {known}")
    click.echo(f"{name} {'was' if done.was_there else 'is'} in {done.folder}")
