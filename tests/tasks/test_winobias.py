"""WinoBias: brackets, the other person, stereotypes, lines that do not fit, the published files."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.core.types import Span
from layerwise.tasks.base import AnnotatedDocument, Edge, Mention
from layerwise.tasks.winobias import COUNTS, read_winobias, read_winobias_folder

QUICK = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NAME = "pro_stereotyped_type1.txt.dev"


def file(folder: Path, *lines: str, name: str = NAME) -> Path:
    (folder / "female_occupations.txt").write_text("nurse\npainter\n")
    (folder / "male_occupations.txt").write_text("digger\nditch digger\nCEO")
    path = folder / name
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
    return path


def one(folder: Path, line: str, name: str = NAME) -> AnnotatedDocument:
    (document,) = read_winobias(file(folder, line, name=name)).documents
    return document


def test_a_line(tmp_path: Path) -> None:
    document = one(tmp_path, "1 The nurse calls [the ditch digger] because [he] wants.")
    (sentence,) = document.document.sentences
    assert document.document.id == "pro_stereotyped_type1.dev#1"
    assert sentence.text == "The nurse calls the ditch digger because he wants."
    assert document.mentions == (
        Mention(Span(0, 2), "O", ""),
        Mention(Span(3, 6), "P", ""),
        Mention(Span(7, 8), "P", ""),
    )
    assert document.edges == (
        Edge("choice", Span(7, 8), Span(0, 2), ("no",)),
        Edge("choice", Span(7, 8), Span(3, 6), ("yes",)),
    )
    assert document.attributes == {
        "stereotype": "pro",
        "type": "1",
        "gender": "masculine",
        "antecedent_gender": "masculine",
    }


def test_against_the_stereotype(tmp_path: Path) -> None:
    name = "anti_stereotyped_type2.txt.test"
    document = one(tmp_path, "9 [The CEO] met a nurse 's son and [her]self.", name)
    assert document.document.id == "anti_stereotyped_type2.test#1"
    assert document.document.words[-3:] == ("her", "self", ".")
    assert [edge.span2 for edge in document.edges] == [(0, 2), (3, 5)]
    assert [edge.labels for edge in document.edges] == [("yes",), ("no",)]
    assert document.attributes["gender"] == "feminine"
    assert document.attributes["antecedent_gender"] == "masculine"


def test_what_is_counted(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        "1 [The nurse] met nobody when [she] lost [her] way.",
        "2 The [ nurse] met the the digger, a painter and the nurse of [her ].",
    )
    read = read_winobias(path)
    alone, crowd = read.documents
    assert alone.edges == ()
    assert [m.span for m in alone.mentions or ()] == [(0, 2), (5, 6), (7, 8)]
    assert crowd.document.sentences[0].text.startswith("The nurse met the the digger, a")
    assert [edge.span2 for edge in crowd.edges] == [(0, 2), (4, 6)]
    assert read.counts == {
        "documents": 2,
        "words": 25,
        "choices": 1,
        "without_second_candidate": 1,
        "further_pronouns": 1,
        "further_occupations": 2,
        "blanks_in_brackets": 2,
    }


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("", "not a number and a sentence"),
        ("[The nurse] said [she]", "not a number and a sentence"),
        ("2 ", "not a number and a sentence"),
        ("2 The nurse said she", "not a number and a sentence"),
        ("2 [The nurse said [she]", "not a number and a sentence"),
        ("2 [The nurse]] said [she]", "not a number and a sentence"),
        ("2 [The [nurse]] said [she]", "not a number and a sentence"),
        ("2 ]The nurse[ said [she]", "not a number and a sentence"),
        ("2 [] said [she]", "not a number and a sentence"),
        ("2 [The nurse] said", "1 people and 0 pronouns"),
        ("2 [She] said [her]", "0 people and 2 pronouns"),
        ("2 [The nurse] told [the CEO] [she]", "2 people and 1 pronouns"),
        ("2 [The nurse] said [she] or [him]", "1 people and 2 pronouns"),
        ("2 [The cook] said [she]", "the occupation 'cook' is in neither list"),
        ("2 [The nurse] said [he]", "a masculine pronoun for 'nurse' in a file of pro-stereo"),
    ],
)
def test_faults_are_told_with_their_line(tmp_path: Path, line: str, what: str) -> None:
    path = file(tmp_path, "1 [The nurse] said [she]", line, "3 [The nurse] said [she]")
    with pytest.raises(DataError, match=what) as caught:
        read_winobias(path)
    assert caught.value.where == f"{path}:2" and caught.value.cure


def test_files_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither stereotype, type nor split"):
        read_winobias(file(tmp_path, "1 [The nurse] said [she]", name="pro.txt"))
    with pytest.raises(DataError, match="an empty file"):
        read_winobias(file(tmp_path))
    file(tmp_path, "1 [The nurse] said [she]")
    with pytest.raises(DataError, match="no such file"):
        read_winobias_folder(tmp_path)
    (tmp_path / "female_occupations.txt").unlink()
    with pytest.raises(DataError, match="no such file"):
        read_winobias(tmp_path / NAME)


PIECE = st.sampled_from(["[", "]", " ", "[The nurse]", "[she]", "[her]", "the CEO", ".", "x"])


@QUICK
@given(st.lists(PIECE | st.text(max_size=3), max_size=8).map("".join))
def test_any_line_is_read_or_refused(tmp_path: Path, line: str) -> None:
    path = file(tmp_path, "1 [The nurse] said [she]", f"2 {line}")
    try:
        documents = read_winobias(path).documents
    except DataError as error:
        assert int(error.where.removeprefix(f"{path}:")) >= 2
    else:
        bare = re.sub(r"[\[\]\s]", "", line)
        assert "".join(documents[1].document.words) == bare


def test_the_published_files(shared_data: Path) -> None:
    folder = shared_data / "winobias"
    read = read_winobias_folder(folder)
    assert list(read) == ["dev", "test"]
    for split, further in (("dev", 30), ("test", 57)):
        documents = read[split].documents
        assert list(read[split].counts) == list(COUNTS)
        assert len(documents) == 4 * 396 == read[split].counts["choices"]
        assert read[split].counts["further_pronouns"] == further
        assert read[split].counts["without_second_candidate"] == 0
        assert len({document.document.id for document in documents}) == len(documents)
        kinds = Counter((d.attributes["stereotype"], d.attributes["type"]) for d in documents)
        assert set(kinds.values()) == {396} and len(kinds) == 4
    assert sum(file.counts["further_occupations"] for file in read.values()) == 14
    lists = [(folder / f"{sex}_occupations.txt").read_text().lower() for sex in ("female", "male")]
    female, male = (set(text.split("\n")) - {""} for text in lists)
    raw = {
        f"{path.name.replace('.txt', '')}#{number}": line
        for path in folder.glob("*_type?.txt.*")
        for number, line in enumerate(path.read_text().splitlines(), 1)
    }
    for document in (*read["dev"].documents, *read["test"].documents):
        words = [word.lower() for word in document.document.words]
        # An oracle of its own: pieces between brackets, from the line as it is.
        marked = [part.split() for part in re.findall(r"\[(.*?)\]", raw[document.document.id])]
        spans = [m.span for m in document.mentions or () if m.entity == "P"]
        assert [words[slice(*s)][-1] for s in spans] == [part[-1].lower() for part in marked]
        right, wrong = sorted(document.edges, key=lambda edge: edge.labels, reverse=True)
        assert (right.labels, wrong.labels) == (("yes",), ("no",))
        names = []
        for edge in (right, wrong):
            assert edge.span2 is not None
            name = " ".join(words[slice(*edge.span2)])
            assert name.startswith(("the ", "a ", "an "))
            names.append(name.split(" ", 1)[1])
        # One of the two occupations is of each list, in every published sentence.
        assert (names[0] in female) != (names[1] in female)
        assert {names[0] in male, names[1] in male} == {True, False}
        told = document.attributes["antecedent_gender"]
        assert told == ("feminine" if names[0] in female else "masculine")
