"""Baselines of coreference that need no encoder: string, head, distance, agreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .aspects import Located
from .mention_features import agree, pair_of
from .mention_kinds import PRONOUN
from .mention_strata import words_between

Bools = NDArray[np.bool_]


def guesses_of_pairs(train: Sequence[Located], test: Sequence[Located]) -> Mapping[str, list[str]]:
    """A yes for each test pair with

    - ``same string``: the same words, case aside;
    - ``same head``: the same head word, case aside (``MentionKinds.head``);
    - ``distance``: at most so many words between them as gives the best F1 on the training pairs;
    - ``string, agreement and distance``: the same string, or a pronoun among them, no person,
      number or gender in which they differ as far as it is known, and at most so many words
      between them as gives the whole rule its best F1 on the training pairs.

    Of distances with equal F1 the least is taken.
    """
    known, asked = _Pairs.of(train), _Pairs.of(test)
    never, always = np.zeros(len(train), dtype=bool), np.ones(len(train), dtype=bool)
    near = asked.words <= best_limit(known.words, always, never, known.yes)
    resolved = asked.words <= best_limit(known.words, known.pronoun, known.string, known.yes)
    called = {
        "same string": asked.string,
        "same head": asked.head,
        "distance": near,
        "string, agreement and distance": asked.string | (asked.pronoun & resolved),
    }
    return {name: np.where(rows, "yes", "no").tolist() for name, rows in called.items()}


def best_limit(words: NDArray[np.int64], eligible: Bools, already: Bools, yes: Bools) -> int:
    """The distance up to which the eligible pairs are called yes, beside those that already are,
    for the best F1; -1 to call none of them. All of shape (pairs,)."""
    asked = np.flatnonzero(eligible & ~already)
    asked = asked[np.argsort(words[asked], kind="stable")]
    distances = words[asked]
    last = np.append(np.flatnonzero(np.diff(distances)), [len(asked) - 1] if len(asked) else [])
    last = last.astype(np.int64)
    right = (already & yes).sum() + np.append(0, np.cumsum(yes[asked])[last])
    called = already.sum() + np.append(0, last + 1)
    f1 = 2 * right / np.maximum(called + yes.sum(), 1)
    return int(np.append(-1, distances[last])[np.argmax(f1)])


@dataclass(frozen=True)
class _Pairs:
    """What the baselines look at, each of shape (pairs,). ``pronoun``: one that agrees."""

    words: NDArray[np.int64]
    string: Bools
    head: Bools
    pronoun: Bools
    yes: Bools

    @classmethod
    def of(cls, located: Sequence[Located]) -> _Pairs:
        rows: list[Any] = []
        for document, target in located:
            a, b = pair_of(document, target)
            pronoun = PRONOUN in (a.kind, b.kind) and agree(a.agreement, b.agreement)
            words = words_between(a.span, b.span)
            rows.append(
                (words, a.string == b.string, a.head == b.head, pronoun, target.label == "yes")
            )
        table = np.array(rows, dtype=np.int64).reshape(len(rows), 5)
        return cls(table[:, 0], *(table[:, column].astype(bool) for column in range(1, 5)))
