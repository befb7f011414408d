"""Clauses: events expressed as statements, questions, commands, relatives and infinitives."""

from __future__ import annotations

from dataclasses import replace

from . import modifiers, verbs
from .cast import Cast
from .discourse import Discourse, Entity
from .events import Event, Events, Slot
from .fixed_phrases import fixed_slot
from .noun_phrases import NounPhrases, coordinate, prepositional
from .nouns import THINGS
from .predicates import Predicates
from .sampler import Sampler
from .trees import Node, leaf, leaves, phrase
from .verb_groups import (
    Verbal,
    choose_verbal,
    fit,
    inverted,
    shorten,
    verb_chain,
    verb_phrase,
)
from .words import (
    THIRD,
    adverb,
    interrogative,
    mark_to,
    negation,
    nonfinite,
    noun,
    simple,
    subordinator,
    when,
)

_DEEPEST = 2


class Clauses:
    """Builds the clauses of one document."""

    def __init__(
        self, sampler: Sampler, discourse: Discourse, cast: Cast, phrases: NounPhrases,
        events: Events, tense: str,
    ) -> None:  # fmt: skip
        self._sampler = sampler
        self._discourse = discourse
        self._cast = cast
        self._phrases = phrases
        self._events = events
        self.tense = tense
        self.spoken = False
        self._depth = 0
        self._predicates = Predicates(sampler, discourse, phrases, events, self.infinitive)

    def go_deeper(self) -> bool:
        """Enter an embedded clause, unless the sentence is deep enough already."""
        if self._depth >= _DEEPEST:
            return False
        self._depth += 1
        return True

    def come_back(self) -> None:
        """Leave an embedded clause."""
        self._depth -= 1

    # Verb groups and events

    def verbal(self) -> Verbal:
        """The verb group of a main clause here."""
        return choose_verbal(self._sampler, self.tense, self.spoken)

    def event(self, subject: Entity) -> Event:
        """An event of any kind, with embedded clauses when they are not too deep."""
        draw = self._sampler
        if subject.kind not in ("person", "animal"):
            passive = self._events.undergone(subject) if draw.chance(0.5) else None
            return passive or self._predicates.state(subject)
        person = subject.kind == "person"
        clausal = 1.0 if person and self._depth < _DEEPEST else 0.0
        kind = draw.weighted([
            ("plain", 11.0), ("state", 2.0), ("seem", 0.7), ("to", 1.5 * clausal),
            ("ing", 0.7 * clausal), ("say", 1.6 * clausal), ("ask", 1.0 * clausal),
            ("let", 0.8 * clausal), ("purpose", 0.9 * clausal),
            ("self", 0.45 if subject.is_person else 0),
        ])  # fmt: skip
        if kind == "plain":
            return self._events.plain(subject)
        if kind == "self":
            return Event(subject, draw.pick(verbs.REFLEXIVE), [Slot("obj", subject)])
        if kind == "state":
            return self._predicates.state(subject)
        if kind == "seem":
            mood = Slot("xcomp", build=self._predicates.mood)
            return Event(subject, draw.pick(verbs.SEEMING), [mood])
        return self._clausal(subject, kind)

    def _clausal(self, subject: Entity, kind: str) -> Event:
        draw = self._sampler
        if kind == "to":
            verb = draw.pick(verbs.WITH_TO)
            return Event(subject, verb, [Slot("xcomp", build=lambda: self.infinitive(subject))])
        if kind == "ing":
            verb = draw.pick(verbs.WITH_ING)
            return Event(subject, verb, [Slot("xcomp", build=lambda: self.gerund(subject))])
        if kind == "say":
            return Event(subject, draw.pick(verbs.SAYING), [Slot("ccomp", build=self.that_clause)])
        if kind == "purpose":
            event = self._events.plain(subject, draw.pick(["motion", "motion", "transitive"]))
            event.slots.append(Slot("advcl", build=lambda: self.infinitive(subject)))
            return event
        other = self._events.participant(("person",), subject)
        if other.overlaps(subject):
            return self._events.plain(subject)
        bare = kind == "let"
        verb = draw.pick(verbs.LETTING if bare else verbs.ASKING)
        inner = Slot("xcomp", build=lambda: self.infinitive(other, bare))
        return Event(subject, verb, [Slot("obj", other), inner])

    # Finite clauses

    def statement(
        self,
        event: Event,
        verbal: Verbal,
        adjuncts: bool = True,
        adverbs: bool = True,
        passives: bool = True,
    ) -> Node:
        """A declarative clause without final punctuation (S)."""
        if passives:
            event, verbal = self._maybe_passive(event, verbal)
        if event.subject.kind not in ("person", "animal"):
            verbal = replace(verbal, modal="", progressive=False)
        subject = self._phrases.mention(event.subject, "subj")
        agreement = self._discourse.agreement(event.subject)
        verbal = fit(verbal, event.verb)
        chain = verb_chain(event.verb, agreement, verbal, event.predicate is not None)
        draw = self._sampler
        single = len(subject.children) == 1 and subject.children[0].label == "PRP"
        clitic = self.spoken and single and len(chain) + (event.predicate is not None) > 1
        if clitic and chain[0].word is not None and draw.chance(0.6):
            if not (verbal.negative and verbal.contracted):
                shorten(chain[0])
        adverb_node = self._mid_adverb(verbal) if adverbs else None
        predicate = event.predicate().as_("head") if event.predicate else None
        rest = self.complements(event)
        if adjuncts and self._depth < _DEEPEST:
            rest += self._adjuncts(event, verbal)
        vp = verb_phrase(chain, verbal, adverb_node, rest, predicate)
        relation = "nsubj:pass" if verbal.passive else "nsubj"
        return phrase("S", subject.as_(relation), vp)

    def _mid_adverb(self, verbal: Verbal) -> Node | None:
        if verbal.negative or not self._sampler.chance(0.11):
            return None
        options = [*modifiers.FREQUENCY, "just", "also", "only"]
        return phrase("ADVP", leaf(adverb(self._sampler.pick(options)))).as_("advmod")

    def _maybe_passive(self, event: Event, verbal: Verbal) -> tuple[Event, Verbal]:
        """Turn an event with an object into a passive at times, or keep it."""
        draw = self._sampler
        target = event.object_entity()
        suited = (
            target is not None
            and event.subject.kind in ("person", "animal")
            and target is not event.subject
            and event.verb not in ("have", "like", "want", "let", "get", "make", "help", "miss")
            and not any(slot.build for slot in event.slots)
            and (event.passive or not verbal.progressive)
        )
        if not suited or target is None or not (event.passive or draw.chance(0.2)):
            return event, verbal
        slots = [slot for slot in event.slots if slot.relation != "obj"]
        if any(slot.relation == "iobj" for slot in slots):
            return event, verbal
        verbal = replace(verbal, progressive=False)
        if draw.chance(0.55):
            slots.insert(0 if not slots or slots[0].relation != "compound:prt" else 1,
                         Slot("obl:agent", event.subject, "by"))  # fmt: skip
        return Event(target, event.verb, slots), replace(verbal, passive=True)

    def complements(self, event: Event, gap: str = "") -> list[Node]:
        """The complements in order; the slot with the relation ``gap`` is left out."""
        result: list[Node] = []
        slots = event.slots
        for slot in slots:
            if slot.relation == gap:
                continue
            node = self._slot(slot, event.subject)
            late = result and result[-1].relation == "obj" and slot.relation == "compound:prt"
            is_pronoun = bool(late) and result[-1].children[0].label == "PRP"
            heavy = bool(late) and sum(1 for _ in leaves(result[-1])) > 4
            if late and not is_pronoun and (heavy or self._sampler.chance(0.55)):
                result.insert(len(result) - 1, node)
            else:
                result.append(node)
        return result

    def _slot(self, slot: Slot, subject: Entity) -> Node:
        if slot.build is not None:
            self._depth += 1
            node = slot.build().as_(slot.relation)
            self._depth -= 1
            return node
        if slot.entity is not None:
            entity = slot.entity
            if slot.preposition:
                target = self._phrases.mention(entity, "obl", subject)
                relation = "obl" if slot.relation == "companion" else slot.relation
                return prepositional(slot.preposition, target, relation)
            node = self._phrases.mention(entity, "obj", subject)
            if slot.relation == "obj" and entity.kind in THINGS and self._sampler.chance(0.09):
                # Two things need not be one set: only the two are mentions.
                other = self._phrases.mention(self._cast.thing(entity.kind), "obj")
                node = coordinate("NP", [node, other], "and")
            return node.as_(slot.relation)
        return fixed_slot(slot)

    def fixed(self, slot: Slot) -> Node:
        """A phrase of time by itself."""
        return fixed_slot(slot)

    def _adjuncts(self, event: Event, verbal: Verbal) -> list[Node]:
        future = verbal.modal in ("will", "can", "may", "must", "should")
        if event.verb == "be" or any(slot.build for slot in event.slots):
            if event.timeless or not self._sampler.chance(0.2):
                return []
            slots = [self._events.time_slot(verbal.tense, future)]
        else:
            slots = self._events.circumstances(event, verbal.tense, future)
        taken = {id(slot.entity) for slot in event.slots} | {id(event.subject)}
        has_place = any(s.entity is not None and s.entity.kind == "place" for s in event.slots)
        particles = [slot.preposition for slot in event.slots if slot.entity is None]
        kept = []
        for slot in slots:
            if slot.preposition.split("/")[0] in particles:
                continue  # never "came in in the house"
            if slot.relation == "time" and not self._discourse.first_time_phrase():
                continue
            if slot.entity is not None and (id(slot.entity) in taken or slot.entity.members):
                continue
            if has_place and slot.entity is not None and slot.entity.kind == "place":
                continue
            if slot.relation == "companion" and slot.entity is not None:
                if event.subject.overlaps(slot.entity):
                    continue
            kept.append(slot)
        return [self._slot(slot, event.subject) for slot in kept]

    # Questions and commands

    def yes_no(self, event: Event, verbal: Verbal) -> Node:
        """A question with inversion (SQ)."""
        return self._inverted(event, verbal, "")

    def _inverted(self, event: Event, verbal: Verbal, gap: str) -> Node:
        verbal = fit(verbal, event.verb)
        agreement = self._discourse.agreement(event.subject)
        chain = verb_chain(
            event.verb, agreement, verbal, event.predicate is not None, inverted=True
        )
        subject = self._phrases.mention(event.subject, "subj").as_("nsubj")
        predicate = event.predicate().as_("head") if event.predicate else None
        return inverted(chain, verbal, subject, self.complements(event, gap), predicate)

    def wh_question(self, subject: Entity, verbal: Verbal) -> Node:
        """A question with a question word (SBARQ)."""
        draw = self._sampler
        verbal = replace(verbal, negative=False)
        kind = draw.weighted([("who", 1.0), ("what", 1.3), ("adverb", 1.6)])
        event = self._events.plain(subject, "transitive" if kind != "adverb" else "")
        if kind == "who":
            # The question word is the subject itself.
            chain = verb_chain(event.verb, THIRD, fit(verbal, event.verb))
            vp = verb_phrase(chain, verbal, None, self.complements(event))
            who = phrase("WHNP", leaf(interrogative("who"))).as_("nsubj")
            return phrase("SBARQ", who, phrase("SQ", vp))
        target = event.object_entity()
        if kind == "what" and target is not None:
            # "What" cannot ask for a person or an animal known by name.
            person = target.kind in ("person", "animal")
            front = phrase("WHNP", leaf(interrogative("who" if person else "what"))).as_("obj")
            if target.kind in THINGS and draw.chance(0.4):
                which = simple(draw.pick(["what", "which"]), "DET", "WDT", "PronType=Int")
                front = phrase(
                    "WHNP", leaf(which, "det"), leaf(noun(target.nouns[0], target.number))
                ).as_("obj")
            return phrase("SBARQ", front, self._inverted(event, verbal, "obj"))
        options = ["where", "why", "how", "when"]
        if any(slot.entity is not None and slot.entity.kind == "place" for slot in event.slots):
            options = ["why", "when", "how"]
        word = interrogative(draw.pick(options))
        front = phrase("WHADVP", leaf(word)).as_("advmod")
        return phrase("SBARQ", front, self._inverted(event, verbal, ""))

    def command(self, hearer: Entity, negative: bool) -> Node:
        """An imperative clause without its punctuation (S)."""
        event = self._events.active(hearer)
        verb = leaf(nonfinite(event.verb, "Imp"))
        inner = phrase("VP", verb, *self.complements(event))
        if not negative:
            return phrase("S", inner)
        do = leaf(nonfinite("do", "Inf", "AUX"), "aux")
        no = leaf(negation(contracted=True), "advmod")
        return phrase("S", phrase("VP", do, no, inner))

    # Subordinate clauses

    def infinitive(self, subject: Entity, bare: bool = False) -> Node:
        """An infinitival complement; its subject is understood (S)."""
        event = self._events.active(subject)
        vp = phrase("VP", leaf(nonfinite(event.verb, "Inf")), *self.complements(event))
        if bare:
            return phrase("S", vp)
        return phrase("S", phrase("VP", leaf(mark_to(), "mark"), vp))

    def gerund(self, subject: Entity) -> Node:
        """A complement in -ing (S)."""
        event = self._events.active(subject)
        verb = leaf(nonfinite(event.verb, "Ger"))
        return phrase("S", phrase("VP", verb, *self.complements(event)))

    def participial(self, subject: Entity) -> Node:
        """A participial adverbial, "singing a song" (S)."""
        event = self._events.active(subject)
        verb = leaf(nonfinite(event.verb, "Ing"))
        return phrase("S", phrase("VP", verb, *self.complements(event)))

    def that_clause(self) -> Node:
        """A complement clause with "that" or without (SBAR)."""
        draw = self._sampler
        inner = self.subordinate_statement()
        mark = leaf(subordinator("that"), "mark") if draw.chance(0.62) else None
        return phrase("SBAR", mark, inner)

    def subordinate_statement(self) -> Node:
        """A finite clause about someone known, for use inside another."""
        self._depth += 1
        subject = self._known_subject()
        node = self.statement(self.event(subject), self.plain_verbal())
        self._depth -= 1
        return node

    def plain_verbal(self) -> Verbal:
        """The verb group of a subordinate clause here."""
        draw = self._sampler
        tense = draw.pick(["Past", "Pres"]) if self.spoken else self.tense
        kind = draw.weighted([("", 6.0), ("perfect", 1.2), ("modal", 1.3), ("progressive", 0.8)])
        modal = ""
        if kind == "modal":
            modal = draw.pick(["could", "would"] if tense == "Past" else ["will", "can", "must"])
        return Verbal(tense, kind == "perfect", kind == "progressive", modal,
                      draw.chance(0.15), draw.chance(0.5))  # fmt: skip

    def _known_subject(self) -> Entity:
        draw = self._sampler
        people = self._discourse.people()
        speech = [e for e in (self._discourse.speech.speaker, self._discourse.speech.hearer) if e]
        if speech and draw.chance(0.45):
            return draw.pick(speech)
        things = self._discourse.of_kind(("animal", "readable", "place", "valuable"))
        if things and draw.chance(0.25):
            return draw.pick_early(things)
        if not people:
            return self._cast.person(named=True)
        fresh = [e for e in people if e.last_sentence < self._discourse.sentence]
        if len(fresh) > 1 and draw.chance(0.08):
            return self._discourse.set_of((fresh[0], fresh[1]))
        return draw.pick_early(people)

    def adverbial(self, forms: tuple[str, ...]) -> Node:
        """A finite adverbial clause with one of the conjunctions (SBAR)."""
        form = self._sampler.pick(forms)
        inner = self.subordinate_statement()
        if form == "when":
            return phrase("SBAR", phrase("WHADVP", leaf(when())).as_("advmod"), inner).as_("advcl")
        return phrase("SBAR", leaf(subordinator(form), "mark"), inner).as_("advcl")
