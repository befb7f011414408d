"""Documents into splits: shares, what stays together, splits that are missing."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.core.types import SPLITS, Document, Sentence
from layerwise.tasks.base import AnnotatedDocument, bare
from layerwise.tasks.corpus_split import SENTENCE, Unit, completed, hold_out, split_documents

IDS = st.lists(st.text("abcxyz", min_size=1, max_size=4), min_size=3, max_size=40, unique=True)
FIRST = Unit("first letter", "letters", lambda each: each.document.id[0])


def document(name: str, *words: str) -> AnnotatedDocument:
    words = words or (name,)
    return AnnotatedDocument(Document(name, (Sentence.from_words(words),)), tuple(map(bare, words)))


def ranked(keys: set[str]) -> list[str]:
    return sorted(keys, key=lambda key: hashlib.sha256(key.encode()).hexdigest())


@given(IDS)
def test_tenths_in_the_order_of_the_hashes(ids: list[str]) -> None:
    splits, rule = split_documents([document(name) for name in ids], "x")
    order = ranked(set(ids))
    tenth = max(1, round(len(ids) / 10))
    expected = {"test": order[:tenth], "dev": order[tenth : 2 * tenth], "train": order[2 * tenth :]}
    for split in SPLITS:
        found = [each.document.id for each in splits[split]]
        assert sorted(found) == sorted(expected[split])
        assert found == [name for name in ids if name in found]  # the order of the data stays
    assert rule.startswith("split by document")


@given(IDS)
def test_a_unit_stays_in_one_split(ids: list[str]) -> None:
    documents = [document(name) for name in ids]
    letters = {name[0] for name in ids}
    if len(letters) < 3:
        with pytest.raises(DataError, match="letters cannot be split"):
            split_documents(documents, "x", FIRST)
        return
    splits, rule = split_documents(documents, "x", FIRST)
    found = [{each.document.id[0] for each in splits[split]} for split in SPLITS]
    assert sum(map(len, found)) == len(letters)
    assert "first letter" in rule


def test_sentences_that_differ_in_case_alone_are_one_unit() -> None:
    assert (
        len(
            {
                SENTENCE.key(document(str(i), *words))
                for i, words in enumerate(
                    [("The", "end"), ("the", "End"), ("theend",), ("The", "ends")]
                )
            }
        )
        == 2
    )


def test_missing_splits_are_held_out() -> None:
    ids = [f"d{i}" for i in range(50)]
    some, other = [document(name) for name in ids], [document("other")]

    splits, rule = completed({"dev": some, "test": other}, "x")
    assert {each.document.id for each in splits["dev"]} == set(ranked(set(ids))[:10])
    assert len(splits["train"]) == 40 and splits["test"] == tuple(other)
    assert "no train" in rule

    splits, rule = completed({"train": some, "test": other}, "x")
    assert {each.document.id for each in splits["dev"]} == set(ranked(set(ids))[:5])
    assert len(splits["train"]) == 45 and splits["test"] == tuple(other)
    assert "no dev" in rule

    splits, rule = completed({"train": some, "dev": other}, "x")
    assert (len(splits["train"]), len(splits["dev"]), splits["test"]) == (45, 5, tuple(other))
    assert "its dev is test" in rule

    assert completed({"test": some}, "x") == split_documents(some, "x")
    whole = {"train": some, "dev": other, "test": other}
    assert completed(whole, "x")[0] == {name: tuple(each) for name, each in whole.items()}


def test_one_document_cannot_lend() -> None:
    with pytest.raises(DataError, match="1 document cannot be split in two"):
        hold_out([document("a")], 10, "x")
    with pytest.raises(DataError, match="0 documents cannot be split into"):
        completed({}, "x")
