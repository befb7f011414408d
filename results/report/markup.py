"""HTML from records: every text is made harmless on its way in, and only what is made here acts."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence

from ..escaping import visible

# What could end a script element, or be taken for markup by a reader of the source.
_UNSAFE_IN_SCRIPT = {ord(char): f"\\u{ord(char):04x}" for char in "<>&"}

_EMPTY = {"input", "meta"}


class Markup(str):
    """HTML made by this module: it goes into a page as it is. Any other text is escaped."""

    __slots__ = ()


def tag(name: str, *inside: str, **attributes: str | int | bool) -> Markup:
    """An element. Attributes are named as in HTML, with ``_`` for ``-`` and none at the end.

    True is an attribute without a value; False leaves it out.
    """
    told = "".join(
        f" {_attribute(key)}" if value is True else f' {_attribute(key)}="{text(str(value))}"'
        for key, value in attributes.items()
        if value is not False
    )
    return Markup(f"<{name}{told}>" + ("" if name in _EMPTY else f"{joined(inside)}</{name}>"))


def text(raw: str) -> Markup:
    """The text as text, also between quotation marks; what hides or acts becomes visible."""
    return raw if isinstance(raw, Markup) else Markup(html.escape(visible(raw)))


def joined(parts: Iterable[str], between: str = "") -> Markup:
    """The parts one after another."""
    return Markup(text(between).join(map(text, parts)))


def table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    left: int = 1,
    words: bool = False,
) -> Markup:
    """A plain table that scrolls by itself; the first ``left`` cells of a row are its heads.

    Cells that are ``words`` begin at the left, numbers end at the right.
    """
    return scrolling(
        caption,
        tag(
            "table",
            tag("caption", caption),
            tag("thead", tag("tr", *(tag("th", cell, scope="col") for cell in head))),
            tag("tbody", *(tag("tr", *_cells(row, left)) for row in rows)),
            class_="words" if words else "numbers",
        ),
    )


def scrolling(label: str, inside: str) -> Markup:
    """A box that a wide table scrolls in, by keyboard too, so that the page stays in its width."""
    return tag("div", inside, class_="scroll", tabindex=0, role="region", aria_label=label)


def listed(lines: Iterable[str]) -> Markup:
    """A list of lines; nothing where there are none."""
    found = [tag("li", line) for line in lines]
    return tag("ul", *found) if found else Markup("")


def lines_as_they_are(lines: Iterable[str]) -> Markup:
    """Preformatted lines, for commands and references."""
    return tag("pre", tag("code", joined(lines, Markup("\n"))), tabindex=0)


def section(id_: str, title: str, *inside: str) -> Markup:
    """A part of the page with its heading."""
    heading = tag("h2", title, id=f"{id_}-title")
    return tag("section", heading, *inside, id=id_, aria_labelledby=f"{id_}-title")


def select(id_: str, label: str, options: Iterable[tuple[str, str]] = ()) -> Markup:
    """A menu of (value, name) under its label."""
    shown = (tag("option", name, value=value) for value, name in options)
    return tag("label", tag("span", label), tag("select", *shown, id=id_))


def data(id_: str, value: object) -> Markup:
    """A value for the page's script to read: it is text, and nothing in it can be markup."""
    written = json.dumps(
        _visible(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    safe = Markup(written.translate(_UNSAFE_IN_SCRIPT))
    return tag("script", safe, type="application/json", id=id_)


def _visible(value: object) -> object:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(name)): _visible(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_visible(inner) for inner in value]
    return value


def _cells(row: Sequence[str], left: int) -> Iterable[Markup]:
    for place, cell in enumerate(row):
        yield tag("th", cell, scope="row") if place < left else tag("td", cell)


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
