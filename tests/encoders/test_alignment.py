"""Alignment: a label can never reach another word, whatever the text and the tokenizer."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from layerwise.core.types import Sentence, Span
from layerwise.encoders.alignment import Aligner, Alignment, Unit, unit_of

# transformers leaves its constructors untyped.
WRAP: Any = transformers.PreTrainedTokenizerFast

CORPUS = [
    "the cat sat on the mat . hello world don't stop naïve café 日本語 日本 語 привет мир",
    "low lower lowest del niño de el שלום עולם مرحبا cannot gonna",
    "a b c d e f g h i j k l m n o p q r s t u v w x y z A B C . , ' -",
] * 3


def wordpiece() -> Tokenizer:
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]"]
    trainer = trainers.WordPieceTrainer(vocab_size=200, special_tokens=special, show_progress=False)
    made.train_from_iterator(CORPUS, trainer)
    return made


def byte_bpe(prefix: bool, trim: bool) -> Tokenizer:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    made.post_processor = processors.ByteLevel(trim_offsets=trim)
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(CORPUS, trainer)
    return made


def unigram(scheme: str) -> Tokenizer:
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex("[\u200b\u200d\ufe0f]"), "")]
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
    trainer = trainers.UnigramTrainer(
        vocab_size=150, special_tokens=["<unk>"], unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator(CORPUS, trainer)
    return made


def without_borders() -> Tokenizer:
    """SentencePiece without pretokenisation: pieces run across words."""
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    trainer = trainers.UnigramTrainer(
        vocab_size=150, special_tokens=["<unk>"], unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator([" ".join(CORPUS)], trainer)
    return made


def characters() -> Tokenizer:
    """One piece per character, spaces too."""
    alphabet = sorted({c for c in "".join(CORPUS)} | set(HARD) | {"é", "ß", "@", "▁", "Ġ"})
    vocabulary = {"[UNK]": 0} | {c: i + 1 for i, c in enumerate(alphabet)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return made


# Combining marks, emoji with joiners, zero-width and control characters, ligatures, CJK, RTL,
# characters that grow or vanish when they are normalised, the tokenizers' own space markers.
HARD = "e\u0301n\u0303\u200b\u200d\ufe0f\u00ad\u0000\x07👩👧🏽日本語한שלمرحﬁİẞǆ½…'-.aA1▁Ġ"
MAKERS: dict[str, Callable[[], Tokenizer]] = {
    "wordpiece": wordpiece,
    "byte bpe": lambda: byte_bpe(False, True),
    "byte bpe, space counted": lambda: byte_bpe(False, False),
    "byte bpe, prefix": lambda: byte_bpe(True, True),
    "byte bpe, prefix, space counted": lambda: byte_bpe(True, False),
    "unigram always": lambda: unigram("always"),
    "unigram first": lambda: unigram("first"),
    "unigram never": lambda: unigram("never"),
    "without borders": without_borders,
    "characters": characters,
}


@cache
def fast(name: str) -> Any:
    return WRAP(tokenizer_object=MAKERS[name]())


@cache
def aligner(name: str) -> Aligner:
    return Aligner(fast(name))


surfaces = st.one_of(
    st.sampled_from(
        ["don't", "del", "cannot", "日本語", "cafe\u0301", "10 000", "👩\u200d👧", "\u200b"]
    ),
    st.sampled_from(CORPUS[0].split()),
    st.text(st.sampled_from(HARD), min_size=1, max_size=5),
    st.text(
        st.characters(exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc"]), min_size=1, max_size=4
    ),
)


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    """Words of any characters; some share a span, some overlap by a character, some touch."""
    words: list[str] = []
    offsets: list[Span] = []
    text = draw(st.sampled_from(["", "", " ", "“"]))
    for surface in draw(st.lists(surfaces, min_size=1, max_size=7)):
        begin, end = len(text), len(text) + len(surface)
        kind = draw(st.sampled_from(["word", "word", "word", "shared", "overlapping"]))
        if kind == "word" or len(surface) == 1:
            words.append(surface)
            offsets.append(Span(begin, end))
        elif kind == "shared":
            words += ["de", "el"]
            offsets += [Span(begin, end)] * 2
        else:
            words += ["do", "n't"]
            middle = draw(st.integers(begin, end - 1))
            offsets += [Span(begin, middle + 1), Span(middle, end)]
        text += surface + draw(st.sampled_from([" ", " ", " ", "", "  ", "\n"]))
    return Sentence(tuple(words), text, tuple(offsets))


units = st.lists(sentences(), min_size=1, max_size=3).map(unit_of)


def overlaps(a: tuple[int, int], b: Span) -> bool:
    return max(a[0], b.start) < min(a[1], b.end)


def check_shape(unit: Unit, alignment: Alignment) -> None:
    assert len(alignment.first) == len(alignment.last) == len(unit.spans) == len(alignment.missing)
    assert np.all(alignment.first >= 0) and np.all(alignment.first < alignment.last)
    assert np.all(alignment.last <= len(alignment.ids))
    assert np.all(np.diff(alignment.first) >= 0)
    words, pieces = alignment.groups()
    assert words[0] == pieces[0] == 0
    assert words[-1] == len(unit.spans) and pieces[-1] == len(alignment.ids)
    assert np.all(np.diff(words) > 0) and np.all(np.diff(pieces) > 0)
    for k in range(len(words) - 1):
        inside = slice(words[k], words[k + 1])
        assert np.all(alignment.first[inside] >= pieces[k])
        assert np.all(alignment.last[inside] <= pieces[k + 1])


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=60, deadline=None)
@given(unit=units)
def test_a_piece_belongs_to_the_words_it_overlaps_and_to_no_other(name: str, unit: Unit) -> None:
    alignment = aligner(name).align([unit])[0]
    check_shape(unit, alignment)
    if alignment.word_by_word:
        return
    encoding = fast(name).backend_tokenizer.encode(unit.text, add_special_tokens=False)
    if encoding.ids:
        assert alignment.ids.tolist() == encoding.ids
    space = [
        not t.strip("▁Ġ") and unit.text[a:b].strip("▁Ġ") != ""
        for t, (a, b) in zip(encoding.tokens, encoding.offsets, strict=True)
    ]
    for w, span in enumerate(unit.spans):
        mine = range(alignment.first[w], alignment.last[w])
        over = [p for p, o in enumerate(encoding.offsets) if overlaps(o, span) and not space[p]]
        if alignment.missing[w]:
            assert over == [] and len(mine) == 1
            before = [p for p, (a, b) in enumerate(encoding.offsets) if a < b <= span.start]
            assert not before or mine[0] <= before[-1]
        else:
            assert set(over) <= set(mine) and mine[0] == over[0] and mine[-1] == over[-1]
            # In between lies nothing but markers of spaces inside the word.
            assert all(space[p] or encoding.tokens[p] in "▁Ġ" for p in set(mine) - set(over))


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=60, deadline=None)
@given(unit=units)
def test_a_words_pieces_cover_its_characters_as_far_as_the_tokenizer_kept_them(
    name: str, unit: Unit
) -> None:
    alignment = aligner(name).align([unit])[0]
    if alignment.word_by_word:
        return
    encoding = fast(name).backend_tokenizer.encode(unit.text, add_special_tokens=False)
    for w, span in enumerate(unit.spans):
        pieces = range(alignment.first[w], alignment.last[w])
        for place in range(span.start, span.end):
            covered = not alignment.missing[w] and any(
                encoding.offsets[p][0] <= place < encoding.offsets[p][1] for p in pieces
            )
            character = unit.text[place]
            if not covered and not character.isspace():
                alone = fast(name).backend_tokenizer.encode(character, add_special_tokens=False)
                kept = [t for t in alone.tokens if t.strip("▁Ġ")]
                assert not kept or unicodedata.category(character) in ("Mn", "Cf", "Cc"), character


@settings(max_examples=200, deadline=None)
@given(unit=units)
def test_with_one_piece_per_character_every_word_gets_its_own_characters_back(unit: Unit) -> None:
    tokenizer = fast("characters")
    alignment = aligner("characters").align([unit])[0]
    assert not alignment.word_by_word and not alignment.missing.any()
    for w, span in enumerate(unit.spans):
        tokens = tokenizer.convert_ids_to_tokens(
            alignment.ids[alignment.first[w] : alignment.last[w]]
        )
        surface = unit.text[span.start : span.end]
        assert len(tokens) == len(surface)
        assert all(t in (c, "[UNK]") for t, c in zip(tokens, surface, strict=True))


class Wrong:
    """A fast tokenizer whose offsets are spoilt."""

    is_fast = True

    def __init__(self, inner: Any, spoil: Callable[[list[tuple[int, int]]], Any]) -> None:
        self._inner, self._spoil = inner, spoil

    def get_vocab(self) -> dict[str, int]:
        return dict(self._inner.get_vocab())

    def __call__(self, texts: list[str], **options: Any) -> Any:
        batch = self._inner(texts, **options)
        if "offset_mapping" in batch:
            batch["offset_mapping"] = [self._spoil(o) for o in batch["offset_mapping"]]
        return batch


class Slow:
    """A tokenizer without offsets."""

    is_fast = False

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def get_vocab(self) -> dict[str, int]:
        return dict(self._inner.get_vocab())

    def __call__(self, texts: list[str], **options: Any) -> Any:
        assert "return_offsets_mapping" not in options
        return self._inner(texts, **options)


SPOILT: dict[str, Callable[[list[tuple[int, int]]], Any]] = {
    "start and end are one (Llama 3)": lambda o: [(a, a) for a, _ in o],
    "one character late": lambda o: [(a + 1, b + 1) for a, b in o],
    "one character short": lambda o: [(a, max(a, b - 1)) for a, b in o],
    "backwards": lambda o: o[::-1],
    "out of the text": lambda o: [(a + 1000, b + 1000) for a, b in o],
    "negative": lambda o: [(a - 1, b) for a, b in o],
    "all at zero": lambda o: [(0, 0)] * len(o),
    "end before start": lambda o: [(b, a) for a, b in o],
}


@pytest.mark.parametrize("tokenizer", ["wordpiece", "byte bpe", "unigram always"])
@pytest.mark.parametrize("spoil", SPOILT)
def test_wrong_offsets_are_found_out_and_the_text_is_read_word_by_word(
    spoil: str, tokenizer: str
) -> None:
    sentence = Sentence.from_words(["hello", "world", "stop", "cat", "."])
    unit = unit_of([sentence, sentence])
    alignment = Aligner(Wrong(fast(tokenizer), SPOILT[spoil])).align([unit])[0]
    assert alignment.word_by_word
    right = aligner(tokenizer).align([unit])[0]
    check_shape(unit, alignment)
    for w in range(len(unit.spans)):
        ours = alignment.ids[alignment.first[w] : alignment.last[w]].tolist()
        theirs = right.ids[right.first[w] : right.last[w]].tolist()
        # A marker of the space may stand before a word that is tokenised alone.
        assert ours[len(ours) - len(theirs) :] == theirs


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=25, deadline=None)
@given(unit=units)
def test_slow_tokenizers_give_each_word_what_the_word_alone_gives(name: str, unit: Unit) -> None:
    inner = fast(name)
    alignment = Aligner(Slow(inner)).align([unit])[0]
    check_shape(unit, alignment)
    assert alignment.word_by_word
    for w, span in enumerate(unit.spans):
        touching = [s for s in unit.spans if s.start < span.end and span.start < s.end]
        if len(touching) > 1 or alignment.missing[w]:
            continue
        surface = unit.text[span.start : span.end]
        mine = alignment.ids[alignment.first[w] : alignment.last[w]].tolist()
        choices = [
            inner(s, add_special_tokens=False)["input_ids"] for s in (surface, " " + surface)
        ]
        assert mine in choices


def test_words_of_a_contraction_share_its_pieces() -> None:
    sentence = Sentence(("de", "el", "niño"), "del niño", (Span(0, 3), Span(0, 3), Span(4, 8)))
    for name in MAKERS:
        alignment = aligner(name).align([unit_of([sentence])])[0]
        assert (alignment.first[0], alignment.last[0]) == (alignment.first[1], alignment.last[1])
        assert alignment.first[2] >= alignment.last[1]
        words, _ = alignment.groups()
        assert words.tolist() == [0, 2, 3]


def test_a_piece_across_words_belongs_to_both_and_keeps_them_in_one_window() -> None:
    vocabulary = {"[UNK]": 0, "日本": 1, "語": 2}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Split("語", "isolated")
    sentence = Sentence.from_words(["日", "本", "語"], [False, False, False])
    alignment = Aligner(WRAP(tokenizer_object=made)).align([unit_of([sentence])])[0]
    assert alignment.first.tolist() == [0, 0, 1] and alignment.last.tolist() == [1, 1, 2]
    words, pieces = alignment.groups()
    assert words.tolist() == [0, 2, 3] and pieces.tolist() == [0, 1, 2]


def test_dropped_words_borrow_the_piece_before_them_or_else_the_first_one() -> None:
    sentence = Sentence.from_words(["\u200b", "cat", "\u200b", "\u200d", "mat"])
    alignment = aligner("wordpiece").align([unit_of([sentence])])[0]
    assert not alignment.word_by_word
    assert alignment.missing.tolist() == [True, False, True, True, False]
    assert alignment.first[0] == 0
    assert alignment.last[2] == alignment.last[3] == alignment.last[1]
    assert alignment.first[2] == alignment.last[1] - 1


def test_a_text_of_which_nothing_is_left_gets_the_placeholder() -> None:
    unit = unit_of([Sentence.from_words(["\u200b", "\u200d"])])
    alignment = Aligner(fast("wordpiece"), placeholder=3).align([unit])[0]
    assert alignment.ids.tolist() == [3] and alignment.missing.all()
    check_shape(unit, alignment)


def test_the_space_before_a_word_is_never_the_word_befores() -> None:
    unit = unit_of([Sentence.from_words(["hello", "world"])])
    for name, trim in itertools.product(("byte bpe", "byte bpe, prefix"), ("", ", space counted")):
        alignment = aligner(name + trim).align([unit])[0]
        assert alignment.last[0] == alignment.first[1]


def test_a_word_in_the_middle_and_at_the_start_differ_by_no_owned_marker() -> None:
    """XLM-R makes a lone marker at the start overlap the first word, elsewhere none."""
    alone = aligner("unigram always").align([unit_of([Sentence.from_words(["日本", "日本"])])])[0]
    first, second = (alone.ids[a:b].tolist() for a, b in zip(alone.first, alone.last, strict=True))
    assert first == second


def test_units_do_not_touch_one_another_and_no_unit_is_no_work() -> None:
    a, b = (unit_of([Sentence.from_words(w.split())]) for w in ("the cat", "don't stop"))
    together = aligner("wordpiece").align([a, b])
    apart = [aligner("wordpiece").align([unit])[0] for unit in (a, b)]
    for x, y in zip(together, apart, strict=True):
        assert x.ids.tolist() == y.ids.tolist() and x.first.tolist() == y.first.tolist()
    assert aligner("wordpiece").align([]) == []


def test_sentences_are_joined_by_one_space() -> None:
    unit = unit_of(
        [Sentence.from_words(["Don't", "."], [False, True]), Sentence.from_words(["Go"])]
    )
    assert unit == Unit("Don't. Go", (Span(0, 5), Span(5, 6), Span(7, 9)))
