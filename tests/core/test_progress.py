"""Progress: silent where nobody looks, and never in the way of the items."""

from __future__ import annotations

import sys

import pytest

from layerwise.core import progress


def test_all_items_pass_and_nothing_is_shown_without_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert list(progress.track(iter("abc"), "letters", 3)) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar_unless_silenced(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_silent", False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress.bar("counting [red]", 2) as advance:
        advance(1, "half [way]")
        advance(1, "")
    assert capsys.readouterr().out == ""
    progress.silence()
    assert list(progress.track("ab", "letters", 2)) == ["a", "b"]
    assert capsys.readouterr().err == ""
