"""Kinds, heads and features of mentions, where the data tells much, little or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from layerwise.core.errors import DataError
from layerwise.core.types import Document, Sentence, Span, Target
from layerwise.tasks.base import NO_HEAD, AnnotatedDocument, Edge, Mention, Word, bare
from layerwise.tasks.conllu import ConlluFile
from layerwise.tasks.english_words import PRONOUNS, THIRD_PERSON, Agreement
from layerwise.tasks.mention_features import MentionFeatures, agree, features_of, pair_of
from layerwise.tasks.mention_kinds import MentionKinds
from layerwise.tasks.mention_strata import strata_of_pair, words_between


def annotated(words: list[Word], *spans: tuple[int, int], told: str = "") -> AnnotatedDocument:
    return AnnotatedDocument(
        Document("d", (Sentence.from_words([word.form for word in words]),)),
        tuple(words),
        tuple(Mention(Span(*span), str(i), "") for i, span in enumerate(spans)),
        edges=tuple(Edge("mention_kind", Span(*span), None, (told,)) for span in spans if told),
    )


def untagged(text: str, told: str = "") -> AnnotatedDocument:
    """One mention, of all words."""
    words = [bare(form) for form in text.split()]
    return annotated(words, (0, len(words)), told=told)


def kind_and_head(document: AnnotatedDocument) -> tuple[str, str]:
    (features,) = features_of(document).values()
    return features.kind, features.head


@pytest.mark.parametrize(
    ("text", "kind", "head"),
    [
        ("She", "pronoun", "she"),
        ("'em", "pronoun", "'em"),
        ("Mr. Darcy", "name", "darcy"),
        ("the old house", "nominal", "house"),
        ("the boys who had come", "nominal", "boys"),
        ("King of England", "name", "king"),
        ("That man", "nominal", "man"),
        ("that which he saw", "nominal", "that"),  # one word only is a pronoun
    ],
)
def test_english_without_tags(text: str, kind: str, head: str) -> None:
    assert kind_and_head(untagged(text)) == (kind, head)


def test_what_the_data_tells_goes_first() -> None:
    for label, kind in (("PROP", "name"), ("NOM", "nominal"), ("PRON", "pronoun")):
        assert kind_and_head(untagged("the Old House", label)) == (kind, "house")
    with pytest.raises(DataError, match="d: no kind of mention: 'NP'; label it with one of PROP"):
        MentionKinds(untagged("x", "NP"))


def test_tags_and_heads() -> None:
    def word(form: str, upos: str, xpos: str, head: int) -> Word:
        return Word(form, "", upos, xpos, {}, head, "dep")

    words = [
        word("Queen", "PROPN", "NNP", 3),
        word("of", "ADP", "IN", 2),
        word("all", "DET", "DT", 0),
        word("left", "VERB", "VBD", NO_HEAD),
    ]
    assert kind_and_head(annotated(words, (0, 3))) == ("name", "queen")
    assert kind_and_head(annotated(words, (1, 3))) == ("nominal", "all")
    penn = [word._replace(upos="") for word in words]
    assert kind_and_head(annotated(penn, (0, 3))) == ("name", "queen")
    for tag in ("PRP", "PRP$", "WP", "WP$"):
        assert kind_and_head(annotated([word("X", "", tag, NO_HEAD)], (0, 1)))[0] == "pronoun"
    assert kind_and_head(annotated([word("X", "", "NNS", NO_HEAD)], (0, 1)))[0] == "nominal"
    assert kind_and_head(annotated([word("Er", "PRON", "", NO_HEAD)], (0, 1)))[0] == "pronoun"


def agreement(document: AnnotatedDocument) -> Agreement:
    (features,) = features_of(document).values()
    return features.agreement


def test_agreement_is_told_by_morphology_tags_or_lists() -> None:
    assert agreement(untagged("herself")) == ("3", "Sing", "Fem")
    assert agreement(untagged("they")) == ("3", "Plur", "")
    assert agreement(untagged("Mrs. Dalloway")) == ("3", "", "Fem")
    assert agreement(untagged("his uncle")) == ("3", "", "Masc")
    assert agreement(untagged("lady 's house")) == ("3", "", ""), "a title is of names only"
    plural = annotated([Word("trees", "", "", "NNS", {}, NO_HEAD, "")], (0, 1))
    assert agreement(plural) == ("3", "Plur", "")
    feats = {"Number[psor]": "Sing", "Number": "Plur", "Gender": "Fem,Masc", "Person": "3"}
    owner = annotated([Word("jeho", "", "PRON", "", feats, NO_HEAD, "")], (0, 1))
    assert agreement(owner) == ("3", "Sing", "Fem,Masc")


def test_who_agrees() -> None:
    he, she, they, you = (PRONOUNS[form] for form in ("he", "she", "they", "you"))
    assert agree(he, he) and not agree(he, she) and not agree(he, they) and not agree(he, you)
    assert agree(you, Agreement("2", "Plur", ""))
    assert agree(she, Agreement("3", "", "Fem,Masc"))
    assert agree(PRONOUNS["who"], he) and agree(PRONOUNS["who"], they)
    assert all(PRONOUNS[form].person == "3" for form in THIRD_PERSON)


def test_strata_of_pairs() -> None:
    text = [["He", "*"] + ["w"] * 9, *[["w"]] * 10, ["the", "man"]]
    forms = [form for sentence in text for form in sentence]
    document = AnnotatedDocument(
        Document("d", tuple(map(Sentence.from_words, text))),
        tuple(map(bare, forms)),
        tuple(
            Mention(Span(*span), "e", "") for span in ((0, 1), (0, 2), (2, 3), (10, 11), (21, 23))
        ),
    )

    def strata(first: tuple[int, int], second: tuple[int, int]) -> list[str]:
        pair = pair_of(document, Target("d", Span(*first), Span(*second), "yes"))
        assert strata_of_pair(*pair[::-1]) == strata_of_pair(*pair)
        return list(strata_of_pair(*pair).values())

    assert strata((0, 1), (0, 2)) == ["different", "nominal-pronoun", "<10", "same"]
    assert strata((0, 1), (10, 11)) == ["different", "nominal-pronoun", "<10", "same"]
    assert strata((2, 3), (10, 11)) == ["same", "nominal-nominal", "<10", "same"]
    assert strata((0, 1), (21, 23)) == ["different", "nominal-pronoun", "10-49", ">10"]
    assert words_between(Span(0, 1), Span(21, 23)) == words_between(Span(21, 23), Span(0, 1)) == 20
    assert words_between(Span(0, 9), Span(2, 3)) == words_between(Span(0, 1), Span(1, 2)) == 0


@pytest.mark.parametrize(
    ("dimension", "borders"),
    [
        ("distance", {"<10": 9, "10-49": 49, "50-199": 199, "200-999": 999, ">=1000": 10**6}),
        ("sentences", {"same": 0, "1-2": 2, "3-10": 10, ">10": 10**6}),
    ],
)
def test_borders_of_strata(dimension: str, borders: dict[str, int]) -> None:
    least = 0
    for name, most in borders.items():
        for value in (least, most):
            first, second = (
                MentionFeatures(Span(at, at + 1), "", "", "", sentence, Agreement("", "", ""))
                for at, sentence in ((0, 0), (value + 1, value))
            )
            assert strata_of_pair(first, second)[dimension] == name
        least = most + 1


def test_features_are_those_of_the_document_that_is_asked() -> None:
    first, second = untagged("she"), untagged("he")
    assert first.document.id == second.document.id
    for _ in range(2):
        assert agreement(first).gender == "Fem"
        assert agreement(second).gender == "Masc"


def test_kinds_of_real_mentions(read_shared: Callable[[str], ConlluFile]) -> None:
    kinds: Counter[str] = Counter()
    for document in read_shared("gum_open/gum_open-dev.conllu.gz").documents:
        for features in features_of(document).values():
            kinds[features.kind] += 1
            span = features.span
            heads = [
                word
                for word in range(*span)
                if not span.start <= document.words[word].head < span.end
            ]
            told = {"PRON": "pronoun", "PROPN": "name"}
            assert features.head == document.document.words[heads[0]].lower()
            assert features.kind == told.get(document.words[heads[0]].upos, "nominal")
    assert kinds.total() == 2354 and len(kinds) == 3
