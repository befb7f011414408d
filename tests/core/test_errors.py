"""Errors: one line, with place and cure, that survives the way between processes."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwise.core.errors import (
    DataError,
    LayerwiseError,
    ModelError,
    UsageError,
    did_you_mean,
)

KINDS = [LayerwiseError, UsageError, DataError, ModelError]


def test_the_line_names_place_fault_and_cure() -> None:
    error = DataError("7 columns, not 10", where="a.conllu:12", cure="repair the line")
    assert str(error) == "a.conllu:12: 7 columns, not 10; repair the line"
    assert str(DataError("bare")) == "bare"


@given(what=st.text(), where=st.text(), cure=st.text())
def test_it_is_one_line_whatever_is_in_it(what: str, where: str, cure: str) -> None:
    assert len(str(LayerwiseError(what, where=where, cure=cure)).splitlines()) <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_it_crosses_process_borders_whole(kind: type[LayerwiseError]) -> None:
    error = kind("what", where="where", cure="cure")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind and str(copy) == str(error)
    assert (copy.what, copy.where, copy.cure) == ("what", "where", "cure")


def test_each_kind_has_its_exit_code() -> None:
    assert [kind.exit_code for kind in KINDS] == [1, 2, 3, 3]


def test_near_names_are_offered_and_else_all() -> None:
    known = ["transformer", "lstm", "onehot"]
    assert did_you_mean("transfomer", known) == "did you mean transformer?"
    assert did_you_mean("zzz", known) == "known: lstm, onehot, transformer"
    assert did_you_mean("zzz", []) == "none is known"
