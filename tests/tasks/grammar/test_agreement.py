"""Subjects agree with their verbs, and features keep to the inventory of UD English."""

from __future__ import annotations

from typing import Any

# Key=value pairs that occur in UD English GUM 2.16.
_ALLOWED = set(
    "Abbr=Yes Case=Acc Case=Gen Case=Nom Definite=Def Definite=Ind Degree=Cmp Degree=Pos "
    "Degree=Sup Gender=Fem Gender=Masc Gender=Neut Mood=Imp Mood=Ind NumForm=Word NumType=Card "
    "NumType=Ord Number=Plur Number=Sing Person=1 Person=2 Person=3 Polarity=Neg Polarity=Pos "
    "Poss=Yes PronType=Art PronType=Dem PronType=Ind PronType=Int PronType=Neg PronType=Prs "
    "PronType=Rel PronType=Tot Reflex=Yes Tense=Past Tense=Pres VerbForm=Fin VerbForm=Ger "
    "VerbForm=Inf VerbForm=Part Voice=Pass".split()
)
_UPOS = set("ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ VERB".split())
_DEPRELS = set(
    "acl acl:relcl advcl advmod amod appos aux aux:pass case cc cc:preconj ccomp compound:prt conj "
    "cop csubj det det:predet discourse expl flat iobj mark nmod nmod:desc nmod:poss nsubj "
    "nsubj:pass nummod obj obl obl:agent obl:unmarked punct root vocative xcomp".split()
)


def _subject_agreement(sentence: Any, subject: Any) -> tuple[str, str]:
    """Person and number of a subject from its own columns, its conjuncts and its antecedent."""
    if any(row.deprel == "conj" for row in sentence.children(subject.number)):
        return "3", "Plur"
    if subject.upos == "PRON" and subject.feature("PronType") == "Rel":
        clause = sentence.rows[subject.head - 1]
        while not clause.deprel.startswith("acl"):
            clause = sentence.rows[clause.head - 1]
        return _subject_agreement(sentence, sentence.rows[clause.head - 1])
    if subject.upos == "NUM":
        return "3", "Sing" if subject.lemma == "one" else "Plur"
    return subject.feature("Person") or "3", subject.feature("Number") or "Sing"


def test_finite_verbs_agree_with_their_subjects(sentences: list[Any]) -> None:
    checked = 0
    for sentence in sentences:
        for subject in sentence.rows:
            if subject.deprel not in ("nsubj", "nsubj:pass"):
                continue
            group = [sentence.rows[subject.head - 1], *sentence.children(subject.head)]
            finite = [
                row for row in group
                if row.feature("Mood") == "Ind"
                and (row.number == subject.head or row.deprel in ("aux", "aux:pass", "cop"))
            ]  # fmt: skip
            if not finite:
                assert any(row.xpos == "MD" for row in group), sentence.comments["text"]
                continue
            verb = finite[0]
            expected = _subject_agreement(sentence, subject)
            found = (verb.feature("Person"), verb.feature("Number"))
            assert found == expected, (sentence.comments["text"], subject.form, verb.form)
            checked += 1
    assert checked > 1500


def test_present_forms_look_as_their_features_say(sentences: list[Any]) -> None:
    for sentence in sentences:
        for row in sentence.rows:
            third = row.feature("Person") == "3" and row.feature("Number") == "Sing"
            if row.xpos == "VBZ":
                assert third, row
            if row.xpos == "VBP":
                assert row.feature("Mood") == "Ind" and not third, row
            if row.form.lower() == "were":
                assert (row.feature("Person"), row.feature("Number")) not in [
                    ("1", "Sing"), ("3", "Sing")]  # fmt: skip
            if row.form.lower() == "was":
                assert row.feature("Number") == "Sing" and row.feature("Person") != "2"


def test_tags_and_features_are_those_of_ud_english(sentences: list[Any]) -> None:
    for sentence in sentences:
        for row in sentence.rows:
            assert row.upos in _UPOS and row.deprel in _DEPRELS, row
            pairs = [] if row.feats == "_" else row.feats.split("|")
            assert set(pairs) <= _ALLOWED, row
            names = [pair.split("=")[0].lower() for pair in pairs]
            assert names == sorted(names), row


def test_pronoun_case_follows_the_relation(sentences: list[Any]) -> None:
    for sentence in sentences:
        for row in sentence.rows:
            if row.upos != "PRON" or row.feature("PronType") != "Prs":
                continue
            case = row.feature("Case")
            if row.deprel.startswith("nsubj") or row.deprel == "expl":
                assert case == "Nom", (sentence.comments["text"], row)
            elif row.deprel in ("obj", "iobj", "obl", "obl:agent", "nmod"):
                assert case == "Acc", (sentence.comments["text"], row)
            elif row.deprel == "nmod:poss":
                assert case == "Gen" and row.xpos == "PRP$", row
