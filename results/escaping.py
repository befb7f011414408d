"""Names and error texts come from data: made harmless for each format that shows them."""

from __future__ import annotations

import re
import unicodedata

# Controls, invisible and direction-changing characters, lone surrogates, line separators.
_UNSEEN = {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#!|~$])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_FORMULA = re.compile(r"[\s]*[=+\-@＝＋－＠]")
_LATEX_SPECIAL = re.compile(r"-(?=-)|[\\^~<>|–†‡\[\]*'`\"{}$&#_%]")
_LATEX = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "–": "--",
    "†": r"\textdagger{}",
    "‡": r"\textdaggerdbl{}",
    # Else two dashes would join into one.
    "-": "-{}",
    # A row break takes a following bracket or star as its argument; quotation marks join.
    **{char: "{" + char + "}" for char in "[]*'`\""},
    **{char: "\\" + char for char in "{}$&#_%"},
}


def visible(text: str) -> str:
    """The text on one line, with every character that acts or hides written as an escape."""
    return "".join(
        char if unicodedata.category(char) not in _UNSEEN else _escape(char) for char in text
    )


def markdown(text: str) -> str:
    """The text as text in a cell of a Markdown table."""
    text = _MARKDOWN.sub(r"\\\1", visible(text))
    return "".join(_HTML.get(char, char) for char in text)


def latex(text: str) -> str:
    """The text as text in a cell of a LaTeX table."""
    return _LATEX_SPECIAL.sub(lambda found: _LATEX[found[0]], visible(text))


def spreadsheet(text: str) -> str:
    """The text as text in a cell of a CSV file: never the start of a formula."""
    text = visible(text)
    return "'" + text if _FORMULA.match(text) else text


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
