"""Clauses in dependency trees: who depends on whom, subjects and objects, the finite verb."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ..core.types import Span
from .base import NO_HEAD, AnnotatedDocument, Word

_OUTER = "nsubj:outer"
"""The subject of a clause whose predicate is a clause itself belongs to no verb."""


def relation(word: Word) -> str:
    """The universal relation of a word to its head, without its subtype."""
    return word.deprel.partition(":")[0]


class Clauses:
    """The dependency trees of a document, or of the sentences in a span of it.

    Words are positions over the document.
    """

    def __init__(self, document: AnnotatedDocument, span: Span | None = None) -> None:
        self.words = document.words
        self._dependents: defaultdict[int, list[int]] = defaultdict(list)
        for position in range(*(span or (0, len(self.words)))):
            if self.words[position].head != NO_HEAD:
                self._dependents[self.words[position].head].append(position)

    def root(self, sentence: Span) -> int | None:
        """The sentence's only root, or None where it has no tree."""
        roots = [w for w in range(*sentence) if self.words[w].head == NO_HEAD]
        # Where a lone word has no relation either, the data tells nothing of it.
        annotated = sentence.end - sentence.start > 1 or self.words[sentence.start].deprel
        return roots[0] if len(roots) == 1 and annotated else None

    def depths(self, sentence: Span) -> list[int]:
        """How many arcs each word of the sentence is below the root; empty without a tree."""
        root = self.root(sentence)
        if root is None:
            return []
        depth = {root: 0}
        waiting = [root]
        for word in waiting:
            for below in self._dependents[word]:
                depth[below] = depth[word] + 1
                waiting.append(below)
        return [depth[word] for word in range(*sentence)]

    def dependents(self, head: int, relations: Iterable[str]) -> list[int]:
        """The dependents that have one of these universal relations to the head, in order."""
        wanted = frozenset(relations)
        return [
            word
            for word in self._dependents[head]
            if relation(self.words[word]) in wanted and self.words[word].deprel != _OUTER
        ]

    def subtree(self, head: int) -> list[int]:
        """The head and all words below it, in order."""
        found = [head]
        for word in found:
            found += self._dependents[word]
        return sorted(found)

    def argument(self, head: int, kind: str) -> int | None:
        """The one subject (``nsubj``) or object (``obj``) of the head.

        None where there are several, or where it is coordinated: *Ann and Bob* is not the
        singular that its first word is.
        """
        found = self.dependents(head, (kind,))
        alone = len(found) == 1 and not self.dependents(found[0], ("conj",))
        return found[0] if alone else None

    def number(self, word: int | None) -> str | None:
        """The word's Number if it is told and not several at once."""
        value = None if word is None else self.words[word].feats.get("Number")
        return None if value is None or "," in value else value

    def finite(self, head: int) -> int | None:
        """The finite verb of the clause of a predicate: the first of itself, its auxiliaries and
        its copula with VerbForm=Fin, or where none has it, with a Mood or Tense but no VerbForm
        (Turkish treebanks mark only what is not finite)."""
        chain = [head, *self.dependents(head, ("aux", "cop"))]
        marked = [word for word in chain if self.words[word].feats.get("VerbForm") == "Fin"]
        return next(iter(marked or filter(self._may_be_finite, chain)), None)

    def _may_be_finite(self, word: int) -> bool:
        feats = self.words[word].feats
        return "VerbForm" not in feats and ("Mood" in feats or "Tense" in feats)
