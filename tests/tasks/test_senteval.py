"""SentEval's probing files: splits, labels, and lines that do not fit."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.tasks.senteval import read_senteval

QUICK = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SOUND = 'tr\tPAST\tHe said " no .\nva\tPRES\tShe says so .\nte\tPAST\tI left\ntr\tPRES\tGo\n'


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "past_present.txt"
    path.write_text(SOUND, encoding="utf-8")
    read = read_senteval(path)
    assert list(read) == ["train", "dev", "test"]
    first, second = read["train"].documents
    assert first.document.id == "past_present#1" and second.document.id == "past_present#4"
    assert first.document.words == ("He", "said", '"', "no", ".")
    assert first.document.sentences[0].text == 'He said " no .'
    assert first.attributes == {"label": "PAST"} and first.edges == ()
    assert [d.attributes["label"] for d in read["dev"].documents] == ["PRES"]
    assert read["train"].counts == {"documents": 2, "words": 6, "label PAST": 1, "label PRES": 1}
    assert read["test"].counts == {"documents": 1, "words": 2, "label PAST": 1}
    packed = tmp_path / "past_present.txt.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_senteval(packed) == read


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("", "1 columns instead of 3"),
        ("tr\tPAST", "2 columns instead of 3"),
        ("tr\tPAST\ta\tb", "4 columns instead of 3"),
        ("train\tPAST\ta", "no split is called 'train'"),
        ("tr\t\ta", "the column label is empty"),
        ("tr\tPAST\t ", "the column sentence is empty"),
        ("tr\tPAST\ta  b", "a space too many"),
        ("tr\tPAST\ta ", "a space too many"),
        ("tr\tPAST\ta\x00", "control sign"),
    ],
)
def test_faults_are_told_with_their_line(tmp_path: Path, line: str, what: str) -> None:
    path = tmp_path / "x.txt"
    path.write_text(f"tr\tPAST\ta\n{line}\n{SOUND}", encoding="utf-8")
    with pytest.raises(DataError, match=what) as caught:
        read_senteval(path)
    assert caught.value.where == f"{path}:2" and caught.value.cure


@pytest.mark.parametrize(
    ("text", "what"),
    [("", "no row"), ("\n", "1 columns"), ("tr\tA\ta\nva\tA\ta\n", "no sentence for test")],
)
def test_a_file_without_a_split(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "x.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=what):
        read_senteval(path)


CELL = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=5)
ROW = st.tuples(st.sampled_from(["tr", "va", "te"]), CELL, st.lists(CELL, min_size=1, max_size=5))


@QUICK
@given(st.lists(ROW, max_size=8))
def test_what_is_written_is_read_again(
    tmp_path: Path, rows: list[tuple[str, str, list[str]]]
) -> None:
    rows += [(split, "L", ["w"]) for split in ("tr", "va", "te")]
    path = tmp_path / "x.txt"
    path.write_text(
        "".join(f"{split}\t{label}\t{' '.join(words)}\n" for split, label, words in rows),
        encoding="utf-8",
        newline="",
    )
    read = read_senteval(path)
    for short, name in (("tr", "train"), ("va", "dev"), ("te", "test")):
        assert [(d.attributes["label"], d.document.words) for d in read[name].documents] == [
            (label, tuple(words)) for split, label, words in rows if split == short
        ]


@QUICK
@given(st.text(st.sampled_from("tr\tva\te a\n\r\u00a0"), max_size=30) | st.text(max_size=30))
def test_any_line_is_read_or_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes((SOUND + line).encode("utf-8", "replace"))
    try:
        read_senteval(path)
    except DataError as error:
        assert int(error.where.removeprefix(f"{path}:")) >= 5
