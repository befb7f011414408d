"""Sentence tasks of the main clause: its tense, and the number of its subject and object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .base import AnnotatedDocument
from .clauses import Clauses
from .sentence_spans import sentence_spans
from .sentences import FIRST_WORD, SentenceTask


class SentenceTense(SentenceTask):
    """The tense of the main verb (Tense of Conneau et al. 2018, section 2)."""

    description = "tense of the sentence's main verb"
    name = "sentence-tense"
    facts: Mapping[str, Any] = {
        "label": "Tense of the root, or of its finite auxiliary or copula (has gone: Pres)",
        "targets": "sentences whose main verb has a Tense: the first of root, auxiliaries and "
        "copula that is finite (VerbForm=Fin, or where none is, Mood or Tense and no VerbForm)",
        "left_out": "sentences without a finite main verb or without its Tense (modals, nominal "
        "sentences), and those without exactly one root",
        "control": FIRST_WORD,
    }

    def labels(self, document: AnnotatedDocument) -> Iterator[str | None]:
        """The tense of each sentence."""
        clauses = Clauses(document)
        for sentence in sentence_spans(document):
            root = clauses.root(sentence)
            verb = None if root is None else clauses.finite(root)
            yield None if verb is None else clauses.words[verb].feats.get("Tense")


class SentenceSubjectNumber(SentenceTask):
    """The number of the main clause's subject (SubjNum of Conneau et al. 2018, section 2)."""

    description = "number of the subject of the sentence's main clause"
    name = "sentence-subject-number"
    kind = "nsubj"
    facts: Mapping[str, Any] = {
        "label": "Number of the root's subject (nsubj), as the treebank has it",
        "targets": "sentences whose root has such a subject",
        "left_out": "sentences without one root, without or with several subjects, with a "
        "coordinated one, or one without Number or with several values",
        "control": FIRST_WORD,
    }

    def labels(self, document: AnnotatedDocument) -> Iterator[str | None]:
        """The number in each sentence."""
        clauses = Clauses(document)
        for sentence in sentence_spans(document):
            root = clauses.root(sentence)
            yield None if root is None else clauses.number(clauses.argument(root, self.kind))


class SentenceObjectNumber(SentenceSubjectNumber):
    """The number of the main clause's object (ObjNum of Conneau et al. 2018, section 2)."""

    description = "number of the object of the sentence's main clause"
    name = "sentence-object-number"
    kind = "obj"
    facts: Mapping[str, Any] = {
        "label": "Number of the root's object (obj), as the treebank has it",
        "targets": "sentences whose root has such an object",
        "left_out": "sentences without one root, without or with several objects, with a "
        "coordinated one, or one without Number or with several values",
        "control": FIRST_WORD,
    }
