"""Running text as words: split as Universal Dependencies splits English, and nothing lost."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.encoders.running_text import read_words, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # contractions
        ("I don't.", "I do n't ."),
        ("DON'T you", "DO N'T you"),
        ("He can't, won't and isn’t.", "He ca n't , wo n't and is n’t ."),
        ("I'm, you're, we've, she'll, he'd", "I 'm , you 're , we 've , she 'll , he 'd"),
        ("It’s they’ll", "It ’s they ’ll"),
        ("shouldn't've", "should n't 've"),
        # possessives
        ("Smith's dogs' bones", "Smith 's dogs ' bones"),
        # hyphens and dashes
        ("a well-known, 20-year-old man", "a well - known , 20 - year - old man"),
        ("yes--no -- so — or–so", "yes -- no -- so — or – so"),
        # abbreviations
        ("Mr. and Mrs. Hill met Dr. Jones.", "Mr. and Mrs. Hill met Dr. Jones ."),
        ("in the U.S. and the U.K.", "in the U.S. and the U.K."),
        ("e.g. cats, i.e. these", "e.g. cats , i.e. these"),
        ("cats, dogs, etc.", "cats , dogs , etc."),
        # an abbreviation's letters at the end of another word are none
        ("A casino. First. Most.", "A casino . First . Most ."),
        # numbers
        ("3,000.5 at 10:30, 7.", "3,000.5 at 10:30 , 7 ."),
        ("$5 is 40% of it", "$ 5 is 40 % of it"),
        # quotes
        ('"So," he said.', '" So , " he said .'),
        ("``So,'' he said.", "`` So , '' he said ."),
        ("“So,” ‘he’", "“ So , ” ‘ he ’"),
        ("'Twas so", "' Twas so"),
        # ellipsis, brackets, marks
        ("Well... so. . .", "Well ... so . . ."),
        ("(so) [it] {is}?!", "( so ) [ it ] { is } ? !"),
        ("snake_case a/b x@y.com", "snake _ case a / b x @ y . com"),
        # letters outside English
        ("Zoë déjà-vu naïve", "Zoë déjà - vu naïve"),
        ("Der Straßenname Ångström", "Der Straßenname Ångström"),
        ("Это слово", "Это слово"),
        ("日本語 text", "日本語 text"),
    ],
)
def test_golden(text: str, words: str) -> None:
    assert split_words(text) == words.split()


def test_an_empty_text_has_no_words() -> None:
    assert split_words("") == split_words(" \n\t\u2003") == []


texts = st.one_of(
    st.text(max_size=60),
    st.text(st.sampled_from("aAnNtTsS'’.-,_`12é \n\u0301"), max_size=40),
)


@settings(max_examples=500, deadline=None)
@given(texts)
def test_no_character_is_lost_added_or_moved(text: str) -> None:
    assert "".join(split_words(text)) == "".join(text.split())


@settings(max_examples=300, deadline=None)
@given(texts)
def test_no_word_is_empty_or_has_white_space_in_it(text: str) -> None:
    assert all(word and word.split() == [word] for word in split_words(text))


def test_tokenised_text_stays_as_it_is() -> None:
    words = (
        "But Mr. Smith ca n't have said `` no , '' has he ? The U.S. gave him $ 3,000.50 -- "
        "a well - known sum ... and it 's the Joneses ' ; I 'll say so ."
    ).split()
    assert split_words(" ".join(words)) == words


def test_a_word_of_a_megabyte_takes_no_time() -> None:
    assert split_words("ab1" * 300_000) == ["ab1" * 300_000]


class TestReading:
    def test_lines_come_in_order_without_the_empty_ones(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("One, two.\n\n   \nThree", encoding="utf-8")
        (tmp_path / "b").write_text("Four\r\nfive\r\n", encoding="utf-8")
        assert list(read_words([tmp_path / "a", tmp_path / "b"])) == [
            ["One", ",", "two", "."],
            ["Three"],
            ["Four"],
            ["five"],
        ]

    def test_packed_and_plain_are_the_same(self, tmp_path: Path) -> None:
        text = "Zoë isn't here.\nNo?\n" * 3
        (tmp_path / "a.txt").write_text(text, encoding="utf-8")
        (tmp_path / "a.txt.gz").write_bytes(gzip.compress(text.encode()))
        plain = list(read_words([tmp_path / "a.txt"]))
        assert len(plain) == 6
        assert list(read_words([tmp_path / "a.txt.gz"])) == plain

    def test_a_byte_order_mark_is_no_word(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes("\ufeffOne two".encode())
        assert list(read_words([tmp_path / "a"])) == [["One", "two"]]

    def test_text_that_is_not_utf8_is_told_by_name(self, tmp_path: Path) -> None:
        (tmp_path / "latin.txt").write_bytes("fine\nZoë\n".encode("latin-1"))
        with pytest.raises(DataError, match=r"latin\.txt: cannot be read as UTF-8"):
            list(read_words([tmp_path / "latin.txt"]))

    def test_a_missing_file_or_a_folder_is_told_by_name(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"none\.txt: no such file"):
            list(read_words([tmp_path / "none.txt"]))
        with pytest.raises(DataError, match="directory"):
            list(read_words([tmp_path]))

    @pytest.mark.parametrize("damage", ["not packed", "cut", "flipped"])
    def test_a_damaged_archive_is_told_by_name(self, tmp_path: Path, damage: str) -> None:
        packed = gzip.compress(bytes(range(97, 123)) * 200 + b"\n" + bytes(range(32, 127)) * 3)
        data = {
            "not packed": b"plain text",
            "cut": packed[: len(packed) // 2],
            "flipped": packed[:12] + bytes([packed[12] ^ 0xFF]) + packed[13:],
        }[damage]
        (tmp_path / "a.gz").write_bytes(data)
        with pytest.raises(DataError, match=r"a\.gz: cannot be read"):
            list(read_words([tmp_path / "a.gz"]))
