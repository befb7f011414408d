"""Phrases that mention nothing: adverbs, particles, roles ("as a nurse") and times."""

from __future__ import annotations

from .events import Slot
from .noun_phrases import prepositional
from .trees import Node, leaf, phrase
from .words import adjective, adverb, determiner, noun, particle, preposition, simple


def fixed_slot(slot: Slot) -> Node:
    """A slot without an entity: adverb, particle, role or time."""
    text = slot.preposition
    if slot.relation == "compound:prt":
        if text in ("away", "back"):
            return phrase("ADVP", leaf(adverb(text))).as_("advmod")
        return particle(text)
    if slot.relation == "adverb":
        if text == "home":
            return phrase("ADVP", leaf(simple("home", "ADV", "RB", "Degree=Pos"))).as_("advmod")
        return phrase("ADVP", leaf(adverb(text))).as_("advmod")
    if slot.relation == "comparative":
        return phrase("ADVP", leaf(adverb(text, "Cmp"))).as_("advmod")
    if slot.relation == "role":
        form, _, role = text.partition(" ")
        inner = phrase("NP", leaf(determiner("a"), "det"), leaf(noun(role, "Sing")))
        return prepositional(form, inner, "obl")
    return _time(text)


def _time(text: str) -> Node:
    """A phrase of time written as preposition/modifier/noun; it is no mention."""
    form, modifier, head = text.split("/")
    first: list[Node] = []
    for word in modifier.split():
        if word in ("last", "next"):
            first.append(adjective(word).as_("amod"))
        elif word == "one":
            first.append(leaf(simple("one", "NUM", "CD", "NumForm=Word|NumType=Card"), "nummod"))
        else:
            first.append(leaf(determiner(word), "det"))
    number = "Plur" if head == "days" else "Sing"
    word_node = leaf(noun("day" if head == "days" else head, number))
    if head[0].isupper():
        word_node = leaf(simple(head, "PROPN", "NNP", "Number=Sing"))
    if form:
        return phrase("PP", leaf(preposition(form), "case"), phrase("NP", *first, word_node)).as_(
            "obl"
        )
    return phrase("NP-TMP", *first, word_node).as_("obl:unmarked")
