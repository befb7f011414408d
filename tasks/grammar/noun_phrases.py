"""Noun phrases: how an entity is introduced, described again, or taken up by a pronoun."""

from __future__ import annotations

from collections.abc import Callable

from .cast import Cast
from .discourse import Discourse, Entity
from .nouns import spots_at
from .sampler import Sampler
from .trees import Node, Word, leaf, phrase
from .words import (
    adjective,
    coordinator,
    determiner,
    name,
    nonfinite,
    noun,
    numeral,
    ordinal,
    possessive_clitic,
    preposition,
    pronoun,
    punctuation,
    simple,
)

_PRONOUN_CHANCE = {"subj": 0.82, "obj": 0.78, "obl": 0.65, "poss": 0.9}
_CASES = {"subj": "Nom", "obj": "Acc", "obl": "Acc", "poss": "Gen"}


def prepositional(form: str, complement: Node, relation: str) -> Node:
    """A prepositional phrase, headed by its noun as in UD."""
    return phrase("PP", leaf(preposition(form), "case"), complement.as_("head")).as_(relation)


class NounPhrases:
    """Builds the noun phrases of one document and records the mentions they make."""

    def __init__(self, sampler: Sampler, discourse: Discourse, cast: Cast) -> None:
        self._sampler = sampler
        self._discourse = discourse
        self._cast = cast
        self._depth = 0
        #: Builds a clause that modifies an entity just introduced, or None; set by Clauses.
        self.modifying_clause: Callable[[Entity], Node | None] = lambda entity: None

    def mention(self, entity: Entity, role: str, subject: Entity | None = None) -> Node:
        """A noun phrase for the entity in the role subj, obj, obl or poss.

        ``subject`` is the subject of the clause, which an object or oblique that means the
        same entity repeats as a reflexive.
        """
        reflexive = subject is entity and role in ("obj", "obl")
        if reflexive or self._discourse.is_speech_person(entity):
            return self._pronoun(entity, role, reflexive)
        clashes = (
            subject is not None and role in ("obj", "obl") and self._same_form(subject, entity)
        )
        if not clashes and self._discourse.pronoun_fits(entity):
            if self._sampler.chance(self._pronoun_chance(entity, role)):
                return self._pronoun(entity, role, False)
        if clashes and subject is not None and self._discourse.only_other_here(entity, subject):
            if self._sampler.chance(self._pronoun_chance(entity, role)):
                return self._pronoun(entity, role, False)
        return self.full(entity, role)

    def _pronoun_chance(self, entity: Entity, role: str) -> float:
        """How likely a pronoun is where it would be understood."""
        if entity.kind in ("place", "town") and role == "obl":
            return 0.1
        # A second full noun phrase for one person in one sentence reads as someone else.
        here = entity.last_sentence == self._discourse.sentence
        return 0.95 if here and entity.kind == "person" else _PRONOUN_CHANCE[role]

    def _same_form(self, one: Entity, other: Entity) -> bool:
        """Whether both would be the same pronoun, which in one clause would mislead."""
        agreement = self._discourse.agreement
        return agreement(one) == agreement(other)

    def _pronoun(self, entity: Entity, role: str, reflexive: bool) -> Node:
        case = "Reflex" if reflexive else _CASES[role]
        word = pronoun(self._discourse.agreement(entity), case)
        self._discourse.note(entity, role, by_pronoun=True)
        return phrase("NP", leaf(word)).mentioning(entity.ident)

    def full(self, entity: Entity, role: str) -> Node:
        """A noun phrase that is not a pronoun."""
        self._depth += 1
        if entity.members:
            node = self._group(entity)
        elif entity.known:
            node = self._describe(entity, role)
        else:
            node = self._introduce(entity, role)
        self._depth -= 1
        self._discourse.note(entity, role, by_pronoun=False)
        return node.mentioning(entity.ident)

    # Groups of people

    def _group(self, entity: Entity) -> Node:
        draw = self._sampler
        if entity.known and draw.chance(0.45):
            genders = [member.gender for member in entity.members]
            label = "people"
            if genders.count(genders[0]) == len(genders):
                label = "women" if genders[0] == "Fem" else "men"
            if draw.chance(0.3):
                label = "friends"
            lemma = {"people": "person", "women": "woman", "men": "man"}.get(label, "friend")
            word = noun(lemma, "Plur")
            if label == "people":
                word = type(word)(label, lemma, "NOUN", "NNS", "Number=Plur")
            if draw.chance(0.4):
                return phrase("NP", leaf(determiner("both"), "det"), leaf(word))
            count = {2: "two", 3: "three"}[len(entity.members)]
            if draw.chance(0.5):
                return phrase(
                    "NP", leaf(determiner("the"), "det"), leaf(numeral(count), "nummod"), leaf(word)
                )
            return phrase("NP", leaf(determiner("the"), "det"), leaf(word))
        parts = [self.full(member, "subj") for member in entity.members]
        node = coordinate("NP", parts, "and")
        if draw.chance(0.12):
            node.children.insert(0, leaf(coordinator("both"), "cc:preconj"))
        return node

    # Later mentions

    def _describe(self, entity: Entity, role: str) -> Node:
        draw = self._sampler
        if entity.kind == "town":
            return phrase("NP", leaf(name(entity.first)))
        named = entity.named and (entity.kind != "person" or draw.chance(0.7))
        if entity.is_person and entity.named and "role" not in entity.told:
            general = entity.nouns[-1]
            if not named and self._is_latest_of_kind(entity, general):
                return self._noun_phrase(entity, leaf(determiner("the"), "det"), general, False)
            named = True
        if named:
            return self._name(entity)
        owner = entity.owner
        if owner is not None and draw.chance(0.6) and owner.known:
            return self._owned(entity, entity.nouns[0])
        node = self._definite(entity)
        if entity.kind != "place" and self._depth == 1 and draw.chance(0.07):
            clause = self.modifying_clause(entity)
            return phrase("NP", node, clause) if clause is not None else node
        return node

    def _name(self, entity: Entity) -> Node:
        draw = self._sampler
        formal = entity.title and "last" in entity.told
        if formal and ("first" not in entity.told or draw.chance(0.5)):
            return phrase("NP", leaf(name(entity.title), "nmod:desc"), leaf(name(entity.last)))
        if entity.last and draw.chance(0.15):
            return self._full_name(entity)
        return phrase("NP", leaf(name(entity.first)))

    def by_name(self, entity: Entity, role: str) -> Node:
        """The full name, as an introduction."""
        self._discourse.note(entity, role, by_pronoun=False)
        return self._full_name(entity).mentioning(entity.ident)

    def by_noun_and_name(self, entity: Entity, role: str) -> Node:
        """ "A nurse named Anna", as an introduction."""
        node = self._noun_and_name(entity) if entity.named else self._indefinite(entity)
        self._discourse.note(entity, role, by_pronoun=False)
        return node.mentioning(entity.ident)

    def _noun_and_name(self, entity: Entity) -> Node:
        whole = self._sampler.chance(0.5) and bool(entity.last)
        entity.tell("first")
        called = self._full_name(entity) if whole else phrase("NP", leaf(name(entity.first)))
        verb = leaf(nonfinite(self._sampler.pick(["name", "call"]), "Pass"))
        return phrase("NP", self._indefinite(entity),
                      phrase("VP", verb, called.as_("xcomp")).as_("acl"))  # fmt: skip

    def _full_name(self, entity: Entity) -> Node:
        entity.tell("first", "last")
        surname = leaf(name(entity.last), "flat") if entity.last else None
        return phrase("NP", leaf(name(entity.first)), surname)

    def _definite(self, entity: Entity) -> Node:
        """A definite description with what tells the entity from others of the same noun."""
        draw = self._sampler
        discourse = self._discourse
        word = entity.nouns[0]
        general = entity.nouns[-1]
        if general != word and draw.chance(0.3) and self._is_latest_of_kind(entity, general):
            return self._noun_phrase(entity, leaf(determiner("the"), "det"), general, False)
        article = "the"
        recent = discourse.sentence - entity.last_sentence <= 2
        if recent and entity.kind != "place" and draw.chance(0.11):
            article = (
                ("those" if entity.number == "Plur" else "that")
                if draw.chance(0.65)
                else ("these" if entity.number == "Plur" else "this")
            )
        others = discourse.namesakes(entity, word)
        ambiguous = bool(others) and not discourse.stands_out(entity, word)
        differs = all(other.adjective != entity.adjective for other in others)
        if ambiguous and not differs:
            modifier = leaf(_other(), "amod")
            return phrase("NP", leaf(determiner("the"), "det"), modifier,
                          leaf(noun(word, entity.number)))  # fmt: skip
        tell = bool(entity.adjective) and (ambiguous or draw.chance(0.12))
        return self._noun_phrase(entity, leaf(determiner(article), "det"), word, tell)

    def _is_latest_of_kind(self, entity: Entity, general: str) -> bool:
        return not entity.mass and self._discourse.latest_with(entity, general)

    def _noun_phrase(self, entity: Entity, first: Node | None, word: str, tell: bool) -> Node:
        modifier = adjective(entity.adjective).as_("amod") if tell else None
        number = leaf(numeral(entity.numeral), "nummod") if (
            entity.numeral and self._sampler.chance(0.3)
        ) else None  # fmt: skip
        every: Node | None = None
        if entity.number == "Plur" and number is None and self._sampler.chance(0.12):
            every = leaf(simple("all", "DET", "PDT", "PronType=Tot"), "det:predet")
        return phrase("NP", every, first, number, modifier, leaf(noun(word, entity.number)))

    def _owned(self, entity: Entity, word: str, tell: bool = False) -> Node:
        """ "Her dog", "Anna's dog"."""
        assert entity.owner is not None
        owner = self.possessor(entity.owner)
        modifier = adjective(entity.adjective).as_("amod") if tell else None
        return phrase("NP", owner, modifier, leaf(noun(word, entity.number)))

    def possessor(self, owner: Entity) -> Node:
        """A possessive pronoun or a noun phrase with "'s"."""
        if owner is self._discourse.latest and owner.last_sentence == self._discourse.sentence:
            node = self._pronoun(owner, "poss", False)
        else:
            node = self.mention(owner, "poss")
        if node.children[0].label == "PRP$":
            return _promoted(node)
        node.children.append(leaf(possessive_clitic(), "case"))
        return node.as_("nmod:poss")

    # First mentions

    def _introduce(self, entity: Entity, role: str) -> Node:
        if entity.kind == "town":
            return phrase("NP", leaf(name(entity.first)))
        if entity.owner is not None and entity.owner.known:
            return self._introduce_owned(entity)
        if entity.is_person and entity.named:
            return self._introduce_named(entity, role)
        return self._introduce_by_noun(entity)

    def _introduce_owned(self, entity: Entity) -> Node:
        entity.tell("role")
        tell = bool(entity.adjective) and self._sampler.chance(0.25)
        owned = self._owned(entity, entity.nouns[0], tell)
        if not entity.named:
            return owned
        entity.tell("first")
        return phrase("NP", owned, phrase("NP", leaf(name(entity.first))).as_("appos"))

    def _introduce_named(self, entity: Entity, role: str) -> Node:
        draw = self._sampler
        way = draw.weighted([("full", 4), ("first", 2), ("named", 2.5), ("appos", 2.5),
                             ("title", 1.5 if entity.title else 0)])  # fmt: skip
        if way == "full" or (way == "appos" and self._depth > 1):
            return self._full_name(entity)
        if way == "first":
            entity.tell("first")
            return phrase("NP", leaf(name(entity.first)))
        if way == "title":
            entity.tell("last")
            return phrase("NP", leaf(name(entity.title), "nmod:desc"), leaf(name(entity.last)))
        if way == "named":
            return self._noun_and_name(entity)
        noun_part = self._indefinite(entity)
        if draw.chance(0.35):
            town = self._cast.town()
            from_town = prepositional("from", self.mention(town, "obl"), "nmod")
            noun_part = phrase("NP", noun_part, from_town)
        return phrase(
            "NP", self._full_name(entity), comma().to_next("punct"), noun_part.as_("appos"),
            comma().to_previous("punct"),
        )  # fmt: skip

    def _introduce_by_noun(self, entity: Entity) -> Node:
        draw = self._sampler
        if entity.named:
            return self._noun_and_name(entity)
        base = self._place(entity) if entity.kind == "place" else self._indefinite(entity)
        again = bool(self._discourse.namesakes(entity, entity.nouns[0]))
        if self._depth > 1 or not draw.chance(0.15 if again else 0.5):
            return base
        if entity.kind != "place" and draw.chance(0.6):
            # The clause may speak of the entity itself, so it has to count as mentioned.
            clause = self.modifying_clause(entity)
            return phrase("NP", base, clause) if clause is not None else base
        modifier = self._modifier(entity)
        return phrase("NP", base, modifier) if modifier is not None else base

    def _place(self, entity: Entity) -> Node:
        """Places are definite at once: everyone knows "the station"."""
        article = "the" if self._sampler.chance(0.8) else "a"
        tell = self._sampler.chance(0.4 if article == "a" else 0.2)
        return self._noun_phrase(entity, leaf(determiner(article), "det"), entity.nouns[0], tell)

    def _indefinite(self, entity: Entity) -> Node:
        draw = self._sampler
        entity.tell("role")
        word = entity.nouns[0]
        again = bool(self._discourse.namesakes(entity, word))
        # A second thing of a kind is often introduced in the very words of the first.
        tell = bool(entity.adjective) and draw.chance(0.1 if again else 0.36)
        modifier = adjective(entity.adjective).as_("amod") if tell else None
        head = leaf(noun(word, entity.number))
        if entity.mass:
            first = leaf(determiner("some"), "det") if draw.chance(0.5) else None
            return phrase("NP", first, modifier, head)
        if entity.number == "Plur":
            if entity.numeral:
                return phrase("NP", leaf(numeral(entity.numeral), "nummod"), modifier, head)
            return phrase("NP", self._plural_start(), modifier, head)
        if again:
            if draw.chance(0.2):
                second = leaf(ordinal("second"), "amod")
                return phrase("NP", leaf(determiner("a"), "det"), second, modifier, head)
            if draw.chance(0.25):
                return phrase("NP", leaf(determiner("another"), "det"), modifier, head)
        return phrase("NP", leaf(determiner("a"), "det"), modifier, head)

    def _plural_start(self) -> Node | None:
        draw = self._sampler
        kind = draw.weighted([("some", 3.0), ("bare", 2.0), ("many", 1.0), ("several", 1.0)])
        if kind == "some":
            return leaf(determiner("some"), "det")
        return None if kind == "bare" else adjective(kind).as_("amod")

    def _modifier(self, entity: Entity) -> Node | None:
        """A prepositional phrase inside the noun phrase, where the class has one."""
        draw = self._sampler
        cast = self._cast
        if entity.kind in ("person", "animal"):
            if entity.kind == "person" and draw.chance(0.5):
                thing = cast.thing(draw.pick(["clothes", "clothes", "container", "instrument"]))
                return prepositional("with", self.mention(thing, "obl"), "nmod")
            target = self.some_place()
            form = draw.pick(["from", *spots_at(target.nouns[0])])
            if entity.kind == "person" and draw.chance(0.4):
                target, form = cast.town(), "from"
            return prepositional(form, self.mention(target, "obl"), "nmod")
        if entity.kind == "container":
            filling = cast.thing("food")
            if not filling.mass:
                filling.number, filling.gender, filling.numeral = "Plur", "", ""
            filling.adjective = ""
            head = leaf(noun(filling.nouns[0], "Plur" if not filling.mass else "Sing"))
            self._discourse.note(filling, "obl", by_pronoun=False)
            return prepositional("of", phrase("NP", head).mentioning(filling.ident), "nmod")
        people = self._discourse.people()
        if entity.kind in ("readable", "thought") and people:
            form = draw.pick(["from", "about", "for", "by", "about"])
            return prepositional(form, self.mention(draw.pick(people), "obl"), "nmod")
        place = self.some_place()
        if entity.kind == "place":
            form = draw.pick(["near", "by", "behind"])
        else:
            form = draw.pick(["from", *spots_at(place.nouns[0])])
        return prepositional(form, self.mention(place, "obl"), "nmod")

    def some_place(self) -> Entity:
        """A place known already, or else a new one."""
        known = [
            entity for entity in self._discourse.of_kind(("place",))
            if entity.last_sentence < self._discourse.sentence
        ]  # fmt: skip
        if known and self._sampler.chance(0.55):
            return self._sampler.pick(known[:3])
        return self._cast.place()


def comma() -> Node:
    """A comma leaf, to be given its relation."""
    return leaf(punctuation(","), "punct")


def coordinate(label: str, parts: list[Node], conjunction: str) -> Node:
    """A coordination headed by its first part; commas between all but the last two."""
    children: list[Node] = [parts[0].as_("head")]
    for index, part in enumerate(parts[1:], 1):
        if index == len(parts) - 1:
            children.append(leaf(coordinator(conjunction)).to_next("cc"))
        else:
            children.append(comma().to_next("punct"))
        children.append(part.as_("conj"))
    return phrase(label, *children)


def _promoted(node: Node) -> Node:
    """The one leaf of a pronoun phrase, taking over its mention."""
    only = node.children[0]
    only.entity = node.entity
    return only.as_("nmod:poss")


def _other() -> Word:
    return simple("other", "ADJ", "JJ", "Degree=Pos")


def no_such(lemma: str) -> Node:
    """ "No letter": it speaks of nothing in particular and so is no mention."""
    return phrase("NP", leaf(determiner("no"), "det"), leaf(noun(lemma, "Sing")))
