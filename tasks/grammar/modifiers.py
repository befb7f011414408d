"""Adjectives, adverbs, numerals and phrases of time."""

from __future__ import annotations

#: Adjectives by the class of noun they describe; "any" suits every concrete thing.
ADJECTIVES: dict[str, list[str]] = {
    "person": "young old tall kind quiet clever rich poor brave shy honest famous busy proud "
    "gentle strict strong thin friendly lonely fat mean polite serious lazy bold stern "
    "curious elderly stubborn cheerful".split(),
    "animal": "brown black white old young small big hungry wild fat lame gray spotted thin tame "
    "quick fierce shaggy".split(),
    "thing": "old new small big red blue green heavy cheap light strange pretty plain expensive "
    "beautiful yellow white fine ancient tiny sturdy".split(),
    "tool": "old new small big heavy cheap light broken rusty strange sturdy long plain".split(),
    "container": "old small big empty heavy wooden dusty green open light clean dirty".split(),
    "furniture": "old new small big low wooden broken dusty crooked heavy plain sturdy".split(),
    "clothes": "old new red blue green warm light dry clean dirty faded long cheap fine".split(),
    "plant": "small tall green old dry wild pretty red yellow".split(),
    "vehicle": "old new red fast slow rusty big small empty clean dirty light cheap".split(),
    "readable": "long short old new thin secret interesting funny strange early plain "
    "tedious famous".split(),
    "food": "fresh cold warm sweet dry good small hot hard light salty ripe stale early".split(),
    "drink": "cold hot fresh warm cool sweet clean".split(),
    "place": "old small big quiet empty open narrow dark new busy little famous cold clean low "
    "ruined peaceful crowded".split(),
    "event": "long short early late slow fast hard early late great sudden small loud quiet "
    "terrible cheerful dull".split(),
    "outing": "long short early late quick fast slow".split(),
    "thought": "good bad simple hard strange silly clever new open secret foolish sensible".split(),
    "mood": "happy sad tired hungry cold angry afraid ready late calm well glad busy proud alone "
    "warm sorry sick worried weary nervous grateful".split(),
}
#: Adjectives that take -er and -est; the others take "more" and "most".
SHORT_ADJECTIVES = frozenset(
    "young old tall kind quiet clever rich poor brave proud gentle strong thin friendly lonely fat "
    "mean lazy bold stern small big hungry wild tame quick fierce light clean dirty pretty plain "
    "heavy cheap fine tiny long short new funny early fresh cold warm sweet dry good hot large "
    "salty ripe narrow dark busy low late slow fast hard great loud dull bad simple silly happy "
    "sad calm sick cool few strict".split()
)

#: Adverbs without -ly, most of them adjectives elsewhere, by the verbs they go with.
VERB_ADVERBS: dict[str, list[str]] = {
    verb: [adverb for adverb, verbs in {
        "fast": "run walk swim drive ride work rush cook read write eat",
        "hard": "work try study practice push pull hit fight play train think "
        "laugh dig chase clean",
        "well": "sing dance cook sleep swim write read play paint drive speak draw tune practice",
        "early": "arrive leave come go work return start wake close open eat",
        "late": "arrive leave come work return start sleep wake eat",
        "long": "wait sleep talk think",
        "straight": "walk run go drive look come sail",
        "alone": "live work travel walk sleep play sit go wait sing dance eat",
        "close": "come sit stand look",
    }.items() if verb in verbs.split()]
    for verb in (
        "run walk swim drive ride work rush cook read write eat try study practice push pull hit "
        "fight play train sing dance sleep paint speak draw tune arrive leave come go return start "
        "wake close open wait talk think laugh dig chase clean rest search travel look "
        "sail live sit stand"
    ).split()
}  # fmt: skip
LOUDNESS = {
    verb: ["loudly", "softly", "quietly"]
    for verb in "laugh sing talk cry shout call speak whistle answer smile dream".split()
}

#: Verbs for adjectives with the same form ("to clean") are in the verb table.
MANNER_PLAIN = "fast hard early late well long high low straight alone together".split()
MANNER_LY = (
    "quickly slowly quietly carefully suddenly happily sadly gently badly easily angrily politely "
    "nervously loudly softly calmly bravely kindly silently gladly eagerly awkwardly patiently "
    "clumsily cheerfully"
).split()
FREQUENCY = "often never always usually sometimes rarely seldom soon already finally still".split()
PLACE_ADVERBS = "here there outside inside nearby upstairs".split()
#: Adverbs without a Degree in UD English.
PLAIN_ADVERBS = frozenset(
    "never always sometimes already still so very too as just also only perhaps almost quite "
    "again together alone once".split()
)
DIRECTION_ADVERBS = "home back away there here out up down".split()
DEGREE_ADVERBS = "very so too rather quite really".split()

NUMERALS = "two three four five six seven eight nine ten twelve twenty".split()

#: Bare time phrases: (words before the noun, noun); an empty first part means a lone noun.
PAST_TIMES = [
    ("last", "night"), ("last", "week"), ("last", "year"), ("last", "summer"), ("", "yesterday"),
    ("that", "day"), ("that", "morning"), ("that", "night"), ("one", "day"), ("one", "evening"),
    ("last", "spring"), ("last", "fall"), ("the next", "day"), ("the next", "morning"),
]  # fmt: skip
PRESENT_TIMES = [
    ("every", "day"), ("every", "morning"), ("every", "week"), ("each", "night"),
    ("every", "evening"), ("this", "year"), ("every", "spring"), ("these", "days"),
]  # fmt: skip
FUTURE_TIMES = [("", "tomorrow"), ("next", "week"), ("next", "year"), ("this", "evening"),
                ("", "tonight"), ("next", "spring")]  # fmt: skip
#: Prepositional times: preposition, determiner or "", noun.
TIMES_WITH_PREPOSITION = [
    ("in", "the", "morning"), ("in", "the", "evening"), ("at", "", "night"), ("at", "", "noon"),
    ("after", "", "dinner"), ("before", "", "breakfast"), ("in", "", "winter"),
    ("in", "", "spring"), ("after", "", "school"), ("before", "", "dinner"), ("on", "", "Sunday"),
    ("until", "", "midnight"), ("since", "", "breakfast"), ("on", "", "Monday"),
    ("during", "the", "night"), ("after", "", "work"), ("by", "", "noon"), ("as", "a", "child"),
]  # fmt: skip
