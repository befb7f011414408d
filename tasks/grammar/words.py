"""Words with their tags and features, following UD English 2.16.

This is the one place where XPOS and FEATS are decided.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import inflection
from .modifiers import PLAIN_ADVERBS, SHORT_ADJECTIVES
from .trees import Node, Word, leaf, phrase


@dataclass(frozen=True)
class Agreement:
    """What a finite verb agrees with, and a pronoun shows."""

    person: int
    number: str
    gender: str = ""


THIRD = Agreement(3, "Sing", "Neut")
THIRD_PLURAL = Agreement(3, "Plur")


def features(**values: str) -> str:
    """FEATS text in UD order, without the empty values."""
    kept = sorted((name.lower(), f"{name}={value}") for name, value in values.items() if value)
    return "|".join(text for _, text in kept) or "_"


def simple(form: str, upos: str, xpos: str, feats: str = "_", lemma: str = "") -> Word:
    """A word whose lemma is its form unless another is given."""
    return Word(form, lemma or form, upos, xpos, feats)


def preposition(form: str) -> Word:
    """A preposition."""
    return simple(form, "ADP", "IN")


def particle(form: str) -> Node:
    """A verb particle as a phrase."""
    return phrase("PRT", leaf(simple(form, "ADP", "RP"))).as_("compound:prt")


def subordinator(form: str) -> Word:
    """A conjunction such as "because"; "when" counts as an adverb, see ``when``."""
    return simple(form, "SCONJ", "IN")


def when() -> Word:
    """The "when" of subordinate clauses and questions."""
    return simple("when", "ADV", "WRB", "PronType=Int")


def coordinator(form: str) -> Word:
    """A coordinating conjunction."""
    return simple(form, "CCONJ", "CC")


def mark_to() -> Word:
    """The "to" of infinitives."""
    return simple("to", "PART", "TO")


def punctuation(form: str) -> Word:
    """A comma, a full stop, a question or exclamation mark, or a colon."""
    xpos = {",": ",", ":": ":", ";": ":", "-": ":"}.get(form, ".")
    return Word(form, form, "PUNCT", xpos, space_before=form == "-")


def quote_open() -> Word:
    """An opening quotation mark."""
    return Word('"', '"', "PUNCT", "``", space_after=False)


def quote_close() -> Word:
    """A closing quotation mark."""
    return Word('"', '"', "PUNCT", "''", space_before=False)


def noun(lemma: str, number: str) -> Word:
    """A common noun."""
    form = inflection.plural(lemma) if number == "Plur" else lemma
    return Word(form, lemma, "NOUN", "NNS" if number == "Plur" else "NN", f"Number={number}")


def name(form: str, number: str = "Sing") -> Word:
    """A proper noun; a plural is a family ("the Reeds")."""
    if number == "Plur":
        return Word(inflection.plural(form), form, "PROPN", "NNPS", "Number=Plur")
    abbreviated = "Abbr=Yes|" if form.endswith(".") else ""
    return Word(form, form, "PROPN", "NNP", f"{abbreviated}Number=Sing")


def numeral(form: str) -> Word:
    """A cardinal number written as a word."""
    return simple(form, "NUM", "CD", "NumForm=Word|NumType=Card")


def ordinal(form: str) -> Word:
    """An ordinal, which is an adjective."""
    return simple(form, "ADJ", "JJ", "Degree=Pos|NumForm=Word|NumType=Ord")


_DETERMINERS = {
    "the": "Definite=Def|PronType=Art", "a": "Definite=Ind|PronType=Art",
    "this": "Number=Sing|PronType=Dem", "that": "Number=Sing|PronType=Dem",
    "these": "Number=Plur|PronType=Dem", "those": "Number=Plur|PronType=Dem",
    "no": "PronType=Neg", "all": "PronType=Tot", "both": "PronType=Tot",
}  # fmt: skip
_DEMONSTRATIVE_LEMMAS = {"these": "this", "those": "that"}


def determiner(form: str) -> Word:
    """A determiner; "a" becomes "an" later where the next word asks for it."""
    feats = _DETERMINERS.get(form, "PronType=Ind")
    return Word(form, _DEMONSTRATIVE_LEMMAS.get(form, form), "DET", "DT", feats)


def demonstrative(form: str) -> Word:
    """A demonstrative standing alone."""
    feats = _DETERMINERS[form]
    return Word(form, _DEMONSTRATIVE_LEMMAS.get(form, form), "PRON", "DT", feats)


def there_expletive() -> Word:
    """The "there" of existential clauses."""
    return simple("there", "PRON", "EX", "PronType=Dem")


_PRONOUNS = {
    (1, "Sing", ""): ("I", "me", "my", "myself", "mine"),
    (1, "Plur", ""): ("we", "us", "our", "ourselves", "ours"),
    (2, "Sing", ""): ("you", "you", "your", "yourself", "yours"),
    (2, "Plur", ""): ("you", "you", "your", "yourselves", "yours"),
    (3, "Sing", "Masc"): ("he", "him", "his", "himself", "his"),
    (3, "Sing", "Fem"): ("she", "her", "her", "herself", "hers"),
    (3, "Sing", "Neut"): ("it", "it", "its", "itself", "its"),
    (3, "Plur", ""): ("they", "them", "their", "themselves", "theirs"),
}


def _pronoun_key(agreement: Agreement) -> tuple[int, str, str]:
    shows_gender = agreement.person == 3 and agreement.number == "Sing"
    gender = (agreement.gender or "Neut") if shows_gender else ""
    return agreement.person, agreement.number, gender


def pronoun_form(agreement: Agreement) -> str:
    """The nominative, by which pronouns of the same kind are recognised."""
    return _PRONOUNS[_pronoun_key(agreement)][0]


def pronoun(agreement: Agreement, case: str) -> Word:
    """A personal pronoun; case is Nom, Acc, Gen, Reflex or Own ("the hat was hers")."""
    person, number, gender = key = _pronoun_key(agreement)
    column = ("Nom", "Acc", "Gen", "Reflex", "Own").index(case)
    form, genitive = _PRONOUNS[key][column], _PRONOUNS[key][2]
    owning = case in ("Gen", "Own")
    feats = features(
        Case={"Reflex": "Acc", "Own": ""}.get(case, case), Gender=gender, Number=number,
        Person=str(person), Poss="Yes" if owning else "", PronType="Prs",
        Reflex="Yes" if case == "Reflex" else "",
    )  # fmt: skip
    lemma = genitive if owning else form if case == "Reflex" else _PRONOUNS[key][0]
    return Word(form, lemma, "PRON", "PRP$" if case == "Gen" else "PRP", feats)


def relative(form: str) -> Word:
    """A relative pronoun."""
    if form == "whose":
        return simple(form, "PRON", "WP$", "Poss=Yes|PronType=Rel")
    return simple(form, "PRON", "WP" if form in ("who", "whom") else "WDT", "PronType=Rel",
                  "who" if form == "whom" else "")  # fmt: skip


def interrogative(form: str) -> Word:
    """A question word: "who" and "what" are pronouns, "where" and the like adverbs."""
    if form in ("who", "what"):
        return simple(form, "PRON", "WP", "PronType=Int")
    return simple(form, "ADV", "WRB", "PronType=Int")


def adjective(lemma: str, degree: str = "Pos") -> Node:
    """An adjective as a leaf, or as a phrase with "more" or "most"."""
    if degree == "Pos":
        return leaf(simple(lemma, "ADJ", "JJ", "Degree=Pos"))
    if lemma in SHORT_ADJECTIVES:
        inflect = inflection.comparative if degree == "Cmp" else inflection.superlative
        xpos = "JJR" if degree == "Cmp" else "JJS"
        return leaf(simple(inflect(lemma), "ADJ", xpos, f"Degree={degree}", lemma))
    more = (
        simple("more", "ADV", "RBR", "Degree=Cmp")
        if degree == "Cmp"
        else simple("most", "ADV", "RBS", "Degree=Sup")
    )
    return phrase("ADJP", leaf(more, "advmod"), adjective(lemma))


def adverb(lemma: str, degree: str = "Pos") -> Word:
    """An adverb; the comparative is only asked for short ones."""
    if degree == "Cmp":
        form = "better" if lemma == "well" else inflection.comparative(lemma)
        return simple(form, "ADV", "RBR", "Degree=Cmp", lemma)
    if lemma in ("here", "there", "then"):
        return simple(lemma, "ADV", "RB", "PronType=Dem")
    return simple(lemma, "ADV", "RB", "_" if lemma in PLAIN_ADVERBS else "Degree=Pos")


def possessive_clitic() -> Word:
    """The "'s" of possessors."""
    return Word("'s", "'s", "PART", "POS", space_before=False, fused=True)


def negation(contracted: bool) -> Word:
    """The negation, as a word or fused to the auxiliary before it."""
    if contracted:
        return Word("n't", "not", "PART", "RB", "Polarity=Neg", space_before=False, fused=True)
    return simple("not", "PART", "RB", "Polarity=Neg")


def interjection(form: str) -> Word:
    """An interjection."""
    polarity = {"yes": "Polarity=Pos", "no": "Polarity=Neg"}.get(form, "_")
    return simple(form, "INTJ", "UH", polarity)


def _finite_form(lemma: str, tense: str, agreement: Agreement) -> tuple[str, str]:
    third = agreement.person == 3 and agreement.number == "Sing"
    if lemma == "be":
        first = agreement.person == 1 and agreement.number == "Sing"
        if tense == "Past":
            return ("was" if third or first else "were"), "VBD"
        if third:
            return "is", "VBZ"
        return ("am" if first else "are"), "VBP"
    if tense == "Past":
        return inflection.past(lemma), "VBD"
    return (inflection.verb_s(lemma), "VBZ") if third else (lemma, "VBP")


def finite(lemma: str, tense: str, agreement: Agreement, upos: str = "VERB") -> Word:
    """A finite verb in the indicative."""
    form, xpos = _finite_form(lemma, tense, agreement)
    feats = features(
        Mood="Ind", Number=agreement.number, Person=str(agreement.person), Tense=tense,
        VerbForm="Fin",
    )  # fmt: skip
    return Word(form, lemma, upos, xpos, feats)


def modal(lemma: str) -> Word:
    """A modal verb."""
    return simple(lemma, "AUX", "MD", "VerbForm=Fin")


def nonfinite(lemma: str, kind: str, upos: str = "VERB") -> Word:
    """Inf, Part (perfect), Pass, Ing (progressive), Ger or Imp (imperative)."""
    if kind == "Inf":
        return simple(lemma, upos, "VB", "VerbForm=Inf")
    if kind == "Imp":
        return simple(lemma, upos, "VB", "Mood=Imp|Person=2|VerbForm=Fin")
    if kind in ("Ing", "Ger"):
        feats = "Tense=Pres|VerbForm=Part" if kind == "Ing" else "VerbForm=Ger"
        return Word(inflection.ing(lemma), lemma, upos, "VBG", feats)
    feats = "Tense=Past|VerbForm=Part" + ("|Voice=Pass" if kind == "Pass" else "")
    return Word(inflection.participle(lemma), lemma, upos, "VBN", feats)
