"""Clauses that modify nouns: relative clauses, participles and infinitives."""

from __future__ import annotations

from collections.abc import Callable

from .cast import Cast
from .clauses import Clauses
from .discourse import Discourse, Entity
from .events import Events
from .noun_phrases import NounPhrases, prepositional
from .sampler import Sampler
from .trees import Node, leaf, phrase
from .verb_groups import Verbal, fit, verb_chain, verb_phrase
from .words import nonfinite, noun, relative


class NounModifiers:
    """Builds the clauses that noun phrases ask for; registers itself with them."""

    def __init__(
        self, sampler: Sampler, discourse: Discourse, cast: Cast, phrases: NounPhrases,
        events: Events, clauses: Clauses,
    ) -> None:  # fmt: skip
        self._sampler = sampler
        self._discourse = discourse
        self._cast = cast
        self._phrases = phrases
        self._events = events
        self._clauses = clauses
        phrases.modifying_clause = self.modifying_clause

    def modifying_clause(self, entity: Entity) -> Node | None:
        """A relative clause, or a participle or infinitive, after a noun just introduced."""
        if not self._clauses.go_deeper():
            return None
        draw = self._sampler
        options: list[tuple[Callable[[Entity], Node | None], float]] = [
            (self._object_relative, 2.2), (self._reduced_passive, 1.5),
        ]  # fmt: skip
        if entity.kind in ("person", "animal"):
            options += [(self._subject_relative, 5.0), (self._participle_modifier, 1.5)]
        if entity.is_person:
            options.append((self._whose_relative, 0.7))
        if entity.kind == "thought":
            options = [(self._plan_infinitive, 1.5), (self._object_relative, 2.0)]
        node = draw.weighted(options)(entity)
        self._clauses.come_back()
        return node

    def _relativizer(self, entity: Entity) -> str:
        if entity.kind == "person":
            return "who" if self._sampler.chance(0.65) else "that"
        return "that" if self._sampler.chance(0.7) else "which"

    def _subject_relative(self, entity: Entity) -> Node | None:
        # The agreement is that of the third person whoever is speaking.
        event = self._events.plain(entity)
        verbal = fit(self._clauses.plain_verbal(), event.verb)
        chain = verb_chain(event.verb, entity.agreement, verbal)
        vp = verb_phrase(chain, verbal, None, self._clauses.complements(event))
        front = phrase("WHNP", leaf(relative(self._relativizer(entity)))).as_("nsubj")
        return phrase("SBAR", front, phrase("S", vp)).as_("acl:relcl")

    def _object_relative(self, entity: Entity) -> Node | None:
        found = self._events.doer_for(entity)
        if found is None:
            return None
        subject, verb = found
        draw = self._sampler
        form = "" if draw.chance(0.4) else self._relativizer(entity)
        front = phrase("WHNP", leaf(relative(form))).as_("obj") if form else None
        verbal = Verbal(self._clauses.tense, perfect=draw.chance(0.4))
        nominal = self._phrases.mention(subject, "subj").as_("nsubj")
        chain = verb_chain(verb, self._discourse.agreement(subject), verbal)
        clause = phrase("S", nominal, verb_phrase(chain, verbal, None, []))
        return phrase("SBAR", front, clause).as_("acl:relcl")

    def _reduced_passive(self, entity: Entity) -> Node | None:
        found = self._events.doer_for(entity)
        if found is None or found[1] in ("like", "want", "miss", "have"):
            return None
        agent, verb = found
        by = prepositional("by", self._phrases.mention(agent, "obl"), "obl:agent")
        return phrase("VP", leaf(nonfinite(verb, "Pass")), by).as_("acl")

    def _participle_modifier(self, entity: Entity) -> Node | None:
        event = self._events.plain(entity)
        if fit(Verbal(progressive=True), event.verb).progressive is False:
            return None
        verb = leaf(nonfinite(event.verb, "Ing"))
        return phrase("VP", verb, *self._clauses.complements(event)).as_("acl")

    def _whose_relative(self, entity: Entity) -> Node | None:
        thing = self._cast.relative_of(entity) if self._cast.may_add_person() else None
        if thing is None:
            return None
        thing.first = thing.last = thing.title = ""
        self._discourse.note(thing, "subj", by_pronoun=False)
        whose = leaf(relative("whose"), "nmod:poss")
        front = phrase("WHNP", whose, leaf(noun(thing.nouns[0], "Sing"))).as_("nsubj")
        front.mentioning(thing.ident)
        event = self._events.plain(thing)
        verbal = fit(self._clauses.plain_verbal(), event.verb)
        chain = verb_chain(event.verb, thing.agreement, verbal)
        vp = verb_phrase(chain, verbal, None, self._clauses.complements(event))
        return phrase("SBAR", front, phrase("S", vp)).as_("acl:relcl")

    def _plan_infinitive(self, entity: Entity) -> Node | None:
        people = self._discourse.people()
        return self._clauses.infinitive(people[0]).as_("acl") if people else None
