"""A journal is read after a kill at any byte, and is refused where it is another search's."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.encoders.search.journal import Evaluation, Journal
from layerwise.encoders.search.space.aliases import read_cell
from layerwise.encoders.search.space.canonical import canonical, short_id

IDENTITY = {"strategy": "random", "seed": 3, "options": {"size": 2}}


def evaluation(number: int, loss: float = 2.5) -> Evaluation:
    return Evaluation(
        "search",
        3,
        number,
        f"candidate {number}",
        (loss, 7.0),
        fidelity=0.25,
        seed=3,
        measured=False,
        seconds=0.125,
        details={"curve": [1.5, 2.0], "of": {"run": 1}},
    )


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "search.jsonl"
    journal = Journal(path, IDENTITY)
    for number in (1, 2, 3):
        journal.append(evaluation(number))
    return path


def test_what_was_written_is_read(written: Path) -> None:
    journal = Journal(written, IDENTITY)
    assert journal.of("search", 3) == [evaluation(number) for number in (1, 2, 3)]
    assert journal.of("search", 0) == journal.of("random", 3) == [] and journal.notes == []


def test_a_line_is_strict_json_with_all_that_is_known(written: Path) -> None:
    line = json.loads(written.read_text().splitlines()[2])
    assert line["number"] == 2 and line["arm"] == "search" and line["id"] == evaluation(2).id
    assert set(line) == {
        *("arm", "candidate", "details", "error", "fidelity", "id", "losses", "measured"),
        *("number", "repetition", "seconds", "seed"),
    }


def test_numbers_that_json_lacks(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", IDENTITY)
    details = {"curve": np.array([1.0, math.inf]), "path": tmp_path, "pair": (np.float32(0.5), 1)}
    told = Evaluation("search", 0, 1, "c", (math.inf,), details=details)
    read = journal.append(told)
    assert read.losses == (math.inf,)
    assert read.details == {"curve": [1.0, None], "path": str(tmp_path), "pair": [0.5, 1]}
    json.loads((tmp_path / "j").read_text().splitlines()[1], parse_constant=pytest.fail)
    assert Journal(tmp_path / "j", IDENTITY).of("search", 0) == [read]


def test_the_id_of_a_cell_is_its_short_id() -> None:
    cell = canonical(read_cell("lstm"))
    assert Evaluation("search", 0, 1, str(cell), (1.0,)).id == short_id(cell)


def test_torn_at_any_byte_it_keeps_the_lines_before_and_goes_on(written: Path) -> None:
    whole = written.read_bytes()
    borders = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    near = {cut + step for cut in borders for step in (-2, -1, 0, 1)}
    for cut in sorted({0, *range(1, len(whole), 41), *near} - {len(whole) + 1}):
        written.write_bytes(whole[:cut])
        journal = Journal(written, IDENTITY)
        kept = max(whole[:cut].count(b"\n") - 1, 0)
        assert journal.of("search", 3) == [evaluation(n) for n in range(1, kept + 1)]
        torn = cut > 0 and whole[cut - 1 : cut] != b"\n"
        assert len(journal.notes) == torn
        for number in range(kept + 1, 4):
            journal.append(evaluation(number))
        assert written.read_bytes() == whole


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"seed": 4}, "holds another search (seed: 3 there, 4 here)"),
        ({"strategy": "tpe"}, "strategy: 'random' there, 'tpe' here"),
        ({"options": {"size": 3}}, "options: {'size': 2} there, {'size': 3} here"),
        ({"code": "x"}, "code: None there, 'x' here"),
    ],
)
def test_another_search_is_refused_in_one_line(
    written: Path, changed: dict[str, object], told: str
) -> None:
    before = written.read_bytes()
    with pytest.raises(UsageError) as raised:
        Journal(written, IDENTITY | changed)
    said = str(raised.value)
    assert told in said and "--again begins anew" in said and "\n" not in said
    assert written.read_bytes() == before
    assert Journal(written, IDENTITY | changed, again=True).of("search", 3) == []
    assert written.read_text().count("\n") == 1


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda lines: [lines[0], lines[2]], "evaluation 1 of the arm search is missing"),
        (lambda lines: [lines[0], b"{}", *lines[1:]], "is no evaluation"),
        (lambda lines: [lines[0], lines[1][:-9], *lines[2:]], "is no evaluation"),
        (lambda lines: [b"not json", *lines[1:]], "is no journal of a search"),
        (lambda lines: [b"[]", *lines[1:]], "is no journal of a search"),
    ],
)
def test_damage_that_no_kill_does_is_refused(written: Path, damage: object, told: str) -> None:
    lines = damage(written.read_bytes().split(b"\n")[:-1])  # type: ignore[operator]
    written.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(DataError, match=told):
        Journal(written, IDENTITY)


def test_without_a_path_nothing_is_written(tmp_path: Path) -> None:
    journal = Journal(None, IDENTITY)
    assert journal.append(evaluation(1)) == evaluation(1)
    assert journal.of("search", 3) == [evaluation(1)]
