"""The checker: all problems, with the reader's own eyes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from layerwise.core.errors import DataError
from layerwise.tasks.check import check_conllu
from layerwise.tasks.conllu import ConlluFile, read_conllu

Write = Callable[..., Path]

SICK = """
# newdoc id = d
# global.Entity = eid-etype
# sent_id = roots
1 a a X _ _ 0 root _ _
2 b b X _ _ 0 root _ _

# sent_id = circle
1 a a X _ _ 2 dep _ _
2 b b X _ _ 1 dep _ _

# sent_id = columns
1 a a X _ _ 0 root _

# sent_id = ids
1 a a X _ _ 0 root _ _
3 b b X _ _ 1 dep _ _

# sent_id = brackets
1 a a X _ A 0 root _ Entity=(e1-person
2 b b X _ _ 9 dep _ Entity=e2)

# sent_id = text
# text = c d
1 a a ODD _ _ 0 dep _ _
2 d d X _ _ 1 dep _ Entity=(e3-person)

# sent_id = text
1 a a X _ _ 0 root _ _
"""


def test_every_problem_is_told_with_its_line_and_sentence(conllu: Write) -> None:
    report = check_conllu(conllu(SICK))
    told = [(p.line, p.sentence, p.severity) for p in report.problems]
    assert told == [
        (5, "roots", "error"),
        (8, "circle", "error"),
        (8, "circle", "error"),
        (12, "", "error"),
        (16, "ids", "error"),
        (19, "brackets", "error"),
        (19, "brackets", "error"),
        (20, "brackets", "error"),
        (20, "brackets", "error"),
        (22, "text", "warning"),
        (24, "text", "warning"),
        (24, "text", "warning"),
        (27, "", "error"),
    ]
    said = " ".join(problem.what for problem in report.problems)
    for what in (
        "a second root",
        "no root",
        "in a circle: 1 -> 2 -> 1",
        "9 columns",
        "'3' where word 2 is due",
        "'A' is not a feature",
        "(e1 is not closed",
        "e2) was not opened",
        "its head is 9",
        "'c d', but the words give 'a d'",
        "'ODD' is not a universal tag",
        "root goes with 0",
        "was used at line 22",
    ):
        assert what in said
    assert (report.errors, report.warnings) == (10, 3)
    assert not report.sound
    assert report.kinds["brackets"] == 2 and report.kinds["tree"] == 4
    assert report.counts["sentences"] == 7
    assert report.counts["words"] == 3
    assert report.counts["mentions"] == 1


def test_the_limit_cuts_the_list_but_not_the_counts(conllu: Write) -> None:
    report = check_conllu(conllu(SICK), limit=3)
    assert len(report.problems) == report.limit == 3
    assert report.errors + report.warnings == 13
    assert report.unlisted == 10


def test_a_sound_file_with_a_warning_is_sound(conllu: Write) -> None:
    path = conllu("# text = b\n1 a a X _ _ 0 root _ _")
    report = check_conllu(path)
    assert report.sound and report.warnings == 1 and report.unlisted == 0
    assert report.counts["words"] == 1
    assert read_conllu(path).counts["text_differs"] == 1


def test_the_first_error_is_the_readers(conllu: Write) -> None:
    path = conllu(SICK)
    with pytest.raises(DataError) as caught:
        read_conllu(path)
    first = check_conllu(path).problems[0]
    assert caught.value.where == f"{path}:{first.line}"
    assert first.what in caught.value.what


def test_bytes_are_told_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "x.conllu"
    row = b"1\ta\ta\tX\t_\t_\t0\troot\t_\t_\n\n"
    path.write_bytes(row + row.replace(b"a", b"\xff", 1) + row.replace(b"a", b"\x00", 1) + row)
    report = check_conllu(path)
    assert [p.line for p in report.problems] == [3, 5]
    assert report.kinds == {"encoding": 2}


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        check_conllu(tmp_path / "absent.conllu")
    (tmp_path / "empty.conllu").touch()
    report = check_conllu(tmp_path / "empty.conllu")
    assert [(p.line, p.what) for p in report.problems] == [(0, "no sentence in this file")]


@pytest.mark.parametrize("name", ["gum_open/gum_open-dev", "ud/UD_Turkish-IMST/tr_imst-ud-dev"])
def test_real_treebanks_are_sound(
    shared_data: Path, read_shared: Callable[[str], ConlluFile], name: str
) -> None:
    report = check_conllu(shared_data / f"{name}.conllu.gz")
    assert report.sound
    read = read_shared(f"{name}.conllu.gz")
    assert {**report.counts, **report.kinds} == dict(read.counts)
