"""What happens in a clause: a verb, its participants, and its circumstances.

An event says which entities take part and how each is tied to the verb; it does not yet say
how they are expressed. Phrases are built later, from left to right, because what a pronoun
may refer to depends on what has been said before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from . import modifiers, verbs
from .cast import Cast
from .discourse import Discourse, Entity
from .lexicon import AMBIGUOUS
from .noun_phrases import NounPhrases, no_such
from .nouns import GROUPS, NOUNS, spots_at, ways_to
from .sampler import Sampler
from .trees import Node
from .verb_groups import STATIVE
from .verbs import Frame

#: How often a word is chosen because it has other parts of speech as well.
_LEANING = 0.3
#: Verbs that say too little to tell one thing from another.
_DULL = frozenset(
    "watch remember notice miss need love hear trust fear smell like enter leave want".split()
)
_UNWILLED = frozenset(
    "lose fall steal hear drop forget arrive stumble shiver break spill dream hurt scare bite end "
    "yawn worry lie".split()
)
_LIKENESSES = "child bear fish lamb soldier king bird dog".split()


@dataclass
class Slot:
    """One complement or adjunct: an entity with its relation, or a phrase to be built."""

    relation: str
    entity: Entity | None = None
    preposition: str = ""
    build: Callable[[], Node] | None = None


@dataclass
class Event:
    """A verb with its complements; a predicate makes it copular ("be" and a phrase)."""

    subject: Entity
    verb: str
    slots: list[Slot] = field(default_factory=list)
    predicate: Callable[[], Node] | None = None
    passive: bool = False  # to be told from its object's side
    timeless: bool = False  # takes no phrase of time, as a lasting quality

    def object_entity(self) -> Entity | None:
        """The direct object, if it is an entity."""
        found = [slot.entity for slot in self.slots if slot.relation == "obj"]
        return found[0] if found else None


class Events:
    """Chooses events that suit the classes of the entities at hand."""

    def __init__(
        self, sampler: Sampler, discourse: Discourse, cast: Cast, phrases: NounPhrases
    ) -> None:
        self._sampler = sampler
        self._discourse = discourse
        self._cast = cast
        self._phrases = phrases

    def actor_kind(self, entity: Entity) -> str:
        """The class by which verbs select the entity as a subject."""
        return "person" if entity.kind == "person" else entity.kind

    def _frames_for(self, frames: list[Frame], subject: Entity) -> list[Frame]:
        kind = self.actor_kind(subject)
        return [frame for frame in frames if kind in frame.subject]

    def active(self, subject: Entity, want: str = "") -> Event:
        """A plain event that one can decide to do, as orders and infinitives need."""
        event = self.plain(subject, want)
        for _ in range(6):
            if event.verb not in STATIVE and event.verb not in _UNWILLED:
                break
            event = self.plain(subject, want)
        return event

    def plain(self, subject: Entity, want: str = "") -> Event:
        """An event without embedded clauses, of the wanted kind if one is given."""
        draw = self._sampler
        person = subject.kind == "person"
        kind = want or draw.weighted([
            ("transitive", 6.0), ("particle", 1.4 if person else 0),
            ("giving", 2.2 if person else 0), ("putting", 1.3 if person else 0),
            ("prepositional", 2.2), ("intransitive", 2.2), ("motion", 1.8),
            ("having", 0.9 if person else 0),
        ])  # fmt: skip
        if kind == "motion" and not self._frames_for(verbs.MOTION, subject):
            kind = "transitive"
        if kind == "having":
            thing = self._new_thing(GROUPS["small"] + ("animal", "instrument"))
            if thing.number == "Sing" and not thing.named and draw.chance(0.2):
                lacking = no_such(thing.nouns[0])
                return Event(subject, "have", [Slot("obj", build=lambda: lacking)])
            return Event(subject, "have", [Slot("obj", thing)])
        table = {
            "transitive": verbs.TRANSITIVE, "particle": verbs.PARTICLE, "giving": verbs.GIVING,
            "putting": verbs.PUTTING, "prepositional": verbs.PREPOSITIONAL,
            "intransitive": verbs.INTRANSITIVE, "motion": verbs.MOTION,
        }[kind]  # fmt: skip
        frame = self._thematic_frame(self._frames_for(table, subject))
        event = Event(subject, frame.verb)
        if kind == "giving":
            self._add_gift(event, frame)
        elif kind == "putting":
            event.slots = [
                Slot("obj", self.participant(frame.object, subject)),
                self._put_slot(),
            ]
        elif kind == "motion":
            if draw.chance(0.25):
                away = draw.pick(modifiers.DIRECTION_ADVERBS)
                event.slots = [Slot("adverb", preposition=away)]
                return event
            place = self._phrases.some_place()
            event.slots = [Slot("obl", place, draw.pick(ways_to(place.nouns[0])))]
        else:
            if frame.object:
                event.slots.append(Slot("obj", self.participant(frame.object, subject)))
            if frame.oblique:
                event.slots.append(self._oblique(frame, subject))
            if frame.particle:
                event.slots.append(Slot("compound:prt", preposition=frame.particle))
        return event

    def _thematic_frame(self, frames: list[Frame]) -> Frame:
        """A frame that keeps to what the document is about, in most cases."""
        fitting = ("person", "animal", "place", "outing", *self._cast.theme)
        if self._sampler.chance(_LEANING):
            frames = [frame for frame in frames if frame.verb in AMBIGUOUS] or frames
        frame = self._sampler.pick(frames)
        for _ in range(5):
            if not frame.object or any(kind in fitting for kind in frame.object):
                break
            frame = self._sampler.pick(frames)
        return frame

    def _oblique(self, frame: Frame, subject: Entity) -> Slot:
        if frame.oblique == ("role",):
            role = self._sampler.pick(NOUNS["role"]).lemma
            return Slot("role", preposition=frame.preposition + " " + role)
        return Slot("obl", self.participant(frame.oblique, subject), frame.preposition)

    def _add_gift(self, event: Event, frame: Frame) -> None:
        draw = self._sampler
        gift = self.participant(frame.object, event.subject)
        recipient = self.participant(("person",), event.subject)
        short = self._discourse.pronoun_fits(gift) or draw.chance(0.35)
        if short or (event.verb in ("read", "write", "send", "sell") and draw.chance(0.4)):
            event.slots = [Slot("obj", gift), Slot("obl", recipient, "to")]
        else:
            event.slots = [Slot("iobj", recipient), Slot("obj", gift)]

    def participant(self, kinds: tuple[str, ...], subject: Entity) -> Entity:
        """An entity of one of the classes, known or new, that is not the subject."""
        draw = self._sampler
        discourse = self._discourse
        themed = [kind for kind in kinds if kind in self._cast.theme]
        if themed and draw.chance(0.6 if "person" in kinds else 0.9):
            kinds = tuple(themed)
        kind = draw.pick(kinds)
        people = [e for e in discourse.people() if not e.overlaps(subject)]
        if kind == "person" and people and (draw.chance(0.75) or not self._cast.may_add_person()):
            others = [e for e in people if not e.overlaps(subject)]
            if draw.chance(0.1) and len(others) > 1:
                return discourse.set_of((others[0], others[1]))
            return draw.pick_early(others)
        known = [e for e in discourse.of_kind(kinds) if not e.overlaps(subject)]
        known = [e for e in known if e.kind != "person" and e is not subject.owner]
        if known and draw.chance(0.62):
            return draw.pick_early(known)
        if kind == "person":
            owners = [e for e in discourse.people() if not e.owner]
            if owners and draw.chance(0.5):
                return self._cast.relative_of(draw.pick_early(owners))
            return self._cast.person()
        return self._new_thing((kind,), subject)

    def _new_thing(self, kinds: tuple[str, ...], owner: Entity | None = None) -> Entity:
        entity = self._cast.of_kind(self._sampler.pick(kinds))
        ownable = entity.kind not in ("place", "event", "outing", "thought", "drink", "food")
        if owner is not None and owner.kind == "person" and ownable:
            if entity.kind != "person" and self._sampler.chance(0.3):
                people = [e for e in self._discourse.people() if not e.overlaps(owner)]
                other = people[0] if people and self._sampler.chance(0.4) else owner
                entity.owner = other
        return entity

    def place_slot(self) -> Slot:
        """Somewhere, with a preposition that suits the place."""
        place = self._phrases.some_place()
        return Slot("obl", place, self._sampler.pick(spots_at(place.nouns[0])))

    def _put_slot(self) -> Slot:
        """Where one puts a thing: on, under or near furniture, or in a place."""
        if self._sampler.chance(0.4):
            return self.place_slot()
        known = self._discourse.of_kind(("furniture",))
        known = [entity for entity in known if entity.number == "Sing"]
        if known and self._sampler.chance(0.5):
            furniture = known[0]
        else:
            furniture = self._cast.thing("furniture")
            furniture.number, furniture.gender, furniture.numeral = "Sing", "Neut", ""
        return Slot("obl", furniture, self._sampler.pick(["on", "on", "under", "behind", "near"]))

    def circumstances(self, event: Event, tense: str, future: bool) -> list[Slot]:
        """Adjuncts: how, where, with whom, when."""
        draw = self._sampler
        found: list[Slot] = []
        if event.verb not in STATIVE:
            if draw.chance(0.33 if event.verb in modifiers.VERB_ADVERBS else 0.17):
                found.append(self._manner(event.verb))
            if draw.chance(0.24):
                found.append(self.place_slot())
            elif draw.chance(0.07):
                adverb = draw.pick(modifiers.PLACE_ADVERBS)
                found.append(Slot("adverb", preposition=adverb))
            people = self._discourse.people()
            if people and draw.chance(0.06):
                found.append(Slot("companion", draw.pick_early(people), "with"))
            if event.subject.kind == "person" and not event.slots and draw.chance(0.1):
                found.append(Slot("role", preposition="like " + draw.pick(_LIKENESSES)))
        if draw.chance(0.2):
            found.append(self.time_slot(tense, future))
        return found

    def _manner(self, verb: str) -> Slot:
        draw = self._sampler
        fitting = modifiers.VERB_ADVERBS.get(verb, [])
        if fitting and draw.chance(0.6):
            adverb = draw.pick(fitting)
            if adverb in ("fast", "hard", "late", "well", "early") and draw.chance(0.3):
                return Slot("comparative", preposition=adverb)
            return Slot("adverb", preposition=adverb)
        loud = modifiers.LOUDNESS.get(verb)
        return Slot("adverb", preposition=draw.pick(loud or modifiers.MANNER_LY))

    def time_slot(self, tense: str, future: bool) -> Slot:
        """When."""
        draw = self._sampler
        if draw.chance(0.45):
            form, article, noun = draw.pick(modifiers.TIMES_WITH_PREPOSITION)
            return Slot("time", preposition=f"{form}/{article}/{noun}")
        table = modifiers.PAST_TIMES if tense == "Past" else modifiers.PRESENT_TIMES
        article, noun = draw.pick(modifiers.FUTURE_TIMES if future else table)
        return Slot("time", preposition=f"/{article}/{noun}")

    def doer_for(self, entity: Entity) -> tuple[Entity, str] | None:
        """Someone known, and a verb whose object the entity can be."""
        people = [e for e in self._discourse.people() if not e.overlaps(entity)]
        options = [
            frame.verb for frame in verbs.TRANSITIVE
            if entity.kind in frame.object and "person" in frame.subject
            and frame.verb not in _DULL
        ]  # fmt: skip
        if not people or not options:
            return None
        return self._sampler.pick_early(people), self._sampler.pick(options)

    def undergone(self, target: Entity) -> Event | None:
        """What someone does to the entity, as an event seen from its side."""
        found = self.doer_for(target)
        if found is None:
            return None
        return Event(found[0], found[1], [Slot("obj", target)], passive=True)
