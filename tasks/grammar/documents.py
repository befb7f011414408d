"""Documents: stories, reports, talks and letters, each with its people and its tense."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

from .assembly import capitalise, drop_doubled_punctuation
from .cast import Cast
from .clauses import Clauses
from .discourse import Discourse, Entity, Speech
from .events import Events
from .inflection import needs_an
from .noun_modifiers import NounModifiers
from .noun_phrases import NounPhrases
from .sampler import Sampler
from .sentences import Sentences
from .speech import Speaking
from .trees import Node, leaves

_FEWEST, _MOST = 8, 14


@dataclass(frozen=True)
class Document:
    """Sentence trees, and the entities that their mentions name by position."""

    trees: list[Node]
    entities: list[Entity]


def write_document(sampler: Sampler) -> Document:
    """One document from one random stream."""
    discourse = Discourse(sampler)
    cast = Cast(sampler, discourse)
    phrases = NounPhrases(sampler, discourse, cast)
    events = Events(sampler, discourse, cast, phrases)
    genre = sampler.weighted([("story", 4.0), ("talk", 2.6), ("report", 1.7), ("letter", 1.9)])
    tense = "Pres" if genre == "report" or (genre == "letter" and sampler.chance(0.4)) else "Past"
    clauses = Clauses(sampler, discourse, cast, phrases, events, tense)
    sentences = Sentences(sampler, discourse, cast, phrases, events, clauses)
    speaking = Speaking(sampler, discourse, phrases, clauses, sentences)
    NounModifiers(sampler, discourse, cast, phrases, events, clauses)
    count = _FEWEST + sampler.below(_MOST - _FEWEST + 1)
    trees: list[Node] = []

    def take(tree: Node) -> None:
        """Accept a finished sentence and go on to the next."""
        _finish(tree)
        trees.append(tree)
        discourse.sentence += 1

    if genre == "letter":
        writer, reader = cast.person(named=True), cast.person(named=True)
        discourse.speech, clauses.spoken = Speech(writer, reader), True
        take(speaking.salutation())
        while len(trees) < count - 1:
            take(speaking.spoken())
        take(speaking.signature())
    else:
        hero = cast.person()
        take(sentences.opening(hero))
        second = cast.person(gender=hero.gender if sampler.chance(0.6) else "")
        take(sentences.opening(second))
        talking = {"talk": 0.5, "story": 0.16, "report": 0.07}[genre]
        while len(trees) < count:
            speak = sampler.chance(talking)
            take(speaking.quotation() if speak else sentences.narrative())
    return Document(trees, discourse.entities)


def _finish(tree: Node) -> None:
    """Settle what depends on neighbouring words: doubled commas, "an", the first capital."""
    drop_doubled_punctuation(tree)
    items = list(leaves(tree))
    for item, following in itertools.pairwise(items):
        word, after = item.word, following.word
        if word is not None and after is not None and word.lemma == "a" and word.upos == "DET":
            if needs_an(after.form):
                item.word = replace(word, form=word.form + "n")
    capitalise(tree)
