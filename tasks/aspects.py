"""What a task may tell beside its targets. Whatever it does not tell has a default.

Each is a protocol of one method: a task that has the method offers it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from ..core.types import Target
from .base import AnnotatedDocument, Corpus


class Located(NamedTuple):
    """A target and its document."""

    document: AnnotatedDocument
    target: Target


@runtime_checkable
class TaskGroup(Protocol):
    """A name that stands for several tasks, ``morph`` for one task a feature."""

    def members(self, corpus: Corpus) -> Sequence[str]:
        """The full names of those that the corpus can serve. Raises DataError if there is none."""
        ...


@runtime_checkable
class Rewriting(Protocol):
    """A task that is posed on other text than the corpus's own: shifted, shortened, set apart."""

    def rewritten(self, document: AnnotatedDocument) -> Iterable[AnnotatedDocument]:
        """The documents, in order, that take the document's place in its split, with ids that
        no other document's rewriting gives. The same for every encoder, always."""
        ...


@runtime_checkable
class Ranking(Protocol):
    """A task of yes and no in which, of the candidates of a choice, the most probable is taken.

    Its probe is fitted on ``targets``, a sample; on the test split all candidates are ranked, and
    ``choice_accuracy`` is the share of choices whose highest candidate is right. A choice none of
    whose candidates is right stays, and is lost.
    """

    def candidates(self, document: AnnotatedDocument) -> Iterable[Sequence[Target]]:
        """For each choice its candidates, labelled yes (``positive``) or no; never empty."""
        ...


@runtime_checkable
class Stratified(Protocol):
    """A task whose scores are told apart by kinds of target."""

    def strata(self, document: AnnotatedDocument, target: Target) -> Mapping[str, str]:
        """The kind of the target in each dimension: ``{"string": "same", "distance": "10-49"}``.

        Of a choice, the kinds of its first right candidate count, or of its first one.
        """
        ...


@runtime_checkable
class Guessing(Protocol):
    """A task with baselines of its own that need no encoder."""

    def guesses(
        self, train: Sequence[Located], test: Sequence[Located]
    ) -> Mapping[str, Sequence[str]]:
        """By the baseline's name, the label it gives to each test target.

        Of a choice, several candidates that are called ``positive`` share its credit.
        """
        ...


@runtime_checkable
class Controlled(Protocol):
    """A task that says by what its control tasks label a target: else, by the words of span1."""

    def control_key(self, document: AnnotatedDocument, target: Target) -> tuple[str, ...]:
        """One key: a random label for each key, drawn as the labels of train are distributed.

        Two keys, for a task of yes and no: each key gets a random class, and a target is yes where
        both have the same, so that the control is an equivalence as coreference is one.
        """
        ...


@runtime_checkable
class NaturalPrior(Protocol):
    """A task on a balanced sample that is also scored at the prior of running text."""

    def natural(self, document: AnnotatedDocument) -> Iterable[Target]:
        """All targets that there are in the document, or a uniform sample of them."""
        ...


@runtime_checkable
class Biased(Protocol):
    """A task whose scores on two kinds of target tell a bias."""

    def bias(self, scores: Mapping[str, float]) -> Mapping[str, float]:
        """Figures of bias, from the scores and those of the strata; none where one is missing."""
        ...
