"""Agreement: the number of a verb's subject or object, as known at the verb."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.types import Span, Target
from .base import NO_HEAD, AnnotatedDocument, Word
from .clauses import Clauses, relation
from .plain_task import PlainTask

_VERBS = frozenset({"AUX", "VERB"})
_NOUNS = frozenset({"NOUN", "PROPN"})
_DISTANCES = ((1, "1"), (3, "2-3"), (7, "4-7"))


class SubjectNumber(PlainTask):
    """The Number of a verb's subject, probed at the verb.

    The verb's own form may show it (*goes*); where that is all, layer 0 and the majority label of
    the word's type, which stand beside each result, have it as well. Other forms (*went*, *going*)
    show nothing, and what is decodable there has come from the subject.
    """

    description = "number of a verb's subject, probed at the verb"
    name = "subject-number"
    kind = "nsubj"
    facts: Mapping[str, Any] = {
        "label": "Number of the subject (nsubj), as the treebank has it",
        "targets": "verbs and auxiliaries (UPOS VERB, AUX) that have a subject: the verb's word",
        "left_out": "clauses whose predicate is no verb; verbs with several subjects; coordinated "
        "subjects, whose number their first word does not tell; subjects without Number or with "
        "several values",
    }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a verb, in order."""
        clauses = Clauses(document)
        for verb, word in enumerate(document.words):
            if word.upos in _VERBS:
                number = clauses.number(clauses.argument(verb, self.kind))
                if number is not None:
                    yield Target(document.document.id, Span(verb, verb + 1), None, number)


class ObjectNumber(SubjectNumber):
    """The Number of a verb's object, probed at the verb, whose form shows it in few languages."""

    description = "number of a verb's object, probed at the verb"
    name = "object-number"
    kind = "obj"
    facts: Mapping[str, Any] = {
        "label": "Number of the object (obj), as the treebank has it",
        "targets": "verbs and auxiliaries (UPOS VERB, AUX) that have an object: the verb's word",
        "left_out": "verbs with several objects; coordinated objects, whose number their first "
        "word does not tell; objects without Number or with several values",
    }


class Agreement(PlainTask):
    """The Number of a noun that is subject, probed at the finite verb that agrees with it.

    As the number prediction of Linzen et al. 2016 (TACL 4, section 4), by a probe and not from the
    words before the verb alone: an encoder has read the verb. So the strata tell apart verbs whose
    form shows the number, where the answer lies in the word itself, from those whose form does not
    (English past tense but for *was* and *were*, modals). With one vector for all verbs of a form,
    a probe scores on the latter what the form's majority label scores. Attractors matter there.
    """

    description = "number of a noun subject, probed at its finite verb; by attractors"
    name = "agreement"
    facts: Mapping[str, Any] = {
        "label": "Number of the subject (nsubj), a common or proper noun",
        "targets": "the finite verb of the clause, which is the predicate itself, or its auxiliary "
        "or copula (VerbForm=Fin, or where none has that, Mood or Tense and no VerbForm)",
        "left_out": "pronouns as subjects; clauses without a finite verb, with several subjects, "
        "or with a coordinated one; subjects without Number or with several values",
        "attractor": "a noun or proper noun between subject and verb whose Number is another one",
        "form": "hidden: the verb has no Number, or is an English past tense (XPOS VBD) and not "
        "of be, where the treebank has copied it from the subject; else shown",
    }

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        """One target a finite verb, in order."""
        clauses = Clauses(document)
        for verb in range(len(document.words)):
            number = clauses.number(_subject(clauses, verb))
            if number is not None:
                yield Target(document.document.id, Span(verb, verb + 1), None, number)

    def strata(self, document: AnnotatedDocument, target: Target) -> Mapping[str, str]:
        """``form`` shown or hidden, ``attractor`` yes or no, ``distance`` from subject to verb in
        words; ``hidden`` tells apart, of the hidden forms alone, those with an attractor."""
        verb = target.span1.start
        subject = _subject(Clauses(document, _sentence(document, verb)), verb)
        assert subject is not None
        attractor = any(
            word.upos in _NOUNS and word.feats.get("Number") not in (None, target.label)
            for word in document.words[min(subject, verb) + 1 : max(subject, verb)]
        )
        distance = abs(subject - verb)
        shown = _shows(document.words[verb])
        return {
            "form": "shown" if shown else "hidden",
            "attractor": "yes" if attractor else "no",
            "distance": next((name for most, name in _DISTANCES if distance <= most), ">=8"),
            **({} if shown else {"hidden": "attractor" if attractor else "no attractor"}),
        }


def _subject(clauses: Clauses, verb: int) -> int | None:
    """The noun that is subject of the clause whose finite verb this is, if there is one."""
    word = clauses.words[verb]
    predicate = word.head if relation(word) in ("aux", "cop") else verb
    if predicate == NO_HEAD or clauses.finite(predicate) != verb:
        return None
    subject = clauses.argument(predicate, "nsubj")
    return subject if subject is not None and clauses.words[subject].upos in _NOUNS else None


def _sentence(document: AnnotatedDocument, word: int) -> Span:
    starts = document.document.sentence_starts
    place = bisect_right(starts, word)
    return Span(starts[place - 1], starts[place])


def _shows(verb: Word) -> bool:
    return "Number" in verb.feats and (verb.xpos != "VBD" or verb.lemma == "be")
