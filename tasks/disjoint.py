"""Targets of which no word, or no lemma, is shared by two splits."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ..core.errors import DataError, UsageError, did_you_mean
from .aspects import Located
from .base import Corpus

KEYS = ("type", "lemma")
"""What can be kept apart: word forms, or lemmas."""

_SPLITS = ("test", "dev", *["train"] * 8)


class Disjoint(NamedTuple):
    """The targets that are kept, by split, and what a record must say of those that are not."""

    kept: Mapping[str, tuple[Located, ...]]
    facts: Mapping[str, Any]


def disjoint(corpus: Corpus, targets: Mapping[str, Sequence[Located]], by: str) -> Disjoint:
    """Keep the targets whose key belongs to the split that they are in.

    The key is that of the words of span1, in lower case: their forms (``type``) or their lemmas
    (``lemma``); its sha256 tells to which of train, dev and test it belongs, 80/10/10, whatever
    the corpus. Documents stay where they are, so that two splits share neither a document nor a
    key. ``facts`` count, of each split, the targets that are ``dropped`` since their key belongs
    to another one, and those ``without_lemma``, which are dropped, too.

    Raises UsageError for another kind of key; DataError where no target has a lemma, and where
    nothing is left of a split.
    """
    if by not in KEYS:
        raise UsageError(f"not a key: {by!r}", where="--disjoint", cure=did_you_mean(by, KEYS))
    where = f"--disjoint {by} --data {corpus.name}"
    of_target = _forms if by == "type" else _lemmas
    kept: dict[str, tuple[Located, ...]] = {}
    dropped: dict[str, int] = {}
    keyless: dict[str, int] = {}
    for split, located in targets.items():
        keys = [of_target(each) for each in located]
        keyless[split] = keys.count(None)
        kept[split] = tuple(
            each
            for each, key in zip(located, keys, strict=True)
            if key is not None and split_of_key(key) == split
        )
        dropped[split] = len(located) - len(kept[split]) - keyless[split]
    total = sum(map(len, targets.values()))
    if total and sum(keyless.values()) == total:
        raise DataError(
            "the data has no lemmas at its targets",
            where=where,
            cure="keep word forms apart instead (--disjoint type)",
        )
    empty = [split for split in targets if not kept[split]]
    if empty:
        raise DataError(
            f"nothing is left of {' and '.join(empty)}: about one target in ten would be kept "
            "of dev and of test",
            where=where,
            cure="take more data, or leave the words shared",
        )
    facts: dict[str, Any] = {
        "rule": f"a target is kept if the {'form' if by == 'type' else 'lemma'} of span1, in lower "
        "case, belongs to its split by its sha256, 80/10/10",
        "kept": {split: len(each) for split, each in kept.items()},
        "dropped": dropped,
    }
    if by == "lemma":
        facts["without_lemma"] = keyless
    return Disjoint(kept, facts)


@lru_cache(maxsize=1 << 16)
def split_of_key(key: str) -> str:
    """The split that a key belongs to, the same in every corpus."""
    return _SPLITS[int(hashlib.sha256(key.encode("utf-8")).hexdigest(), 16) % len(_SPLITS)]


def _forms(located: Located) -> str:
    return " ".join(located.document.document.words[slice(*located.target.span1)]).lower()


def _lemmas(located: Located) -> str | None:
    lemmas = [word.lemma for word in located.document.words[slice(*located.target.span1)]]
    return " ".join(lemmas).lower() if all(lemmas) else None
