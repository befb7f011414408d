"""Common nouns by meaning class, and the places with the prepositions they take.

The classes are what verbs select by. Many of these nouns are also verbs or adjectives
elsewhere in the lexicon (a walk / to walk, the cold / cold, a watch / to watch), which is
intended: the form of a word alone must not give its part of speech away.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Noun:
    """A common noun: its meaning class, and whether it is a mass noun."""

    lemma: str
    kind: str
    mass: bool = False


# Mass nouns are marked with "~".
_TABLE = {
    "role": "doctor nurse teacher farmer cook guard guide baker sailor painter singer writer "
    "driver lawyer judge pilot clerk student librarian soldier dancer gardener carpenter tailor "
    "mechanic engineer reporter musician builder hunter potter miller shepherd weaver jeweler "
    "barber banker dentist chemist sculptor architect fiddler grocer translator surveyor "
    "innkeeper beekeeper watchmaker glazier cobbler archivist",
    "animal": "dog cat horse sheep goat cow duck goose hen rabbit fox mouse pony parrot donkey "
    "pig bear deer fish wolf owl crow calf turtle squirrel hedgehog badger heron pigeon otter",
    "readable": "letter book note map report newspaper diary play paper postcard list poem "
    "magazine story novel recipe guide manual ledger pamphlet",
    "food": "cake apple ~bread ~soup pie ~cheese egg sandwich ~fish pear ~rice potato tomato "
    "~cabbage carrot loaf ~honey ~salad plum ~jam biscuit pancake turnip",
    "drink": "~water ~milk ~tea ~coffee ~juice ~wine ~cider",
    "tool": "knife hammer saw brush rope ladder net key shovel telescope broom iron "
    "needle chisel bucket spade compass wrench",
    "lamp": "lamp light lantern radio stove heater",
    "vehicle": "car boat ship bicycle train cart truck bus wagon van sled canoe",
    "clothes": "coat hat dress scarf glove shirt sweater boot jacket belt apron cloak vest",
    "container": "box bag basket bottle cup jar trunk chest barrel crate jug",
    "furniture": "table chair bed desk bench shelf stool rug cupboard",
    "instrument": "piano violin guitar drum flute trumpet fiddle banjo harp cello",
    "plant": "plant rose tree bush flower tulip oak fern lily vine cactus",
    "toy": "kite doll ball puzzle present puppet marble",
    "valuable": "watch ring coin medal necklace photo painting picture drawing stamp vase brooch "
    "clock mirror",
    "place": "garden kitchen park house school market river station field library village hospital "
    "shop forest hill bridge lake harbor church farm museum cafe office stable bakery mill barn "
    "hotel theater square workshop orchard meadow cellar tower cottage tavern chapel quarry "
    "road street path",
    "outing": "walk run swim ride drive walk",
    "event": "call dance race match show fair wedding party storm concert fight talk play "
    "meeting visit trip fire parade lesson fall dinner auction funeral picnic",
    "thought": "plan idea question answer joke secret dream mistake promise rule riddle rumor "
    "lie song",
}  # fmt: skip

NOUNS: dict[str, list[Noun]] = {
    kind: [Noun(word.lstrip("~"), kind, word.startswith("~")) for word in text.split()]
    for kind, text in _TABLE.items()
}

#: Kin nouns by the gender of the person they describe.
KIN = {
    "Masc": ["brother", "father", "son", "uncle", "husband", "grandfather", "nephew"],
    "Fem": ["sister", "mother", "daughter", "aunt", "wife", "grandmother", "niece"],
}
#: Nouns that need an owner ("her cousin") but do not show gender.
COMPANIONS = ["friend", "cousin", "neighbor", "partner", "pupil"]

#: What any person, and any member of a class, may be called instead.
HYPERNYMS = {
    "Masc": ["man", "man", "boy"],
    "Fem": ["woman", "woman", "girl"],
    "animal": ["animal", "creature"],
    "instrument": ["instrument"],
    "vehicle": ["vehicle"],
    "clothes": ["garment"],
    "tool": ["tool"],
    "toy": ["toy"],
}

#: Entity types of UD English GUM by meaning class.
ENTITY_TYPES = {
    "role": "person", "person": "person", "animal": "animal", "place": "place", "town": "place",
    "event": "event", "outing": "event", "thought": "abstract", "plant": "plant",
    "drink": "substance",
}  # fmt: skip

#: How one is somewhere: the preposition by place, "in" being the rule.
LOCATED = {
    word: prep
    for prep, text in {
        "at": "school market station hospital museum church cafe office hotel theater mill",
        "on": "hill bridge farm square road street path",
        "near": "river lake harbor tower",
    }.items()
    for word in text.split()
}

_INDOORS = (
    "kitchen house school station library hospital shop church museum cafe office hotel theater "
    "mill bakery stable barn workshop cellar tower cottage tavern chapel"
).split()
_CROSSED = "river lake bridge field square park meadow harbor".split()
_THROUGH = "park forest market village field orchard garden meadow".split()

#: Classes of things that go together; a document keeps mostly to one row.
THEMES = (
    ("food", "drink", "furniture", "container"),
    ("readable", "thought", "furniture", "lamp"),
    ("vehicle", "tool", "container", "readable"),
    ("clothes", "valuable", "container", "toy"),
    ("instrument", "event", "thought", "valuable"),
    ("plant", "tool", "food", "readable"),
    ("toy", "event", "lamp", "food"),
    ("valuable", "readable", "vehicle", "thought"),
)


def ways_to(place: str) -> list[str]:
    """Prepositions of movement that suit a place; the more usual ones more than once."""
    ways = ["to", "to", "from", "past", "toward", "near"]
    if place in _CROSSED:
        ways += ["across", "across"]
    if place in _THROUGH:
        ways += ["through", "through"]
    if place in _INDOORS:
        ways += ["into", "into"]
    if place == "hill":
        ways += ["up", "down", "up", "down", "over"]
    if place in ("road", "street", "path"):
        ways = ["along", "up", "down", "across", "along", "up"]
    return ways


def spots_at(place: str) -> list[str]:
    """Prepositions of position that suit a place."""
    usual = LOCATED.get(place, "in")
    spots = [usual, usual, usual, "near", "by"]
    if place in _INDOORS:
        spots += ["behind", "outside", "inside"]
    return spots


#: Concrete classes a person can handle.
THINGS = (
    "readable", "food", "tool", "clothes", "container", "instrument", "plant", "toy", "valuable",
    "furniture", "vehicle", "lamp",
)  # fmt: skip

#: Names of groups of classes that verbs may select.
GROUPS: dict[str, tuple[str, ...]] = {
    "thing": THINGS,
    "small": ("readable", "food", "tool", "clothes", "toy", "valuable", "container"),
    "visible": (*THINGS, "animal", "person", "place"),
    "living": ("person", "animal"),
    "sort": ("readable", "tool", "clothes", "toy", "valuable", "container"),
}
