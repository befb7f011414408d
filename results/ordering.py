"""The order in which people read names: layer10 after layer9, well-known baselines first."""

from __future__ import annotations

import re

_FIRST_BASELINES = ("majority", "per-type majority")


def natural(text: str) -> list[tuple[int, int, str]]:
    """A sort key by which layer10 comes after layer9."""
    return [
        (0, len(part), part) if part[:1].isdigit() else (1, 0, part)
        for part in re.split(r"([0-9]+)", text)
    ]


def by_place(place: tuple[str, str, int]) -> tuple[object, ...]:
    """A sort key for an encoder, its variant and a layer."""
    return natural(place[0]), natural(place[1]), place[2]


def by_baseline(name: str) -> tuple[int, str]:
    """A sort key for baselines' names."""
    known = name in _FIRST_BASELINES
    return (_FIRST_BASELINES.index(name) if known else len(_FIRST_BASELINES), name)
