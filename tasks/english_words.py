"""Closed lists of English words, for data without tags, morphology or dependencies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Agreement(NamedTuple):
    """What two mentions of one entity share, in the values of UD (``Sing``, ``Masc``, ``3``).

    Several values are joined by commas, as in UD; an empty string is not known.
    """

    person: str
    number: str
    gender: str


def _pronouns() -> dict[str, Agreement]:
    found: dict[str, Agreement] = {}
    for person, number, gender, forms in (
        ("1", "Sing", "", "i me my mine myself"),
        ("1", "Plur", "", "we us our ours ourselves 's ’s"),
        ("2", "", "", "you your yours ye thou thee thy thine"),
        ("2", "Sing", "", "yourself thyself"),
        ("2", "Plur", "", "yourselves"),
        ("3", "Sing", "Masc", "he him his himself"),
        ("3", "Sing", "Fem", "she her hers herself"),
        ("3", "Sing", "Neut", "it its itself 't"),
        ("3", "Plur", "", "they them their theirs themselves 'em"),
        ("", "", "", "who whom whose which what that"),
        ("3", "Sing", "", "this one oneself"),
        ("3", "Plur", "", "these those"),
    ):
        found |= dict.fromkeys(forms.split(), Agreement(person, number, gender))
    return found


PRONOUNS: Mapping[str, Agreement] = _pronouns()
"""Personal, possessive, reflexive, relative and demonstrative pronouns, in lower case."""

THIRD_PERSON = frozenset(
    "he him his himself she her hers herself it its itself "
    "they them their theirs themselves 'em".split()
)
"""The personal pronouns of the third person, possessives and reflexives included."""

GENDERS: Mapping[str, str] = dict.fromkeys(
    "mr mr. sir lord man men boy boys gentleman gentlemen father son brother husband uncle nephew "
    "grandfather king prince".split(),
    "Masc",
) | dict.fromkeys(
    "mrs mrs. miss ms ms. madam lady ladies woman women girl girls mother daughter sister wife "
    "aunt niece grandmother queen princess".split(),
    "Fem",
)
"""Titles, and nouns of persons, whose gender is in the word."""

POSTMODIFYING = frozenset(
    "of in at on with from for to by under over about near who whom whose which that where "
    ", ; : -- — (".split()
)
"""Words and marks before which, in a phrase, its noun stands: *the boys who had come*."""
