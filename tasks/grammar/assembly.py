"""The assembly of sentences: final marks, quotation marks, capitals, superfluous commas."""

from __future__ import annotations

import itertools
from dataclasses import replace

from .trees import Node, Word, leaf, leaves, phrase
from .words import punctuation, quote_close, quote_open


def under_root(core: Node, *after: Node) -> Node:
    """A sentence under ROOT, with what follows its core."""
    core.children.extend(after)
    core.relation = "head"
    return phrase("ROOT", core)


def full_stop(clause: Node) -> Node:
    """A finished sentence with a full stop."""
    return finished(clause, ".")


def finished(clause: Node, mark: str) -> Node:
    """A finished sentence with the mark that ends it."""
    return under_root(phrase(clause.label, *clause.children, leaf(punctuation(mark), "punct")))


def fronted(front: Node, pause: Node | None, clause: Node) -> Node:
    """A clause with something put before its subject."""
    first = [front] if pause is None else [front, pause]
    return phrase(clause.label, *first, *clause.children)


def in_quotes(said: Node, mark: str, capital: bool) -> Node:
    """Quoted speech as the complement of a verb of saying."""
    if capital:
        capitalise(said)
    return phrase(
        "S", leaf(quote_open(), "punct"), said.as_("head"), leaf(punctuation(mark), "punct"),
        leaf(quote_close(), "punct"),
    ).as_("ccomp")  # fmt: skip


def capitalise(node: Node) -> None:
    """Give the first word that has letters a capital."""
    for item in leaves(node):
        word = item.word
        if word is not None and word.form[0].isalpha():
            item.word = replace(word, form=word.form[0].upper() + word.form[1:])
            return


def verb_phrase_of(clause: Node) -> Node:
    """The verb phrase of a statement."""
    return next(child for child in clause.children if child.relation == "head")


def is_passive(clause: Node) -> bool:
    """Whether a statement is passive."""
    return any(child.relation == "nsubj:pass" for child in clause.children)


def length(node: Node) -> int:
    """The number of words."""
    return sum(1 for _ in leaves(node))


def drop_doubled_punctuation(root: Node) -> None:
    """Remove a comma right before another mark, as after an apposition at the end."""
    items = list(leaves(root))
    for item, following in itertools.pairwise(items):
        before: Word | None = item.word
        after: Word | None = following.word
        if before is not None and after is not None and before.form == ",":
            if (after.upos == "PUNCT" and after.form != '"') or after.xpos == "POS":
                _remove(root, item)


def _remove(node: Node, target: Node) -> None:
    node.children = [child for child in node.children if child is not target]
    for child in node.children:
        _remove(child, target)
