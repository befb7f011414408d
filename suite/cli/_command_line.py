"""The command as it was given, for a card that may be published."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path


def command_line() -> str:
    """With files by name alone: a card tells no one's folders. ``NAME=VALUE`` of --set stays."""
    words: list[str] = []
    for word in sys.argv[1:]:
        # An option and its value may be one word: --text=FILE.
        option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
        is_setting = (option or (words[-1] if words else "")) == "--set"  # cells have slashes too
        words.append(option + equals + (value if is_setting else _without_folders(value)))
    return shlex.join(["probe", *words])


def _without_folders(value: str) -> str:
    """``books.txt`` of a path to it, ``local:mine`` of an encoder in a folder."""
    head, colon, rest = value.rpartition(":")
    return head + colon + Path(rest).name if "/" in rest else value
