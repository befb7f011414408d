"""Names to things: every encoder, task and probe is an entry point, ours and others' alike.

A name on the command line is ``NAME`` or ``NAME:ARGUMENT`` (``morph:Number``, ``hf:./folder``);
the entry point is looked up by NAME, and what it points to is called with the argument.
Nothing is imported until it is asked for.
"""

from __future__ import annotations

import warnings
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from .errors import LayerwiseError, UsageError, did_you_mean

KINDS = ("encoder", "architecture", "task", "probe", "space", "strategy", "estimator")


class PluginWarning(UserWarning):
    """A plugin that could not be used; the rest of the suite is unharmed."""


@cache
def _entries(kind: str) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    # Ours first, so that another distribution can never take over a name of ours.
    entries = sorted(
        entry_points(group=_group(kind)), key=lambda e: (not _is_ours(e), e.name, e.value)
    )
    for entry in entries:
        first = found.setdefault(entry.name, entry)
        if first.value != entry.value:
            warnings.warn(
                f"the {kind} {entry.name!r} of {_owner(entry)} is not used: "
                f"{_owner(first)} has one of that name",
                PluginWarning,
                stacklevel=3,
            )
    return found


def _group(kind: str) -> str:
    return f"layerwise.{kind[:-1]}ies" if kind.endswith("y") else f"layerwise.{kind}s"


def _owner(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value


def _is_ours(entry: EntryPoint) -> bool:
    return entry.dist is not None and entry.dist.name == "layerwise"


def names(kind: str) -> list[str]:
    """The names of all installed things of one of the ``KINDS``."""
    return sorted(_entries(kind))


def owner(kind: str, name: str) -> str:
    """The distribution that brings the thing."""
    return _owner(_find(kind, name))


def split_name(name: str) -> tuple[str, str]:
    """``morph:Number`` -> (``morph``, ``Number``); without a colon the argument is empty."""
    head, _, argument = name.partition(":")
    return head, argument


def load(kind: str, name: str) -> Any:
    """What the entry point points to. Raises UsageError for an unknown name or a broken plugin."""
    entry = _find(kind, name)
    try:
        return entry.load()
    except LayerwiseError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"cannot be imported ({type(error).__name__}: {error})",
            where=f"{kind} {name}",
            cure=f"repair or remove the package {_owner(entry)}",
        ) from error


def load_all(kind: str) -> dict[str, Any]:
    """All things of a kind; each broken plugin is named in one warning and left out."""
    loaded = {}
    for name in names(kind):
        try:
            loaded[name] = load(kind, name)
        except LayerwiseError as error:
            warnings.warn(str(error), PluginWarning, stacklevel=2)
    return loaded


def _find(kind: str, name: str) -> EntryPoint:
    entries = _entries(kind)
    if name not in entries:
        raise UsageError(
            f"no such {kind}: {name!r}",
            # What `probe pretrain --encoder` names is an architecture.
            where="--encoder" if kind == "architecture" else f"--{kind}",
            cure=did_you_mean(name, entries),
        )
    return entries[name]
