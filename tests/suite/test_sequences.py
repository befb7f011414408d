"""Texts to time on: exact lengths, running words, true surfaces."""

from __future__ import annotations

from itertools import chain, cycle, islice

import pytest

from layerwise.core.types import Document, Sentence, Span
from layerwise.suite.sequences import sequences

NOUN = Sentence.from_words(["It", "'s", "a", "house", "."], [False, True, True, False, True])
SPANISH = Sentence(
    ("de", "el", "gato", "."), "del gato.", (Span(0, 3), Span(0, 3), Span(4, 8), Span(8, 9))
)
ONE = Sentence.from_words(["Yes"])
CORPUS = [Document("a", (NOUN, SPANISH)), Document("b", (ONE,))]


@pytest.mark.parametrize("count, length", [(1, 1), (3, 2), (2, 7), (4, 25), (1, 100)])
def test_they_are_the_corpus_from_its_beginning_in_texts_of_that_length(
    count: int, length: int
) -> None:
    texts = sequences(CORPUS, count, length)
    assert [len(text) for text in texts] == [length] * count
    words = cycle(chain(*(document.words for document in CORPUS)))
    assert [*chain(*(text.words for text in texts))] == [*islice(words, count * length)]


def test_each_is_one_sentence() -> None:
    assert all(len(text.sentences) == 1 for text in sequences(CORPUS, 3, 12))


def test_words_keep_their_surface_and_sentences_are_a_space_apart() -> None:
    (text,) = sequences(CORPUS, 1, 12)
    assert text.sentences[0].text == "It's a house. del gato. Yes It's"
    surfaces = [text.sentences[0].text[a:b] for a, b in text.sentences[0].offsets]
    assert surfaces == [
        *("It", "'s", "a", "house", ".", "del", "del", "gato", ".", "Yes", "It", "'s")
    ]


def test_a_text_may_begin_within_a_sentence() -> None:
    texts = sequences(CORPUS, 3, 3)
    assert [text.sentences[0].text for text in texts] == ["It's a", "house. del", "del gato."]


def test_a_corpus_of_one_word_is_repeated_word_by_word() -> None:
    (text,) = sequences([Document("b", (ONE,))], 1, 3)
    assert text.sentences[0].text == "Yes Yes Yes"


def test_they_are_the_same_each_time_and_longer_lists_begin_with_shorter_ones() -> None:
    assert sequences(CORPUS, 5, 4)[:2] == sequences(CORPUS, 2, 4)
