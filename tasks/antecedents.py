"""Antecedents: of the mentions before an anaphor, which speaks of the same entity?"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..core.errors import UsageError
from ..core.types import Span, Target
from .arcs import drawn, generator_of
from .aspects import Located
from .availability import can_serve
from .base import AnnotatedDocument, Corpus
from .mention_features import features_of, pair_of
from .mention_pairs import MentionPairs
from .mention_strata import same_string, sentences_between
from .once import once_a_document

SEED = 1
"""The seed of the negatives; another seed is another version of the task."""

_REACH, _MOST = 50, 1000
_NEGATIVES = 4
_BOUNDS, _DISTANCES = (1, 5, 20, 50), ("1", "2-5", "6-20", "21-50", ">50")


class _Anaphor(NamedTuple):
    """A mention with coreferent ones before it; positions in ``MentionPairs.spans``."""

    mention: int
    antecedents: set[int]


class AntecedentChoice:
    """Of the nearest mentions before an anaphor, the most probable antecedent is chosen.

    The argument is the number of mentions to choose from, 50 by default (``antecedent:100``).
    It is what a mention-ranking model of coreference decides (Denis and Baldridge 2008, EMNLP),
    with mentions given and without the question whether there is an antecedent at all.
    """

    description = "which of the mentions before it is an antecedent? (antecedent:100: of the last)"
    version = "v1"
    metric = "choice_accuracy"
    positive: str | None = "yes"

    def __init__(self, argument: str = "") -> None:
        plain = argument.isascii() and argument.isdigit() and argument[0] != "0"
        if argument and not (plain and len(argument) < 5 and int(argument) <= _MOST):
            raise UsageError(
                f"not a number of mentions to choose from: {argument!r}",
                where="--task antecedent",
                cure=f"write antecedent, or antecedent:N with N from 1 to {_MOST}",
            )
        self.reach = int(argument or _REACH)
        self.name = f"antecedent:{argument}" if argument else "antecedent"
        self.facts: Mapping[str, Any] = {
            "label": "yes: the two spans share an entity; no: they do not",
            "choices": "for each mention with a coreferent one before it (an anaphor, span2), the "
            f"{self.reach} nearest mentions before it in order of start, then end (span1), the "
            "nearest first; those that overlap the anaphor and all kinds of mentions included",
            "beyond_reach": f"an anaphor without a coreferent one among the {self.reach} nearest "
            "stays and is lost: it is in the stratum reach=beyond",
            "targets": "of each choice, for training, the nearest coreferent mention and "
            f"{_NEGATIVES} of the others that are not coreferent, drawn uniformly without "
            "replacement; fewer where there are no more, none where there is no coreferent one",
            "mentions": "distinct spans; a span of several entities corefers with each",
            "left_out": "mentions that no coreferent one precedes",
            "control": "by the words of both mentions, as for coref",
            "reach": self.reach,
            "ratio": _NEGATIVES,
            "seed": SEED,
        }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """The training pairs of each anaphor within reach, the nearest first."""
        pairs = MentionPairs(document.mentions or ())
        generator = generator_of(f"antecedent.v1 {SEED} {document.document.id}")
        for anaphor in _anaphors(pairs):
            within = self._within(anaphor)
            nearest = max(anaphor.antecedents)
            if nearest in within:
                others = [each for each in within if each not in anaphor.antecedents]
                taken = [nearest, *drawn(others, _NEGATIVES, generator)]
                yield from _targets(document, pairs, anaphor, sorted(taken, reverse=True))

    def candidates(self, document: AnnotatedDocument) -> Iterator[Sequence[Target]]:
        """For each anaphor its pairs with the nearest mentions before it, the nearest first."""
        pairs = MentionPairs(document.mentions or ())
        for anaphor in _anaphors(pairs):
            yield _targets(document, pairs, anaphor, self._within(anaphor))

    def _within(self, anaphor: _Anaphor) -> range:
        return range(anaphor.mention - 1, max(anaphor.mention - self.reach, 0) - 1, -1)

    def strata(self, document: AnnotatedDocument, target: Target) -> Mapping[str, str]:
        """Of the anaphor, the same for all its candidates.

        Its ``kind``; whether an antecedent is within ``reach``; ``mentions`` and ``sentences`` to
        the nearest antecedent, wherever it is; and whether some antecedent within reach has the
        same ``string``, case aside.
        """
        assert target.span2 is not None
        seen = _seen(document)[target.span2]
        return {
            "kind": seen.kind,
            "reach": "within" if seen.nearest <= self.reach else "beyond",
            "mentions": _DISTANCES[bisect_left(_BOUNDS, seen.nearest)],
            "sentences": seen.sentences,
            "string": "same" if seen.nearest_same <= self.reach else "different",
        }

    def guesses(
        self, train: Sequence[Located], test: Sequence[Located]
    ) -> Mapping[str, Sequence[str]]:
        """The closest mention; the first of the candidates; the closest with the anaphor's words,
        case aside, or where there is none the closest."""
        choices: dict[tuple[int, Span | None], list[int]] = {}
        for row, (document, target) in enumerate(test):
            choices.setdefault((id(document), target.span2), []).append(row)
        chosen: dict[str, set[int]] = {}
        for rows in choices.values():
            nearest_first = sorted(rows, key=lambda row: test[row].target.span1, reverse=True)
            same = (row for row in nearest_first if same_string(*pair_of(*test[row])) == "same")
            for name, row in (
                ("closest mention", nearest_first[0]),
                ("first mention", nearest_first[-1]),
                ("closest with the same string", next(same, nearest_first[0])),
            ):
                chosen.setdefault(name, set()).add(row)
        return {
            name: ["yes" if row in rows else "no" for row in range(len(test))]
            for name, rows in chosen.items()
        }

    def control_key(self, document: AnnotatedDocument, target: Target) -> tuple[str, ...]:
        """The words of both mentions, case aside, as for ``coref``."""
        first, second = pair_of(document, target)
        return first.string, second.string

    @staticmethod
    def available(corpus: Corpus) -> list[str]:
        """``["antecedent"]`` if each split has an anaphor and train a negative."""
        return ["antecedent"] if can_serve(AntecedentChoice(), corpus) else []


def _anaphors(pairs: MentionPairs) -> Iterator[_Anaphor]:
    for mention in range(len(pairs.spans)):
        antecedents = pairs.coreferent_before(mention)
        if antecedents:
            yield _Anaphor(mention, antecedents)


def _targets(
    document: AnnotatedDocument, pairs: MentionPairs, anaphor: _Anaphor, others: Iterable[int]
) -> tuple[Target, ...]:
    name, spans = document.document.id, pairs.spans
    return tuple(
        Target(
            name,
            spans[other],
            spans[anaphor.mention],
            "yes" if other in anaphor.antecedents else "no",
        )
        for other in others
    )


class _Seen(NamedTuple):
    """Of an anaphor: mentions back to its nearest antecedent, and to that of the same string."""

    kind: str
    nearest: int
    nearest_same: float
    sentences: str


@once_a_document
def _seen(document: AnnotatedDocument) -> Mapping[Span, _Seen]:
    pairs = MentionPairs(document.mentions or ())
    features = [features_of(document)[span] for span in pairs.spans]
    found = {}
    for mention, antecedents in _anaphors(pairs):
        own, nearest = features[mention], max(antecedents)
        same = [each for each in antecedents if features[each].string == own.string]
        found[own.span] = _Seen(
            own.kind,
            mention - nearest,
            mention - max(same) if same else math.inf,
            sentences_between(features[nearest], own),
        )
    return found
