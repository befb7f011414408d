"""The casting of a document: new people, animals, things and places with their attributes."""

from __future__ import annotations

from .discourse import Discourse, Entity
from .lexicon import AMBIGUOUS
from .modifiers import ADJECTIVES, NUMERALS
from .names import FIRST_NAMES, PET_GENDERS, PET_NAMES, SURNAMES, TOWNS
from .nouns import COMPANIONS, ENTITY_TYPES, HYPERNYMS, KIN, LOCATED, NOUNS, THEMES, Noun
from .sampler import Sampler

_MOST_PEOPLE = 6
_LEANING = 0.35
_KIN_OF_ADULTS = frozenset("husband wife son daughter nephew niece pupil partner".split())


class Cast:
    """Makes entities that suit the document and differ in the right ways from one another."""

    def __init__(self, sampler: Sampler, discourse: Discourse) -> None:
        self._sampler = sampler
        self._discourse = discourse
        self.theme = sampler.pick(THEMES)

    def person(self, named: bool | None = None, gender: str = "") -> Entity:
        """A person, at times with the role or the surname of someone known already."""
        draw = self._sampler
        others = [e for e in self._discourse.entities if e.is_person]
        gender = gender or self._gender_beside(others)
        roles = [noun.lemma for noun in NOUNS["role"]]
        role = self._noun("role").lemma
        if others and draw.chance(0.55):
            taken = [noun for other in others for noun in other.nouns if noun in roles]
            role = draw.pick(taken) if taken else role
        adult, young = HYPERNYMS[gender][0], HYPERNYMS[gender][2]
        nouns = [young] if draw.chance(0.12) else [role, adult]
        entity = self._discourse.add("person", "person", nouns)
        entity.gender = gender
        adjectives = ADJECTIVES["person"]
        if young in nouns:
            adjectives = [word for word in adjectives if word not in ("old", "elderly", "strict")]
        entity.adjective = draw.pick(adjectives)
        if draw.chance(0.6) if named is None else named:
            self._name(entity, others)
        return entity

    def _noun(self, kind: str) -> Noun:
        """A noun of the class, with a leaning to those that are other words as well."""
        options = NOUNS[kind]
        if self._sampler.chance(_LEANING):
            options = [noun for noun in options if noun.lemma in AMBIGUOUS] or options
        return self._sampler.pick(options)

    def _gender_beside(self, others: list[Entity]) -> str:
        """The gender of someone known in most cases, so that pronouns have rivals."""
        if others and self._sampler.chance(0.62):
            return self._sampler.pick(others).gender
        return self._sampler.pick(["Fem", "Masc"])

    def _name(self, entity: Entity, others: list[Entity]) -> None:
        draw = self._sampler
        taken = [other.first for other in self._discourse.entities]
        free = [name for name in FIRST_NAMES[entity.gender] if name not in taken]
        entity.first = draw.pick_early(free)
        surnames = [other.last for other in others if other.last]
        related = surnames and draw.chance(0.25)
        entity.last = draw.pick(surnames) if related else draw.pick_early(SURNAMES)
        grown = entity.nouns[-1] in ("man", "woman")
        if grown and draw.chance(0.3):
            entity.title = "Mr." if entity.gender == "Masc" else draw.pick(["Mrs.", "Ms."])
            if "doctor" in entity.nouns:
                entity.title = "Dr."

    def relative_of(self, owner: Entity) -> Entity:
        """Someone's relative, friend or neighbor."""
        draw = self._sampler
        entity = self.person(named=draw.chance(0.5))
        kin = KIN[entity.gender] if draw.chance(0.7) else COMPANIONS
        if owner.nouns[-1] in ("boy", "girl"):
            kin = [word for word in kin if word not in _KIN_OF_ADULTS]
        used = [e.nouns[0] for e in self._discourse.entities if e.owner is owner]
        free = [word for word in kin if word not in used] or kin
        grown = HYPERNYMS[entity.gender][0]
        entity.nouns = [draw.pick(free), grown]
        entity.owner = owner
        if entity.title == "Dr.":
            entity.title = ""
        return entity

    def may_add_person(self) -> bool:
        """Whether the document has room for one more person."""
        return sum(entity.is_person for entity in self._discourse.entities) < _MOST_PEOPLE

    def animal(self) -> Entity:
        """An animal, at times of a kind known already; pets with names have a gender."""
        draw = self._sampler
        known = [e for e in self._discourse.entities if e.kind == "animal"]
        noun = self._noun("animal").lemma
        if known and draw.chance(0.55):
            noun = draw.pick(known).nouns[0]
        entity = self._discourse.add("animal", "animal", [noun, *HYPERNYMS["animal"]])
        entity.adjective = draw.pick(ADJECTIVES["animal"])
        if noun in ("dog", "cat", "horse", "pony", "parrot") and draw.chance(0.5):
            taken = [other.first for other in self._discourse.entities]
            entity.first = draw.pick([name for name in PET_NAMES if name not in taken])
            entity.gender = PET_GENDERS[entity.first]
        elif draw.chance(0.4):
            self._make_plural(entity)
        return entity

    def thing(self, kind: str) -> Entity:
        """A thing of a class, at times with the noun of one known already."""
        draw = self._sampler
        known = [e for e in self._discourse.entities if e.kind == kind]
        noun = self._noun(kind)
        if known and draw.chance(0.7):
            lemma = draw.pick(known).nouns[0]
            noun = next(option for option in NOUNS[kind] if option.lemma == lemma)
        nouns = [noun.lemma, *HYPERNYMS.get(kind, [])]
        entity = self._discourse.add(kind, ENTITY_TYPES.get(kind, "object"), nouns)
        entity.mass = noun.mass
        entity.adjective = draw.pick(ADJECTIVES[kind if kind in ADJECTIVES else "thing"])
        if not noun.mass and kind not in ("event", "outing") and draw.chance(0.36):
            self._make_plural(entity)
        return entity

    def place(self) -> Entity:
        """A place of the document."""
        draw = self._sampler
        taken = [e.nouns[0] for e in self._discourse.entities if e.kind == "place"]
        free = [noun.lemma for noun in NOUNS["place"] if noun.lemma not in taken]
        lemma = draw.pick(free)
        entity = self._discourse.add("place", "place", [lemma])
        entity.adjective = draw.pick(ADJECTIVES["place"])
        entity.preposition = LOCATED.get(lemma, "in")
        return entity

    def town(self) -> Entity:
        """A town with a name."""
        draw = self._sampler
        taken = [e.first for e in self._discourse.entities]
        entity = self._discourse.add("town", "place", ["town"])
        entity.first = draw.pick_early([name for name in TOWNS if name not in taken])
        return entity

    def of_kind(self, kind: str) -> Entity:
        """A new entity of any class that verbs may select."""
        if kind == "person":
            return self.person()
        if kind == "animal":
            return self.animal()
        if kind == "place":
            return self.place()
        return self.thing(kind)

    def _make_plural(self, entity: Entity) -> None:
        entity.number, entity.gender = "Plur", ""
        if self._sampler.chance(0.5):
            entity.numeral = self._sampler.pick_early(NUMERALS)
