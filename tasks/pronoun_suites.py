"""Test suites of ambiguous pronouns: GAP, WinoBias, Winogender. Which candidate is meant?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..core.errors import DataError
from ..core.types import Span, Target
from .aspects import Located
from .base import AnnotatedDocument, Edge
from .choice_bias import gender_bias, stereotype_gap
from .mention_strata import words_between
from .plain_task import PlainTask

_LABELS = (("yes",), ("no",))


class _PronounPairs(PlainTask):
    """A pronoun (span1) with each of its candidates (span2), as the data states them.

    ``told_by`` is the attribute by which the documents of the suite are known.
    """

    positive = "yes"
    told_by: str
    dimensions: tuple[str, ...]

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """All pairs, in the order of the data. Raises DataError for one that is no yes or no."""
        if self.told_by in document.attributes:
            for edge in document.edges:
                if edge.task == "choice":
                    yield _target(document, edge)

    def strata(self, document: AnnotatedDocument, target: Target) -> Mapping[str, str]:
        """What the data says of the document."""
        return {name: document.attributes.get(name, "") for name in self.dimensions}

    def guesses(
        self, train: Sequence[Located], test: Sequence[Located]
    ) -> Mapping[str, Sequence[str]]:
        """The candidate with the fewest words between it and the pronoun (of two, the first), and
        the candidate that comes first in the text."""
        choices: dict[tuple[int, Span], list[int]] = {}
        for row, (document, target) in enumerate(test):
            choices.setdefault((id(document), target.span1), []).append(row)
        spans = [_candidate(target) for _, target in test]
        closest, first = set(), set()
        for (_, pronoun), rows in choices.items():
            apart = {row: words_between(pronoun, spans[row]) for row in rows}
            closest.add(min(rows, key=lambda row: (apart[row], spans[row])))
            first.add(min(rows, key=lambda row: spans[row]))
        return {
            name: ["yes" if row in chosen else "no" for row in range(len(test))]
            for name, chosen in (("closest candidate", closest), ("first candidate", first))
        }

    def control_key(self, document: AnnotatedDocument, target: Target) -> tuple[str, ...]:
        """The words of pronoun and candidate, case aside."""
        words = document.document.words
        return (
            " ".join(words[slice(*target.span1)]).lower(),
            " ".join(words[slice(*_candidate(target))]).lower(),
        )


class _PronounChoices(_PronounPairs):
    """Of the candidates of a pronoun the most probable is chosen."""

    metric = "choice_accuracy"

    def candidates(self, document: AnnotatedDocument) -> Iterator[Sequence[Target]]:
        """For each pronoun with two candidates or more its pairs with them."""
        choices: dict[Span, list[Target]] = {}
        for target in self.targets(document):
            choices.setdefault(target.span1, []).append(target)
        yield from (choice for choice in choices.values() if len(choice) > 1)


class Gap(_PronounPairs):
    """A pronoun and a name: is it meant? F1 of the pairs is the score of GAP.

    A pronoun has two names, of which at most one is meant; each pair is decided by itself.

    Source: Webster et al. 2018 (TACL), Mind the GAP.
    """

    description = "is this name meant by the pronoun? (GAP; F1 by gender)"
    name = "gap"
    metric = "f1"
    told_by = "url"
    dimensions = ("gender",)
    facts: Mapping[str, Any] = {
        "label": "yes: the pronoun (span1) means the name (span2); no: it does not",
        "targets": "each pronoun with both of its names; neither may be right",
        "left_out": "nothing",
        "control": "by the words of pronoun and name, case aside",
    }

    @staticmethod
    def bias(scores: Mapping[str, float]) -> dict[str, float]:
        """The ratio of F1 on feminine and on masculine pronouns: ``gender_bias``."""
        return gender_bias(scores)


class WinoBias(_PronounChoices):
    """Which of two occupations a pronoun means, with and against the stereotype of its gender.

    The strata ``set`` (``pro_type1``) are the four sets that are published.

    Source: Zhao et al. 2018 (NAACL), Gender Bias in Coreference Resolution.
    """

    description = "which occupation does the pronoun mean? (WinoBias; with, against stereotype)"
    name = "winobias"
    told_by = "stereotype"
    dimensions = ("stereotype", "type", "gender")
    facts: Mapping[str, Any] = {
        "label": "yes: the pronoun (span1) means the occupation (span2); no: it does not",
        "choices": "for each pronoun the two occupations of its sentence; one is right",
        "targets": "for training, all those pairs",
        "left_out": "from the choices, pronouns of which the data tells one occupation only",
        "control": "by the words of pronoun and occupation, case aside",
    }

    def strata(self, document: AnnotatedDocument, target: Target) -> Mapping[str, str]:
        """``stereotype`` (pro, anti), ``type``, ``gender`` of the pronoun, and ``set``."""
        found = super().strata(document, target)
        return {**found, "set": f"{found['stereotype']}_type{found['type']}"}

    @staticmethod
    def bias(scores: Mapping[str, float]) -> dict[str, float]:
        """The difference of pro- and anti-stereotypical accuracy: ``stereotype_gap``."""
        return stereotype_gap(scores)


class Winogender(_PronounChoices):
    """Which of an occupation and a participant a pronoun means, in each gender of the pronoun.

    Source: Rudinger et al. 2018 (NAACL), Gender Bias in Coreference Resolution.
    """

    description = "occupation or participant, which does the pronoun mean? (Winogender)"
    name = "winogender"
    told_by = "occupation"
    dimensions = ("gender", "answer")
    facts: Mapping[str, Any] = {
        "label": "yes: the pronoun (span1) means the candidate (span2); no: it does not",
        "choices": "for each pronoun the occupation and the participant; one is right",
        "targets": "for training, all those pairs",
        "left_out": "from the choices, pronouns of which the data tells one candidate only",
        "control": "by the words of pronoun and candidate, case aside",
    }


def _target(document: AnnotatedDocument, edge: Edge) -> Target:
    if edge.span2 is None or edge.labels not in _LABELS:
        raise DataError(
            f"a choice without a candidate or that is no yes or no: {', '.join(edge.labels)!r}",
            where=document.document.id,
            cure="give each candidate of a pronoun one label, yes or no",
        )
    return Target(document.document.id, edge.span1, edge.span2, edge.labels[0])


def _candidate(target: Target) -> Span:
    assert target.span2 is not None
    return target.span2
