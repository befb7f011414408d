"""The page: its sections joined, and the policy by which a browser lets it reach nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import NamedTuple

from ...core.errors import DataError
from .. import speed, table
from ..records import Record
from .audit_section import audit
from .best_layers import best_layers, is_control
from .citation import citation
from .errors_in_context import Find, errors_in_context
from .figures import has_times, numbers, pictures
from .markup import Markup, joined, lines_as_they_are, section, tag
from .provenance_section import dates, provenance, what_was_run
from .score_table import all_scores, times
from .series import Series, series_of
from .strata import strata

GUARD = (
    "A probe shows that something can be decoded from a layer, not that the encoder uses it "
    "(Belinkov 2022, Probing Classifiers: Promises, Shortcomings, and Advances)."
)

_FEW = 6  # tasks that a title names


class Command(NamedTuple):
    """A command that measures some of the records again, and what a reader must know of it."""

    line: str
    note: str = ""


def page(
    records: Sequence[Record],
    find: Find,
    commands: Sequence[Command] = (),
    problems: Sequence[str] = (),
) -> str:
    """The records as one HTML page that needs no other file and asks no network for anything.

    ``find`` gives what is kept beside a record, ``commands`` measure it all again, ``problems``
    are lines that had to be left out. The same records give the same page. Raises DataError where
    no unit is good.
    """
    records = list({record.id: record for record in records}.values())
    scores, costs = speed.split(records)
    series = series_of(scores)
    if not series:
        raise DataError("no scores of layers to report", cure="`probe run` measures them")
    drawn, timed = numbers(series, costs), has_times(series, costs)
    body = joined(
        [
            what_was_run(series, scores),
            best_layers(series),
            pictures(drawn, timed),
            times(speed.build(costs)) if costs else "",
            all_scores(table.build(scores), series),
            errors_in_context(series, find),
            strata(series),
            audit(scores),
            provenance(records, problems),
            _again(commands),
            citation(scores),
        ]
    )
    return _document(_title(series, scores), _header(series, records), body)


def _title(series: Sequence[Series], scores: Sequence[Record]) -> str:
    tasks = sorted({each.task.rpartition(".")[0] or each.task for each in series})
    data = sorted({record.key.data for record in scores})
    named = ", ".join(tasks) if len(tasks) <= _FEW else f"{len(tasks)} tasks"
    return f"{named} on {', '.join(data)}, layer by layer"


def _header(series: Sequence[Series], records: Sequence[Record]) -> Markup:
    encoders = {each.label for each in series}
    controls = {each.label for each in series if is_control(each.encoder)}
    failed = sum(record.status == "failed" for record in records)
    beside = f" and {_several(len(controls), 'control')}" if controls else ""
    told = (
        f"{_several(len(encoders - controls), 'encoder')}{beside}, "
        f"{_several(len(records), 'record')}, measured {dates(records)}"
    )
    return tag(
        "header",
        tag("p", "layerwise report", class_="kind"),
        tag("h1", _title(series, records)),
        tag("p", told + (f"; {_several(failed, 'unit')} failed" if failed else "")),
        tag("p", GUARD, class_="guard"),
    )


def _several(number: int, what: str) -> str:
    return f"{number:,} {what}" + "s" * (number != 1)


def _again(commands: Sequence[Command]) -> Markup:
    if not commands:
        return Markup("")
    lines: list[str] = []
    for command in commands:
        lines += [f"# {command.note}", command.line] if command.note else [command.line]
    told = "What is recorded already is not measured again: give a new folder to measure anew."
    return section("again", "How to run it again", tag("p", told), lines_as_they_are(lines))


def _document(title: str, header: Markup, body: Markup) -> str:
    from plotly.offline import get_plotlyjs

    library, script = Markup(get_plotlyjs()), _own("page.js")
    if "</script" in library:
        raise DataError("plotly's script cannot stand in a page", cure="install another plotly")
    # Plotly writes style sheets and the cells of a heat map as it draws: they have no hashes that
    # could be named. Neither can load anything.
    policy = (
        f"default-src 'none'; script-src {_hash(library)} {_hash(script)}; "
        "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("meta", name_="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", _own("style.css")),
    )
    inside = tag(
        "body",
        tag("a", "To the scores", href="#scores", class_="skip"),
        header,
        _contents(body),
        tag("main", body),
        tag("script", library),
        tag("script", script),
    )
    return "<!doctype html>\n" + tag("html", head, inside, lang="en") + "\n"


def _contents(body: Markup) -> Markup:
    """Links to the sections that are there."""
    known = {
        "run": "What was run",
        "best": "Best layers",
        "pictures": "Pictures",
        "scores": "All scores",
        "errors": "Mistakes",
        "strata": "Kinds of targets",
        "audit": "Audit",
        "provenance": "Provenance",
        "again": "Run again",
        "cite": "Cite",
    }
    links = [
        tag("li", tag("a", name, href=f"#{id_}"))
        for id_, name in known.items()
        if f'<section id="{id_}"' in body
    ]
    return tag("nav", tag("ul", *links), aria_label="Sections")


def _own(name: str) -> Markup:
    return Markup(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
