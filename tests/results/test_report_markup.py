"""Whatever a text is made of, it stays text: an HTML parser gets back what went in."""

from __future__ import annotations

import json
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from layerwise.results.escaping import visible
from layerwise.results.report.markup import Markup, data, joined, table, tag, text

TEXT = st.text(max_size=40) | st.sampled_from(
    ["</script><script>x", "<!--", "]]>", "\"'><img onerror=x>", "\u202eabc", "&lt;", "{{7*7}}"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


class Seen(HTMLParser):
    """The elements, their attributes and all text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(TEXT, TEXT)
def test_a_text_is_text_inside_and_in_an_attribute(inside: str, attribute: str) -> None:
    seen = Seen(tag("p", inside, title=attribute))
    assert seen.elements == [("p", {"title": visible(attribute)})]
    assert seen.text == visible(inside)


@given(JSON)
def test_data_hold_no_markup_and_come_back(value: object) -> None:
    written = data("it", value)
    inside = written.removeprefix('<script type="application/json" id="it">')
    inside = inside.removesuffix("</script>")
    assert not {*"<>&"} & {*inside}
    assert json.loads(inside) == _visible(value)


def _visible(value: object) -> object:
    if isinstance(value, dict):
        return {visible(name): _visible(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_visible(each) for each in value]
    return visible(value) if isinstance(value, str) else value


def test_only_what_was_made_here_is_markup() -> None:
    assert text("<b>") == "&lt;b&gt;" and text(Markup("<b>")) == "<b>"
    assert joined(["<i>", tag("b", "x")], ", ") == "&lt;i&gt;, <b>x</b>"
    assert tag("input", checked=True, hidden=False, aria_label="a") == (
        '<input checked aria-label="a">'
    )


def test_a_table_has_its_heads() -> None:
    seen = Seen(table("Numbers", ["a", "b"], [["x", "1"], ["y", "2"]]))
    names = [name for name, _ in seen.elements]
    assert names.count("caption") == 1 and names.count("td") == 2
    scopes = [attributes.get("scope") for name, attributes in seen.elements if name == "th"]
    assert scopes == ["col", "col", "row", "row"]
    assert seen.text == "Numbersabx1y2"
