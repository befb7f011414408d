"""Pronouns: which of the nouns before it does a third-person pronoun stand for?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from ..core.errors import UsageError, did_you_mean
from ..core.types import SPLITS, Span
from .base import NO_HEAD, AnnotatedDocument, Corpus, Word
from .choices import Candidate, Choice, Found
from .mention_kinds import MentionKinds
from .smallest_constituent import SmallestConstituents
from .tagged_by_mentions import tagged_by_mentions

_NOUNS = ("NOUN", "PROPN")
_ANY = "any"


class PronounResolution:
    """The antecedent of a pronoun among the nouns before it in its sentence.

    ``pronoun`` chooses among the nouns that agree with the pronoun in number, ``pronoun:any``
    among all of them; the pronouns are the same. All splits are scored together, since nothing is
    fitted on any; ``pronoun:test`` (or ``dev``, ``train``) scores one, ``pronoun:any,test`` both.

    Source: Peters et al. 2018 (EMNLP, arXiv 1808.08949), the section on unsupervised coreference.
    They took the 904 sentences of CoNLL-2012 dev with such a pronoun, and report 52-57 % for the
    best layers; for the closest noun 41 % and the first noun 47 %, without agreement 27 and 35 %.
    """

    description = "which noun before it does a pronoun stand for? no training (pronoun:any: all)"
    version = "v1"
    candidate = "noun"

    def __init__(self, argument: str = "") -> None:
        given = argument.split(",") if argument else []
        for word in given:
            if word not in (_ANY, *SPLITS):
                raise UsageError(
                    f"not a choice of nouns or of a split: {word!r}",
                    where="--task pronoun",
                    cure="write pronoun, pronoun:any, pronoun:test or pronoun:any,test; "
                    + did_you_mean(word, (_ANY, *SPLITS)),
                )
        self.agreeing = _ANY not in given
        self.splits = tuple(split for split in SPLITS if split in given) or SPLITS
        plain = [] if self.agreeing else [_ANY]
        plain += self.splits if self.splits != SPLITS else ()
        self.name = f"pronoun:{','.join(plain)}" if plain else "pronoun"
        self.facts: Mapping[str, Any] = {
            "targets": "third-person personal pronouns (PronType=Prs, Person=3), possessives and "
            "reflexives included, that are a mention with a right noun before them in the sentence",
            "candidates": "the words tagged NOUN or PROPN before the pronoun in its sentence"
            + (", of those the ones that agree in number" if self.agreeing else ""),
            "agreement": "a value of Number in common (of Number[psor], the owner's, where a "
            "pronoun has it); all nouns agree with a pronoun that has no number",
            "right": "a noun that is the syntactic head of a mention of the pronoun's entity, or a "
            "further word of such a head's name (flat); the mention may hold the pronoun",
            "no_right_candidate": "where agreement leaves no right noun, or none at all, the "
            "target stays and every choice is wrong",
            "context": "the smallest constituent of more than one word that holds the pronoun: of "
            "the constituency tree in a document that has trees, otherwise the stretch of a "
            "dependency subtree; counts tell how many of which",
            "left_out": "pronouns that are no mention (expletives); without an antecedent in the "
            "sentence before them; whose antecedents there are no nouns; without a constituent",
            "untagged": "in a document without tags whose mentions have kinds (LitBank): pronouns "
            "are mentions of that kind by a closed list of English; nouns are the heads of the "
            "other mentions, the last words before a postmodifier by such a list, and agree "
            "with all; the constituent is the sentence",
            "splits": f"{', '.join(self.splits)}: scored together, since nothing is fitted",
        }

    def choices(self, document: AnnotatedDocument) -> Found:
        """One choice a pronoun, in order."""
        found: list[Choice] = []
        counts: Counter[str] = Counter()
        if document.mentions is None:
            return Found((), counts)
        tagged = tagged_by_mentions(document)
        document = tagged or document
        words = document.words
        entities = _entities(document)
        heads = _heads(document)
        constituents = SmallestConstituents(document)
        source = "sentences" if tagged else constituents.source
        for start, pronoun in _pronouns(document):
            counts["pronouns"] += 1
            own = entities.get(Span(pronoun, pronoun + 1), set())
            earlier = {head for entity in own for head in heads[entity] if start <= head < pronoun}
            nouns = [word for word in range(start, pronoun) if words[word].upos in _NOUNS]
            right = {noun for noun in nouns if _name_head(document, noun) in earlier}
            context = constituents.around(pronoun)
            if not own:
                counts["left_out_no_mention"] += 1
            elif not earlier:
                counts["left_out_no_antecedent_in_the_sentence"] += 1
            elif not right:
                counts["left_out_antecedents_no_nouns"] += 1
            elif context is None:
                counts["left_out_no_constituent"] += 1
            else:
                counts[f"constituents_from_{source}"] += 1
                agreeing = {noun for noun in nouns if _agree(words[noun], words[pronoun])}
                counts["targets_whose_right_nouns_disagree_in_number"] += right.isdisjoint(agreeing)
                found.append(
                    Choice(
                        document.document.id,
                        Span(pronoun, pronoun + 1),
                        context,
                        tuple(
                            Candidate(Span(noun, noun + 1), noun in right)
                            for noun in nouns
                            if noun in agreeing or not self.agreeing
                        ),
                    )
                )
        return Found(tuple(found), counts)

    @staticmethod
    def available(corpus: Corpus) -> list[str]:
        """``["pronoun", "pronoun:any"]`` if some split has a pronoun to resolve; without numbers
        there is nothing to agree in, so ``pronoun:any`` alone."""
        documents = [document for split in SPLITS for document in corpus.splits.get(split, ())]
        names = ("pronoun", "pronoun:any")
        return [
            name
            for name in names
            if any(
                choice.candidates
                for document in documents
                for choice in PronounResolution(name.partition(":")[2]).choices(document).choices
            )
        ]


def _pronouns(document: AnnotatedDocument) -> Iterator[tuple[int, int]]:
    """Where its sentence starts, and each third-person pronoun."""
    starts = document.document.sentence_starts
    for start, end in pairwise(starts):
        for position in range(start, end):
            feats = document.words[position].feats
            if feats.get("PronType") == "Prs" and feats.get("Person") == "3":
                yield start, position


def _entities(document: AnnotatedDocument) -> dict[Span, set[str]]:
    """The entities of each span that is a mention."""
    found: dict[Span, set[str]] = {}
    for mention in document.mentions or ():
        found.setdefault(mention.span, set()).add(mention.entity)
    return found


def _heads(document: AnnotatedDocument) -> dict[str, set[int]]:
    """Of each entity the head words of its mentions."""
    kinds = MentionKinds(document)
    found: dict[str, set[int]] = {}
    for span, entity, _ in document.mentions or ():
        found.setdefault(entity, set()).add(kinds.head(span))
    return found


def _name_head(document: AnnotatedDocument, word: int) -> int:
    """The word itself, or that on which it depends as a further word of a name (``flat``)."""
    words = document.words
    while words[word].head != NO_HEAD and words[word].deprel.partition(":")[0] == "flat":
        word = words[word].head
    return word


def _agree(noun: Word, pronoun: Word) -> bool:
    number = pronoun.feats.get("Number[psor]") or pronoun.feats.get("Number")
    if number is None:
        return True
    return not set(number.split(",")).isdisjoint(noun.feats.get("Number", "").split(","))
