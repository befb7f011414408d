"""The discourse model: who and what is being talked about, and how salient each is.

The model answers two questions for the grammar. What may a pronoun refer to: an entity that
was mentioned in this sentence or the one before, and that is clearly more salient than every
rival for the same pronoun, where subjects count more than objects whatever their order (so
the nearest candidate is often the wrong one). And what must a description say: more than its
noun if another known entity shares the noun.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .sampler import Sampler
from .words import Agreement, pronoun_form

#: How much a mention counts by its grammatical role; a sentence later it counts half.
ROLE_WEIGHTS = {"subj": 4.0, "obj": 2.0, "obl": 1.2, "poss": 1.4}
_DECAY = 0.5
_CLEAR_LEAD = 1.25
_LONGEST_PRONOUN_RUN = 5


@dataclass(eq=False)
class Entity:
    """A referent: what it is, what it may be called, and where it was mentioned."""

    ident: int
    kind: str  # meaning class: person, place, or a class of nouns
    etype: str
    nouns: list[str]  # what it may be called, the most telling first
    number: str = "Sing"
    gender: str = "Neut"
    first: str = ""
    last: str = ""
    title: str = ""
    adjective: str = ""
    owner: Entity | None = None
    members: tuple[Entity, ...] = ()
    mass: bool = False
    numeral: str = ""
    preposition: str = "in"
    mentions: list[tuple[int, str]] = field(default_factory=list)  # sentence, role
    pronoun_run: int = 0
    told: list[str] = field(default_factory=list)  # "role", "first", "last": what readers know

    @property
    def agreement(self) -> Agreement:
        """Third person agreement."""
        return Agreement(3, self.number, self.gender if self.number == "Sing" else "")

    @property
    def known(self) -> bool:
        """Whether it has been mentioned."""
        return bool(self.mentions)

    @property
    def last_sentence(self) -> int:
        """The sentence of the latest mention, or a time long ago."""
        return self.mentions[-1][0] if self.mentions else -99

    @property
    def named(self) -> bool:
        """Whether it has a name of its own."""
        return bool(self.first)

    @property
    def is_person(self) -> bool:
        """Whether it is one person."""
        return self.kind == "person" and self.number == "Sing"

    def tell(self, *facts: str) -> None:
        """Remember that the text has given the role, the first or the last name."""
        self.told += [fact for fact in facts if fact not in self.told]

    def overlaps(self, other: Entity) -> bool:
        """Whether the two share a referent."""
        mine = self.members or (self,)
        theirs = other.members or (other,)
        return any(one is two for one in mine for two in theirs)


@dataclass
class Speech:
    """Whose words are being written: they are "I" and the hearer is "you"."""

    speaker: Entity | None = None
    hearer: Entity | None = None


class Discourse:
    """The entities of one document and the record of their mentions."""

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler
        self.entities: list[Entity] = []
        self.sentence = 0
        self.speech = Speech()
        self.latest: Entity | None = None  # the entity mentioned last
        self._sets: list[Entity] = []
        self._timed = -1

    def add(self, kind: str, etype: str, nouns: list[str]) -> Entity:
        """A new entity, not yet mentioned."""
        entity = Entity(len(self.entities), kind, etype, nouns)
        self.entities.append(entity)
        return entity

    def set_of(self, members: tuple[Entity, ...]) -> Entity:
        """The plural entity of several people, the same one each time."""
        for known in self._sets:
            if len(known.members) == len(members) and all(
                any(one is two for two in members) for one in known.members
            ):
                return known
        entity = self.add("person", "person", [])
        entity.number, entity.gender, entity.members = "Plur", "", members
        self._sets.append(entity)
        return entity

    def agreement(self, entity: Entity) -> Agreement:
        """Person, number and gender as seen by whoever is speaking."""
        if entity is self.speech.speaker:
            return Agreement(1, "Sing")
        if entity is self.speech.hearer:
            return Agreement(2, entity.number)
        if self.speech.speaker is not None and self.speech.speaker in entity.members:
            return Agreement(1, "Plur")
        if self.speech.hearer is not None and self.speech.hearer in entity.members:
            return Agreement(2, "Plur")
        return entity.agreement

    def is_speech_person(self, entity: Entity) -> bool:
        """Whether the entity is "I", "we" or "you" here."""
        return self.agreement(entity).person != 3

    def note(self, entity: Entity, role: str, by_pronoun: bool) -> None:
        """Record a mention."""
        entity.mentions.append((self.sentence, role))
        self.latest = entity
        entity.pronoun_run = entity.pronoun_run + 1 if by_pronoun else 0

    def salience(self, entity: Entity) -> float:
        """The weights of its mentions, halved for each sentence since; the newest two count."""
        return sum(
            ROLE_WEIGHTS[role] * _DECAY ** (self.sentence - sentence)
            for sentence, role in entity.mentions[-2:]
            if self.sentence - sentence < 4
        )

    def rivals(self, entity: Entity) -> list[Entity]:
        """Other recent entities that the same pronoun could mean."""
        form = pronoun_form(entity.agreement)
        return [
            other
            for other in self.entities
            if other is not entity
            and self.sentence - other.last_sentence <= 2
            and not self.is_speech_person(other)
            and pronoun_form(other.agreement) == form
        ]

    def pronoun_fits(self, entity: Entity) -> bool:
        """Whether a third person pronoun would be understood."""
        if not entity.known or self.sentence - entity.last_sentence > 1:
            return False
        if entity.pronoun_run >= _LONGEST_PRONOUN_RUN:
            return False
        if self._only_candidate_here(entity):
            return True
        best = max((self.salience(other) for other in self.rivals(entity)), default=0.0)
        return self.salience(entity) >= _CLEAR_LEAD * best

    def _only_candidate_here(self, entity: Entity) -> bool:
        """Whether this sentence has mentioned the entity and no rival of it."""
        if entity.last_sentence != self.sentence:
            return False
        return all(other.last_sentence != self.sentence for other in self.rivals(entity))

    def only_other_here(self, entity: Entity, subject: Entity) -> bool:
        """Whether a pronoun that cannot mean the subject can here only mean the entity."""
        if entity.last_sentence != self.sentence or entity.pronoun_run >= _LONGEST_PRONOUN_RUN:
            return False
        return all(
            other is subject or other.last_sentence != self.sentence
            for other in self.rivals(entity)
        )

    def first_time_phrase(self) -> bool:
        """True once in each sentence: one phrase of time is enough."""
        fresh = self._timed != self.sentence
        self._timed = self.sentence
        return fresh

    def namesakes(self, entity: Entity, noun: str) -> list[Entity]:
        """Other known entities that the noun describes as well."""
        return [
            other
            for other in self.entities
            if other is not entity
            and other.known
            and other.number == entity.number
            and noun in other.nouns
        ]

    def stands_out(self, entity: Entity, noun: str) -> bool:
        """Whether "the" with the noun means this entity: it is the one being talked about.

        So two people may both be "the doctor" in one text, each while it is about them.
        """
        own = self.salience(entity)
        return all(
            other.last_sentence < self.sentence and own > self.salience(other)
            for other in self.namesakes(entity, noun)
        )

    def latest_with(self, entity: Entity, noun: str) -> bool:
        """Whether of all that the noun describes this one was mentioned last."""
        latest = max((o.last_sentence for o in self.namesakes(entity, noun)), default=-99)
        return entity.last_sentence > latest

    def people(self) -> list[Entity]:
        """Single people mentioned so far, the most salient first."""
        found = [entity for entity in self.entities if entity.is_person and entity.known]
        return sorted(found, key=lambda entity: (-self.salience(entity), entity.ident))

    def of_kind(self, kinds: tuple[str, ...]) -> list[Entity]:
        """Known entities of the classes that are still in mind, the most salient first."""
        found = [
            entity
            for entity in self.entities
            if entity.known and entity.kind in kinds and self.sentence - entity.last_sentence <= 6
            and not entity.members
        ]  # fmt: skip
        return sorted(found, key=lambda entity: (-self.salience(entity), entity.ident))
