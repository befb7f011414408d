"""Words and sentences by rule: the examples of the rules, and what no text may lose."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.core.types import Span
from layerwise.tasks.surface_sentences import sentence_starts, sentences_of
from layerwise.tasks.surface_words import word_spans, words_of, words_within

QUICK = settings(max_examples=200, deadline=None)
SIGNS = st.one_of(
    st.sampled_from(
        ["a", "B", "n't", "'s", "’", "'", "-", ".", "! ", "? ", " ", "1", ",", "\u0301"]
    ),
    st.characters(exclude_categories=["Cs"]),
)
TEXT = st.lists(SIGNS, max_size=30).map("".join)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Who's there?", "Who 's there ?"),
        ("They don't, can't and won’t.", "They do n't , ca n't and wo n’t ."),
        ("the boys' mother-in-law", "the boys ' mother-in-law"),
        ("O'Brien paid $10,000.50 at 9:30.", "O'Brien paid $ 10,000.50 at 9:30 ."),
        ("in the U.S. and J. Smith", "in the U.S. and J . Smith"),
        ("Menem 's ``word''", "Menem 's `` word ''"),
        ("We'll've gone - I'D say", "We'll 've gone - I 'D say"),
        ("cafe\u0301_1 3rd 1990s", "cafe\u0301 _ 1 3rd 1990s"),
        ("n't 'sad' '90s", "n't ' sad ' ' 90s"),
    ],
)
def test_words(text: str, words: str) -> None:
    sentence = words_of(text)
    assert sentence.text == text
    assert sentence.words == tuple(words.split())


@QUICK
@given(TEXT, st.lists(st.integers(-3, 60), max_size=5))
def test_no_sign_is_lost_and_no_border_is_crossed(text: str, borders: list[int]) -> None:
    spans = word_spans(text, borders)
    assert all(start < end for start, end in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    held = {place for start, end in spans for place in range(start, end)}
    assert held == {place for place, sign in enumerate(text) if not sign.isspace()}
    assert not any(start < border < end for border in borders for start, end in spans)
    if spans:
        sentence = words_of(text, borders)
        assert sentence.offsets == spans
        assert sentence.words == tuple(text[start:end] for start, end in spans)


@QUICK
@given(TEXT, st.data())
def test_words_within_borders_are_all_that_stands_there(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    if not text[start:end].strip():
        return
    spans = word_spans(text, (start, end))
    first, last = words_within(spans, Span(start, end))
    inside = [span for span in spans if start <= span.start and span.end <= end]
    assert list(spans[first:last]) == inside
    assert "".join(text[slice(*s)] for s in inside) == "".join(text[start:end].split())


def test_a_text_without_words_is_refused() -> None:
    with pytest.raises(DataError, match="without words"):
        words_of(" \u00a0")


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("He went. She stayed! Who? me.", ["He went.", "She stayed!", "Who? me."]),
        ("Mr. Fox met J. Doe in the U.S. Then.", ["Mr. Fox met J. Doe in the U.S. Then."]),
        ("He said ``no.'' ``Yes'' (too.) Done", ["He said ``no.''", "``Yes'' (too.)", "Done"]),
        ("It cost 3.5. And 4", ["It cost 3.5.", "And 4"]),
        ("a.B Done.", ["a.B Done."]),
        ("So .. Well", ["So ..", "Well"]),
    ],
)  # fmt: skip
def test_sentences(text: str, sentences: list[str]) -> None:
    words = word_spans(text)
    found = sentences_of(text, words, sentence_starts(text, words))
    assert [sentence.text for sentence in found] == sentences
    assert [w for s in found for w in s.words] == [text[start:end] for start, end in words]


def test_no_sentence_begins_inside_of_a_name() -> None:
    text = "Then Panic! At came. Yes"
    words = word_spans(text)
    assert sentence_starts(text, words) == [0, 3, 6]
    assert sentence_starts(text, words, [Span(5, 14)]) == [0, 6]
    assert sentence_starts(text, words, [Span(5, 11), Span(12, 14)]) == [0, 3, 6]


@QUICK
@given(TEXT)
def test_sentences_hold_all_words_where_they_stand(text: str) -> None:
    words = word_spans(text)
    if not words:
        return
    starts = sentence_starts(text, words)
    assert starts == sorted(set(starts)) and starts[0] == 0
    found = sentences_of(text, words, starts)
    assert "".join("".join(sentence.text.split()) for sentence in found) == "".join(text.split())
    assert sum(len(sentence.words) for sentence in found) == len(words)
    for sentence in found:
        assert sentence.words == tuple(sentence.text[start:end] for start, end in sentence.offsets)
