"""Copular predicates: what something is, is like, is compared with, and where it is."""

from __future__ import annotations

from collections.abc import Callable

from . import modifiers
from .discourse import Discourse, Entity
from .events import Event, Events, Slot
from .noun_phrases import NounPhrases, coordinate, prepositional
from .nouns import GROUPS, NOUNS
from .sampler import Sampler
from .trees import Node, leaf, phrase
from .words import adjective, adverb, determiner, noun, pronoun


class Predicates:
    """Chooses and builds what follows a form of "be"."""

    def __init__(
        self, sampler: Sampler, discourse: Discourse, phrases: NounPhrases, events: Events,
        infinitive: Callable[[Entity], Node],
    ) -> None:  # fmt: skip
        self._sampler = sampler
        self._discourse = discourse
        self._phrases = phrases
        self._events = events
        self._infinitive = infinitive

    def state(self, subject: Entity) -> Event:
        """A copular event: how, what or where something is."""
        draw = self._sampler
        person = subject.kind == "person"
        kind = draw.weighted([
            ("adjective", 3.0), ("place", 1.2), ("compare", 2.0),
            ("noun", 1.2 if subject.is_person else 0),
            ("own", 2.2 if subject.kind in GROUPS["small"] else 0),
            ("as", 0.6 if person else 0), ("sup", 0.9 if subject.is_person else 0),
        ])  # fmt: skip
        if subject.kind == "place" and kind == "place":
            kind = "adjective"
        people = [e for e in self._discourse.people() if not e.overlaps(subject)]
        living = subject.kind in ("person", "animal")
        if kind == "own" and people:
            clear = [e for e in people if self._discourse.pronoun_fits(e)]
            owner = draw.pick_early(clear or people)
            return Event(subject, "be", predicate=lambda: self._owned_by(owner), timeless=True)
        if kind == "noun":
            return Event(
                subject, "be", predicate=lambda: self._role_predicate(subject, False), timeless=True
            )
        if kind == "sup":
            return Event(
                subject, "be", predicate=lambda: self._role_predicate(subject, True), timeless=True
            )
        if kind == "place":
            slot = self._events.place_slot()
            return Event(subject, "be", predicate=lambda: self._place_predicate(slot))
        if kind in ("compare", "as") and people and living:
            other = draw.pick_early(people)
            return Event(
                subject, "be", predicate=lambda: self._comparison(subject, other, kind == "as"),
                timeless=True,
            )  # fmt: skip
        if living:
            return Event(subject, "be", predicate=self.mood)
        return Event(subject, "be", predicate=lambda: self._quality(subject), timeless=True)

    def mood(self) -> Node:
        """How someone is, as an adjective phrase."""
        draw = self._sampler
        word = draw.pick(modifiers.ADJECTIVES["mood"])
        degree = draw.pick(modifiers.DEGREE_ADVERBS) if draw.chance(0.35) else ""
        modifier = leaf(adverb(degree), "advmod") if degree else None
        if word in ("alone",):
            modifier = None
        node = phrase("ADJP", modifier, adjective(word))
        if draw.chance(0.15):
            other = draw.pick([w for w in modifiers.ADJECTIVES["mood"] if w != word])
            return coordinate("ADJP", [node, phrase("ADJP", adjective(other))], "and")
        if word in ("ready", "glad", "sorry", "afraid", "happy") and draw.chance(0.4):
            people = self._discourse.people()
            if people:
                node.children.append(self._infinitive(people[0]).as_("xcomp"))
        return node

    def _quality(self, subject: Entity) -> Node:
        kind = subject.kind if subject.kind in modifiers.ADJECTIVES else "thing"
        options = [w for w in modifiers.ADJECTIVES[kind] if w not in (subject.adjective, "lost")]
        word = self._sampler.pick(options)
        degree = self._sampler.pick(modifiers.DEGREE_ADVERBS)
        modifier = leaf(adverb(degree), "advmod") if self._sampler.chance(0.4) else None
        return phrase("ADJP", modifier, adjective(word))

    def _role_predicate(self, subject: Entity, superlative: bool) -> Node:
        """A predicate noun; it describes and so is no mention of its own."""
        draw = self._sampler
        role = subject.nouns[0]
        told = "role" in subject.told
        if role in ("man", "woman", "boy", "girl") or subject.owner is not None:
            role = draw.pick(NOUNS["role"]).lemma
        else:
            subject.tell("role")
        if superlative:
            best = adjective(draw.pick(modifiers.ADJECTIVES["person"]), "Sup").as_("amod")
            base = phrase("NP", leaf(determiner("the"), "det"), best, leaf(noun(role, "Sing")))
            place = self._phrases.some_place()
            where = self._phrases.mention(place, "obl")
            return phrase("NP", base, prepositional(place.preposition, where, "nmod"))
        word = draw.pick(modifiers.ADJECTIVES["person"] + ["good", "bad", "good"])
        plain = not told and draw.chance(0.4)
        modifier = None if plain else adjective(word).as_("amod")
        return phrase("NP", leaf(determiner("a"), "det"), modifier, leaf(noun(role, "Sing")))

    def _owned_by(self, owner: Entity) -> Node:
        if self._discourse.is_speech_person(owner) or self._discourse.pronoun_fits(owner):
            word = pronoun(self._discourse.agreement(owner), "Own")
            self._discourse.note(owner, "poss", by_pronoun=True)
            return phrase("NP", leaf(word)).mentioning(owner.ident)
        return prepositional("for", self._phrases.mention(owner, "obl"), "head")

    def _place_predicate(self, slot: Slot) -> Node:
        assert slot.entity is not None
        return prepositional(slot.preposition, self._phrases.mention(slot.entity, "obl"), "head")

    def _comparison(self, subject: Entity, other: Entity, equal: bool) -> Node:
        words = modifiers.ADJECTIVES["person"]
        if subject.kind == "animal":
            words = ["old", "small", "big", "hungry", "quick", "fat", "clever", "lazy", "gentle"]
        word = self._sampler.pick(words)
        if equal:
            left = [leaf(adverb("as"), "advmod"), adjective(word)]
        else:
            left = [adjective(word, "Cmp")]
        standard = self._phrases.mention(other, "obl", subject)
        than = prepositional("as" if equal else "than", standard, "obl")
        return phrase("ADJP", *left, than)
