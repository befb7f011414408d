"""``probe list``: what there is to choose from."""

from __future__ import annotations

import json

import click

from ...results.escaping import visible


@click.group(name="list")
def command() -> None:
    """List encoders, tasks, probes, data, or what a search is made of."""


def _as_json(function: click.decorators.FC) -> click.decorators.FC:
    return click.option("--json", "as_json", is_flag=True, help="For scripts.")(function)


@command.command()
@_as_json
def encoders(as_json: bool) -> None:
    """The names that --encoder takes."""
    _plugins("encoder", as_json)


@command.command()
@_as_json
def probes(as_json: bool) -> None:
    """The names that --probe takes."""
    _plugins("probe", as_json)


@command.command()
@_as_json
def spaces(as_json: bool) -> None:
    """The names that `probe search --space` takes."""
    _plugins("space", as_json)


@command.command()
@_as_json
def cells(as_json: bool) -> None:
    """The names that `--set cell=NAME` of `probe pretrain -e cell` takes, and what they stand for.

    A cell without a name is written as in the last column.
    """
    from ...encoders.search.space.aliases import DESCRIPTIONS, NAMES

    rows = [
        {"name": name, "what": DESCRIPTIONS[name], "cell": cell} for name, cell in NAMES.items()
    ]
    _print(rows, as_json)


@command.command()
@_as_json
def strategies(as_json: bool) -> None:
    """The names that `probe search --strategy` takes."""
    _plugins("strategy", as_json)


@command.command()
@_as_json
def estimators(as_json: bool) -> None:
    """The names that `probe search --estimator` takes."""
    _plugins("estimator", as_json)


@command.command()
@click.option("-d", "--data", help="Only what this data can serve, with the features it has.")
@_as_json
def tasks(data: str | None, as_json: bool) -> None:
    """The names that --task takes."""
    if data is None:
        _plugins("task", as_json)
        return
    from ...core import registry
    from ...tasks.corpora import load_corpus

    corpus = load_corpus(data)
    served = [
        {"name": name, "what": _description(task)}
        for kind, task in registry.load_all("task").items()
        for name in (task.available(corpus) if hasattr(task, "available") else [kind])
    ]
    _print(served, as_json)


@command.command()
@_as_json
def data(as_json: bool) -> None:
    """What --data takes: corpora by name, whether they are here, and formats of files."""
    from ...tasks.corpora import HUB, list_corpora
    from ...tasks.formats import FORMATS

    rows = [
        {
            "name": corpus.name,
            "what": corpus.description,
            "format": corpus.format,
            "licence": corpus.licence or "see its folder",
            "here": "yes" if corpus.available else "no",
            "where": str(corpus.where),
        }
        for corpus in list_corpora()
    ]
    rows += [
        {
            "name": f"{each.name}:PATH",
            "what": each.what,
            "format": each.name,
            "licence": "-",
            "here": "-",
            "where": f"told by {' '.join(each.endings) or 'names or first lines'}",
        }
        for each in FORMATS.values()
    ]
    rows.append(
        {
            "name": f"{HUB}:PATH or {HUB}:ID@REVISION",
            "what": "parquet of the datasets package, in a folder or on the hub",
            "format": HUB,
            "licence": "-",
            "here": "-",
            "where": "told by its prefix alone",
        }
    )
    _print(rows, as_json)


def _plugins(kind: str, as_json: bool) -> None:
    from ...core import registry

    _print(
        [
            {"name": name, "what": _description(thing), "from": registry.owner(kind, name)}
            for name, thing in registry.load_all(kind).items()
        ],
        as_json,
    )


def _description(thing: object) -> str:
    told = getattr(thing, "description", None) or (thing.__doc__ or "").partition("\n")[0]
    return str(told)


def _print(rows: list[dict[str, str]], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if not rows:
        click.echo("none")
        return
    rows = [{key: visible(value) for key, value in row.items()} for row in rows]
    widths = {key: max(len(row[key]) for row in rows) for key in rows[0]}
    for row in rows:
        click.echo("  ".join(row[key].ljust(widths[key]) for key in row).rstrip())
