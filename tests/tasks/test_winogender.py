"""Winogender: ids, the two people, pronouns of each gender, rows that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.core.types import Span
from layerwise.tasks.base import Edge, Mention
from layerwise.tasks.winogender import read_winogender

QUICK = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SOUND = "potter.tourist.0.female.txt\tThe tourist asked the potter what she sold."


def file(folder: Path, *rows: str, header: str = "sentid\tsentence") -> Path:
    path = folder / "all_sentences.tsv"
    path.write_bytes("".join(f"{row}\n" for row in (header, *rows)).encode("utf-8", "replace"))
    return path


def test_the_two_answers_of_the_three_genders(tmp_path: Path) -> None:
    rows = [
        f"potter.{who}.{answer}.{gender}.txt\tThe potter told {noun} that {they} broke {their} jug."
        for who, noun in (("tourist", "the tourist"), ("someone", "someone"))
        for answer in (0, 1)
        for gender, they, their in (
            ("male", "he", "his"),
            ("female", "she", "her"),
            ("neutral", "they", "their"),
        )
    ]
    read = read_winogender(file(tmp_path, *rows))
    assert read.counts == {
        "documents": 12,
        "words": 6 * 11 + 6 * 10,
        "further_pronouns": 12,
        "masculine": 4,
        "feminine": 4,
        "neutral": 4,
    }
    assert [d.attributes["gender"] for d in read.documents[:3]] == [
        "masculine",
        "feminine",
        "neutral",
    ]
    for place, document in enumerate(read.documents):
        last = 5 if place < 6 else 4
        answer = place // 3 % 2
        pronoun = Span(last + 1, last + 2)
        potter, other = Span(0, 2), Span(3, last)
        assert document.edges == (
            Edge("choice", pronoun, potter, ("no" if answer else "yes",)),
            Edge("choice", pronoun, other, ("yes" if answer else "no",)),
        )
        assert document.mentions == (
            Mention(potter, "O" if answer else "P", ""),
            Mention(other, "P" if answer else "O", ""),
            Mention(pronoun, "P", ""),
            Mention(Span(last + 3, last + 4), "P", ""),
        )
    last_one = read.documents[-1]
    assert last_one.document.id == "potter.someone.1.neutral"
    assert last_one.attributes == {
        "gender": "neutral",
        "occupation": "potter",
        "participant": "someone",
        "answer": "participant",
    }


def test_candidates_stand_in_the_order_of_the_text(tmp_path: Path) -> None:
    (document,) = read_winogender(file(tmp_path, SOUND)).documents
    assert [edge.span2 for edge in document.edges] == [(0, 2), (3, 5)]
    assert [edge.labels for edge in document.edges] == [("no",), ("yes",)]
    assert document.document.sentences[0].text == SOUND.split("\t")[1]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (SOUND, "a second row"),
        ("potter.tourist.2.female.txt\ta", "does not tell who is meant"),
        ("potter.tourist.0.other.txt\ta", "does not tell who is meant"),
        ("potter.0.female.txt\ta", "does not tell who is meant"),
        ("potter.tourist.0.male.txt\tThe tourist asked the potter what she sold.", "masculine"),
        ("potter.baker.0.female.txt\tThe tourist asked the potter what she sold.", "'baker'"),
        ("baker.tourist.0.female.txt\tThe tourist asked the potter what she sold.", "'baker'"),
        ("potter.tourist.1.female.txt", "1 columns instead of 2"),
        ("potter.tourist.1.female.txt\ta\tb", "3 columns instead of 2"),
        ("potter.tourist.1.female.txt\t ", "the column sentence is empty"),
    ],
)
def test_faults_are_told_with_their_line(tmp_path: Path, row: str, what: str) -> None:
    path = file(tmp_path, SOUND, row)
    with pytest.raises(DataError, match=what) as caught:
        read_winogender(path)
    assert caught.value.where == f"{path}:3" and caught.value.cure


def test_the_header(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="names of the columns"):
        read_winogender(file(tmp_path, SOUND, header="id\tsentence"))


@QUICK
@given(
    st.lists(st.sampled_from(["potter", "a", "she", "the", ".", "\t", " "]) | st.text(max_size=3))
)
def test_any_row_is_read_or_refused(tmp_path: Path, pieces: list[str]) -> None:
    path = file(tmp_path, SOUND, "potter.a.1.female.txt\t" + "".join(pieces))
    try:
        document = read_winogender(path).documents[1]
    except DataError as error:
        assert int(error.where.removeprefix(f"{path}:")) >= 3
    else:
        assert "potter" in map(str.lower, document.document.words)
