"""The lexicon as a whole: which words belong to more than one part of speech.

The treebank is only worth probing if a word's form does not settle its analysis, so the
grammar prefers words such as "watch", "plant", "open" or "light" wherever they fit.
"""

from __future__ import annotations

from . import inflection, verbs
from .modifiers import ADJECTIVES, VERB_ADVERBS
from .nouns import KIN, NOUNS


def _lemmas_by_class() -> dict[str, list[str]]:
    """Every open-class lemma of the grammar, by part of speech."""
    frames = [
        *verbs.INTRANSITIVE, *verbs.MOTION, *verbs.TRANSITIVE, *verbs.PARTICLE,
        *verbs.PREPOSITIONAL, *verbs.GIVING, *verbs.PUTTING,
    ]  # fmt: skip
    return {
        "VERB": [frame.verb for frame in frames],
        "NOUN": [noun.lemma for table in NOUNS.values() for noun in table]
        + [word for table in KIN.values() for word in table],
        "ADJ": [word for table in ADJECTIVES.values() for word in table],
        "ADV": [word for table in VERB_ADVERBS.values() for word in table],
    }


LEMMAS = _lemmas_by_class()


def _ambiguous_lemmas() -> frozenset[str]:
    classes: dict[str, int] = {}
    for table in LEMMAS.values():
        for lemma in dict.fromkeys(table):
            classes[lemma] = classes.get(lemma, 0) + 1
    one_form = [lemma for lemma in LEMMAS["NOUN"] if inflection.plural(lemma) == lemma]
    return frozenset([lemma for lemma, count in classes.items() if count > 1] + one_form)


#: Lemmas with several parts of speech, or one form for both numbers ("sheep"); for
#: membership tests only, as sets have no order.
AMBIGUOUS = _ambiguous_lemmas()
