"""Sentences and documents: what is refused, where words stand, and what changes a text's hash."""

from __future__ import annotations

import dataclasses
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.core.types import Document, Sentence, Span, text_hash

words = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=8)
words_and_spaces = words.flatmap(
    lambda w: st.tuples(st.just(w), st.lists(st.booleans(), min_size=len(w), max_size=len(w)))
)


@given(words_and_spaces)
def test_each_word_stands_at_its_offset(case: tuple[list[str], list[bool]]) -> None:
    sentence = Sentence.from_words(*case)
    assert [sentence.text[start:end] for start, end in sentence.offsets] == case[0]


@given(words_and_spaces)
def test_spaces_stand_where_they_are_told(case: tuple[list[str], list[bool]]) -> None:
    sentence = Sentence.from_words(*case)
    gaps = [
        sentence.text[a.end : b.start]
        for a, b in zip(sentence.offsets, sentence.offsets[1:], strict=False)
    ]
    assert gaps == [" " if space else "" for space in case[1][:-1]]
    assert sentence.offsets[-1].end == len(sentence.text)


def test_the_surface_is_the_words_with_spaces_between() -> None:
    assert Sentence.from_words(["Go", "now", "!"], [True, False, True]).text == "Go now!"
    assert Sentence.from_words(["Go", "now"]).text == "Go now"


def test_a_word_that_ends_in_a_space_keeps_it() -> None:
    sentence = Sentence.from_words(["à ", "10 "])
    assert sentence.text == "à  10 "


@pytest.mark.parametrize(
    ("sentence_words", "text", "offsets", "fault"),
    [
        ([], "", [], "without words"),
        (["a"], "a", [], "1 words but 0 offsets"),
        ([""], "a", [(0, 1)], "empty word"),
        (["a"], "a", [(0, 0)], "out of place"),
        (["a"], "a", [(0, 2)], "out of place"),
        (["a"], "a", [(-1, 1)], "out of place"),
        (["a", "b"], "ab", [(1, 2), (0, 1)], "out of place"),
    ],
)
def test_an_impossible_sentence_is_refused(
    sentence_words: list[str], text: str, offsets: list[tuple[int, int]], fault: str
) -> None:
    with pytest.raises(DataError, match=fault):
        Sentence(tuple(sentence_words), text, tuple(Span(*offset) for offset in offsets))


def test_the_words_of_a_contraction_may_share_its_characters() -> None:
    sentence = Sentence(("de", "el", "mar"), "del mar", (Span(0, 3), Span(0, 3), Span(4, 7)))
    assert sentence.words == ("de", "el", "mar")


def test_from_words_refuses_what_it_cannot_place() -> None:
    with pytest.raises(DataError, match="1 words but 2 space_after"):
        Sentence.from_words(["a"], [True, True])
    with pytest.raises(DataError, match="without words"):
        Sentence.from_words([])
    with pytest.raises(DataError, match="empty word"):
        Sentence.from_words(["a", ""])


def document(*sentences: str, id: str = "d") -> Document:
    return Document(id, tuple(Sentence.from_words(sentence.split()) for sentence in sentences))


def test_a_document_counts_words_over_its_sentences() -> None:
    text = document("a b", "c", "d e f")
    assert text.words == ("a", "b", "c", "d", "e", "f")
    assert text.sentence_starts == (0, 2, 3, 6)
    assert len(text) == 6


def test_a_document_without_sentences_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="my-id"):
        Document("my-id", ())


def test_a_document_crosses_process_borders() -> None:
    text = document("a b", "c")
    assert len(text) == 3  # what it has worked out goes along, or is worked out again
    assert pickle.loads(pickle.dumps(text)) == text


def test_documents_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        document("a").id = "other"  # type: ignore[misc]


class TestTextHash:
    def test_ids_do_not_change_it(self) -> None:
        assert text_hash([document("a b", id="x")]) == text_hash([document("a b", id="y")])

    def test_every_visible_change_changes_it(self) -> None:
        def joined(*spaces: bool) -> Document:
            return Document("d", (Sentence.from_words(["a", "b"], spaces),))

        contraction = Sentence(("a", "b"), "a b", (Span(0, 3), Span(0, 3)))
        texts = [
            [document("a b")],
            [document("a", "b")],
            [document("a"), document("b")],
            [document("b"), document("a")],
            [document("a b c")],
            [document("A b")],
            [document("a é")],
            [document("a e\u0301")],
            [document("a \ud800")],
            [joined(False, True)],
            [Document("d", (contraction,))],
            [document("a b"), document("a b")],
            [],
        ]
        assert len({text_hash(text) for text in texts}) == len(texts)

    @given(st.lists(st.lists(words, min_size=1, max_size=3), max_size=3), st.data())
    def test_documents_with_the_same_words_in_other_bounds_differ(
        self, plan: list[list[list[str]]], data: st.DataObject
    ) -> None:
        other = data.draw(st.permutations(plan))
        build = [
            [Document("d", tuple(map(Sentence.from_words, sentences))) for sentences in chosen]
            for chosen in (plan, other)
        ]
        assert (text_hash(build[0]) == text_hash(build[1])) == (plan == other)
