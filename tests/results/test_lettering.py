"""Names in pictures: shown as they are, and acting on nothing."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from layerwise.results.lettering import shortened


def test_ends_are_kept_and_names_that_would_look_alike_are_numbered() -> None:
    alike = ["a" * 9 + middle + "b" * 9 for middle in ("xxxx", "yyyy")]
    assert list(shortened(["lstm", *alike, "lstm"], 9).values()) == [
        *("lstm", "aaaa…bbbb", "aaaa…bbbb (2)"),
    ]


def test_what_acts_or_has_no_sign_is_an_escape() -> None:
    found = shortened(["a\nb", "\u202eab", "汉", "é → ß", "$x$"], 40)
    assert list(found.values()) == [r"a\x0ab", r"\u202eab", r"\u6c49", "é → ß", r"\$x\$"]


@given(names=st.lists(st.text(st.characters(), max_size=40), max_size=8))
def test_any_names_are_told_apart_short_and_no_formula(names: list[str]) -> None:
    found = shortened(names, 12)
    assert list(found) == list(dict.fromkeys(names))
    assert len(set(found.values())) == len(found)
    for text in found.values():
        assert "$" not in text.replace(r"\$", "")
        assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text)
        assert len(text.replace(r"\$", "$").partition(" (")[0]) <= 12


@given(name=st.text(st.characters(), max_size=12))
def test_matplotlib_draws_any_of_them_without_a_word(name: str) -> None:
    figure = Figure(figsize=(1, 1))
    drawn = figure.text(0, 0, shortened([name], 40)[name])
    figure.draw_without_rendering()  # a warning or an error of a formula would fail
    assert not drawn._preprocess_math(drawn.get_text())[1]
