"""Sentences of narration, each with the entity that it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from . import modifiers, verbs
from .assembly import fronted, full_stop, is_passive, length, under_root, verb_phrase_of
from .cast import Cast
from .clauses import Clauses
from .discourse import Discourse, Entity
from .events import Event, Events
from .noun_phrases import NounPhrases, comma, coordinate, no_such, prepositional
from .nouns import NOUNS, THINGS
from .sampler import Sampler
from .trees import Node, leaf, phrase
from .verb_groups import Verbal, fit, verb_chain, verb_phrase
from .words import (
    THIRD,
    THIRD_PLURAL,
    adjective,
    adverb,
    coordinator,
    demonstrative,
    determiner,
    finite,
    noun,
    numeral,
    pronoun,
    punctuation,
    simple,
    subordinator,
    there_expletive,
)

_BEFORE = ("when", "because", "after", "before", "while", "as", "although", "since", "when")
_AFTER = ("when", "because", "after", "before", "while", "as", "if", "until", "so", "although",
          "because", "since")  # fmt: skip
_LONGEST_EMBEDDED = 22


class Sentences:
    """Builds the sentences of one document (trees under ROOT)."""

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
        self._last_subject: Entity | None = None
        self._opened = 0

    # Who the sentence is about

    def subject(self) -> Entity:
        """The subject of the next sentence: often the last one again, at times someone new."""
        draw = self._sampler
        discourse = self._discourse
        people = discourse.people()
        speech = [e for e in (discourse.speech.speaker, discourse.speech.hearer) if e]
        if speech and draw.chance(0.5):
            return self.keep(speech[0] if draw.chance(0.68) else draw.pick(speech))
        others = [e for e in people if not discourse.is_speech_person(e)]
        if speech and speech[0].is_person and others and draw.chance(0.12):
            return discourse.set_of((speech[0], others[0]))
        last = self._last_subject
        if last is not None and last.known and not discourse.is_speech_person(last):
            if last.kind in ("person", "animal") and draw.chance(0.34):
                return last
        people = others
        if self._cast.may_add_person() and (not people or draw.chance(0.1)):
            owner = people[0] if people and draw.chance(0.45) else None
            return self.keep(self._cast.relative_of(owner) if owner else self._cast.person())
        things = discourse.of_kind((*THINGS, "animal", "place", "thought", "event"))
        if things and draw.chance(0.26):
            return self.keep(draw.pick_early(things))
        if draw.chance(0.07):
            return self.keep(self._cast.animal())
        if len(people) > 1 and draw.chance(0.2):
            return self.keep(discourse.set_of((people[0], people[1])))
        return self.keep(draw.pick_early(people) if people else self._cast.person())

    def keep(self, entity: Entity) -> Entity:
        """Make an entity the subject that may stay the subject."""
        self._last_subject = entity
        return entity

    # Sentences of narration

    def narrative(self) -> Node:
        """One sentence of a story or a report."""
        options: list[tuple[Callable[[], Node], float]] = [
            (self._simple, 6.2), (self._fronted_time, 1.3), (self._fronted_clause, 1.5),
            (self._with_clause, 1.7), (self._two_clauses, 1.6), (self._two_predicates, 1.6),
            (self._existential, 0.9), (self._participle_first, 0.5), (self._so_that, 0.5),
            (self._hard_to, 0.5), (self._weather, 0.35), (self._this_did, 0.4),
            (self._one_of, 0.5), (self._topic_adverb, 0.5), (self._exclaimed, 0.2),
        ]  # fmt: skip
        return self._sampler.weighted(options)()

    def clause(self, adverbs: bool = True) -> Node:
        """A statement about the next subject, without its full stop."""
        subject = self.subject()
        event = self._clauses.event(subject)
        return self._clauses.statement(event, self._clauses.verbal(), adverbs=adverbs)

    def _simple(self) -> Node:
        return full_stop(self.clause())

    def _fronted_time(self) -> Node:
        draw = self._sampler
        # The tense of the clause has to suit the time, so it is fixed first.
        verbal = replace(self._clauses.verbal(), modal="", perfect=False, negative=False)
        self._discourse.first_time_phrase()
        slot = self._events.time_slot(verbal.tense, False)
        front = self._clauses.fixed(slot)
        with_comma = draw.chance(0.5)
        subject = self.subject()
        clause = self._clauses.statement(self._clauses.event(subject), verbal, adjuncts=False)
        pause = comma().to_previous("punct") if with_comma else None
        return full_stop(fronted(front, pause, clause))

    def _topic_adverb(self) -> Node:
        word = self._sampler.pick(["perhaps", "then", "soon", "suddenly", "finally", "still",
                                   "sometimes", "later", "so", "now", "again"])  # fmt: skip
        front = phrase("ADVP", leaf(adverb(word))).as_("advmod")
        pause = comma().to_previous("punct") if word not in ("then", "perhaps", "so") else None
        return full_stop(fronted(front, pause, self.clause(adverbs=False)))

    def _fronted_clause(self) -> Node:
        forms = (*_BEFORE, "if", "if") if self._clauses.tense == "Pres" else _BEFORE
        front = self._clauses.adverbial(forms)
        return full_stop(fronted(front, comma().to_previous("punct"), self.clause()))

    def _with_clause(self) -> Node:
        clause = self.clause()
        if length(clause) > _LONGEST_EMBEDDED:
            return full_stop(clause)
        verb_phrase_of(clause).children.append(self._clauses.adverbial(_AFTER))
        return full_stop(clause)

    def _two_clauses(self) -> Node:
        first = self.clause()
        if length(first) > _LONGEST_EMBEDDED:
            return full_stop(first)
        second = self.clause()
        form = self._sampler.weighted([("and", 3.0), ("but", 2.0), ("or", 0.2)])
        return full_stop(phrase(
            "S", first, comma().to_second_next("punct"), leaf(coordinator(form)).to_next("cc"),
            second.as_("conj"),
        ))  # fmt: skip

    def _two_predicates(self) -> Node:
        """Two or three verb phrases with one subject."""
        draw = self._sampler
        subject = self.subject()
        if subject.kind not in ("person", "animal"):
            return full_stop(self.clause())
        tense = self._clauses.tense
        verbal = Verbal(tense)
        first = self._events.plain(subject)
        clause = self._clauses.statement(first, replace(verbal, progressive=False), adjuncts=False)
        if is_passive(clause):
            return full_stop(clause)
        agreement = self._discourse.agreement(subject)
        parts = [clause.children[-1]]
        for _ in range(2 if draw.chance(0.2) else 1):
            event = self._events.plain(subject)
            chain = verb_chain(event.verb, agreement, verbal)
            parts.append(verb_phrase(chain, verbal, None, self._clauses.complements(event)))
        conjunction = draw.weighted([("and", 5.0), ("but", 0.6), ("or", 0.4)])
        return full_stop(phrase("S", clause.children[0], coordinate("VP", parts, conjunction)))

    def _participle_first(self) -> Node:
        people = [e for e in self._discourse.people()]
        if not people:
            return self._simple()
        subject = people[0]
        front = self._clauses.participial(subject).as_("advcl")
        clause = self._clauses.statement(
            self._events.plain(subject), Verbal(self._clauses.tense), adjuncts=False,
            passives=False,
        )  # fmt: skip
        return full_stop(fronted(front, comma().to_previous("punct"), clause))

    def _existential(self) -> Node:
        draw = self._sampler
        tense = self._clauses.tense
        kind = draw.pick(["animal", "readable", "food", "vehicle", "plant", "event", "furniture",
                          "tool", "valuable", "person"])  # fmt: skip
        entity = self._cast.of_kind(kind)
        negative = entity.number == "Sing" and not entity.named and draw.chance(0.3)
        plural = entity.number == "Plur"
        if negative:
            pivot = no_such(entity.nouns[0])
        else:
            introduce = self._phrases.by_noun_and_name if entity.named else self._phrases.full
            pivot = introduce(entity, "obj")
        verb = leaf(finite("be", tense, THIRD_PLURAL if plural else THIRD))
        place = self._phrases.some_place()
        there = phrase("NP", leaf(there_expletive())).as_("expl")
        where = self._phrases.mention(place, "obl")
        vp = phrase("VP", verb, pivot.as_("nsubj"),
                    prepositional(place.preposition, where, "obl"))  # fmt: skip
        return full_stop(phrase("S", there, vp))

    def _so_that(self) -> Node:
        """ "So tired that ..."."""
        draw = self._sampler
        people = self._discourse.people()
        if not people:
            return self._simple()
        subject = people[0]
        word = draw.pick([w for w in modifiers.ADJECTIVES["mood"] if w not in ("alone", "well")])

        def predicate() -> Node:
            that = phrase("SBAR", leaf(subordinator("that"), "mark"),
                          self._clauses.subordinate_statement())  # fmt: skip
            return phrase("ADJP", leaf(adverb("so"), "advmod"), adjective(word), that.as_("advcl"))

        event = Event(subject, "be", predicate=predicate)
        return full_stop(self._clauses.statement(event, Verbal(self._clauses.tense), False))

    def _hard_to(self) -> Node:
        """ "It was hard to find the letter": an expletive and an infinitival subject."""
        draw = self._sampler
        people = self._discourse.people()
        if not people:
            return self._simple()
        word = draw.pick(["hard", "good", "strange", "fine", "great", "bad", "simple", "silly"])
        it = phrase("NP", leaf(pronoun(THIRD, "Nom"))).as_("expl")
        verb = leaf(finite("be", self._clauses.tense, THIRD, "AUX"), "cop")
        infinitive = self._clauses.infinitive(people[0]).as_("csubj")
        adjectival = phrase("ADJP", adjective(word))
        return full_stop(phrase("S", it, phrase("VP", verb, adjectival, infinitive)))

    def _weather(self) -> Node:
        draw = self._sampler
        it = phrase("NP", leaf(pronoun(THIRD, "Nom"))).as_("expl")
        tense = self._clauses.tense
        time = self._clauses.fixed(self._events.time_slot(tense, False))
        late = time if draw.chance(0.7) else None
        if draw.chance(0.4):
            verb = leaf(finite(draw.pick(["rain", "snow"]), tense, THIRD))
            how_hard = draw.weighted([("", 3.0), ("hard", 2.0), ("early", 1.0), ("late", 0.5)])
            manner = phrase("ADVP", leaf(adverb(how_hard))).as_("advmod") if how_hard else None
            return full_stop(phrase("S", it, phrase("VP", verb, manner, late)))
        verb = leaf(finite("be", tense, THIRD, "AUX"), "cop")
        how = phrase(
            "ADJP",
            leaf(adverb(draw.pick(modifiers.DEGREE_ADVERBS)), "advmod"),
            adjective(draw.pick(["cold", "warm", "dark", "hot", "late", "early", "dry"])),
        )
        return full_stop(phrase("S", it, phrase("VP", verb, how, late)))

    def _this_did(self) -> Node:
        """A demonstrative that takes up what has just been said."""
        draw = self._sampler
        people = self._discourse.people()
        if not people or self._discourse.sentence < 2:
            return self._simple()
        this = phrase("NP", leaf(demonstrative(draw.pick(["this", "that"])))).as_("nsubj")
        verb = leaf(finite(draw.pick(verbs.AFFECTING), self._clauses.tense, THIRD))
        whom = self._phrases.mention(draw.pick_early(people), "obj").as_("obj")
        return full_stop(phrase("S", this, phrase("VP", verb, whom)))

    def _one_of(self) -> Node:
        """ "One of the dogs": a new entity out of a plural one."""
        groups = [
            e for e in self._discourse.of_kind(("animal", "readable", "tool", "food", "clothes"))
            if e.number == "Plur"
        ]  # fmt: skip
        if not groups:
            return self._simple()
        group = self._sampler.pick_early(groups)
        part = self._discourse.add(group.kind, group.etype, [group.nouns[0]])
        part.adjective = group.adjective
        count = self._sampler.pick(["one", "one", "two"])
        if count == "two":
            part.number, part.gender = "Plur", ""
        whole = prepositional("of", self._phrases.mention(group, "obl"), "nmod")
        subject = phrase("NP", phrase("NP", leaf(numeral(count))), whole)
        self._discourse.note(part, "subj", by_pronoun=False)
        self._last_subject = part
        subject.mentioning(part.ident)
        event = self._clauses.event(part)
        tail = self._clauses.statement(event, Verbal(self._clauses.tense, negative=False), False)
        if is_passive(tail) or tail.children[0].entity != part.ident:
            return full_stop(tail)
        subject.relation = tail.children[0].relation
        # The second mention of the same subject only served to build the clause.
        part.mentions.pop()
        part.pronoun_run = 0
        return full_stop(phrase("S", subject, *tail.children[1:]))

    def _exclaimed(self) -> Node:
        """ "What a strange day!" """
        draw = self._sampler
        word = draw.pick(["day", "night", "idea", "party", "dog", "story", "place"])
        kind = adjective(draw.pick(["strange", "long", "good", "beautiful", "terrible", "cold"]))
        what = leaf(simple("what", "DET", "WDT", "PronType=Int"), "det")
        article = leaf(determiner("a"), "det")
        np = phrase("NP", what, article, kind.as_("amod"), leaf(noun(word, "Sing")))
        return under_root(np, leaf(punctuation("!"), "punct"))

    def opening(self, hero: Entity) -> Node:
        """The first sentence of a story: who it is about and where."""
        draw = self._sampler
        self._last_subject = hero
        self._opened += 1
        tense = self._clauses.tense
        kinds = ["lived", "was", "simple", "simple", "there"]
        kind = draw.pick(kinds if self._opened == 1 else ["was", "simple", "simple"])
        if kind == "was" and not hero.named:
            kind = "simple"
        if kind == "there":
            place = self._cast.town() if draw.chance(0.5) else self._cast.place()
            there = phrase("NP", leaf(there_expletive())).as_("expl")
            who = self._phrases.by_noun_and_name(hero, "subj").as_("nsubj")
            verb = leaf(finite("be", tense, THIRD))
            where = self._phrases.mention(place, "obl")
            vp = phrase("VP", verb, who, prepositional(place.preposition, where, "obl"))
            return full_stop(phrase("S", there, vp))
        introduce = self._phrases.by_name if kind == "was" else self._phrases.full
        who = introduce(hero, "subj").as_("nsubj")
        agreement = self._discourse.agreement(hero)
        if kind == "lived":
            verb = leaf(finite(draw.pick(["live", "work"]), tense, agreement))
            town = self._phrases.mention(self._cast.town(), "obl")
            vp = phrase("VP", verb, prepositional("in", town, "obl"))
            return full_stop(phrase("S", who, vp))
        if kind == "was":
            role = draw.pick(NOUNS["role"]).lemma
            if hero.nouns[0] not in ("man", "woman", "boy", "girl") and hero.owner is None:
                role = hero.nouns[0]
                hero.tell("role")
            verb = leaf(finite("be", tense, agreement, "AUX"), "cop")
            modifier = adjective(hero.adjective).as_("amod")
            what = phrase("NP", leaf(determiner("a"), "det"), modifier, leaf(noun(role, "Sing")))
            return full_stop(phrase("S", who, phrase("VP", verb, what)))
        event = self._events.plain(hero)
        chain = verb_chain(event.verb, agreement, fit(Verbal(tense), event.verb))
        vp = verb_phrase(chain, Verbal(tense), None, self._clauses.complements(event))
        return full_stop(phrase("S", who, vp))
