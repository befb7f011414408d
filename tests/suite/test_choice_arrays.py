"""Choices as arrays, and baselines against closed forms and a plain count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from layerwise.core.errors import DataError
from layerwise.core.types import Document, Sentence, Span
from layerwise.results.statistics import bootstrap_interval
from layerwise.suite.choice_arrays import accuracies, by_cluster, choice_arrays, choice_baselines
from layerwise.tasks.choices import Candidate, Choice, ChoiceData, ChoiceSplit

RANDOM = np.random.default_rng(5)


def text(id: str, *lengths: int) -> Document:
    return Document(id, tuple(Sentence.from_words(["w"] * length) for length in lengths))


def choice(document: str, target: int, *nouns: int, right: tuple[int, ...] = ()) -> Choice:
    """Single words; the context is the word and the next one."""
    candidates = tuple(Candidate(Span(n, n + 1), n in right) for n in nouns)
    return Choice(document, Span(target, target + 1), Span(target, target + 2), candidates)


def data(**splits: tuple[list[Document], list[Choice]]) -> ChoiceData:
    laid = {name: ChoiceSplit(tuple(d), tuple(c)) for name, (d, c) in splits.items()}
    return ChoiceData("pick.v1", "noun", laid, {"corpus": "c"})


DOCUMENTS = [text("a", 6, 4), text("b", 5)]
CHOICES = [
    choice("a", 4, 0, 2, right=(2,)),
    choice("a", 3, 1, right=(1,)),
    choice("b", 3),
    choice("b", 2, 0, 1, right=(0, 1)),
]


def test_positions_count_over_all_documents_of_the_split() -> None:
    arrays = choice_arrays(data(test=(DOCUMENTS, CHOICES)))
    laid = arrays.splits["test"]
    assert laid.targets.tolist() == [[4, 5], [3, 4], [13, 14], [12, 13]]
    assert laid.contexts.tolist() == [[4, 6], [3, 5], [13, 15], [12, 14]]
    assert laid.candidates.tolist() == [[0, 1], [2, 3], [1, 2], [10, 11], [11, 12]]
    assert laid.starts.tolist() == [0, 2, 3, 3, 5]
    assert laid.right.tolist() == [False, True, True, True, True]
    assert arrays.cluster == "sentence"
    assert arrays.clusters["test"].tolist() == [1, 1, 3, 3]


def test_no_context_is_an_empty_one() -> None:
    arrays = choice_arrays(data(test=(DOCUMENTS, [CHOICES[0]._replace(context=None)])))
    start, end = arrays.splits["test"].contexts[0]
    assert start == end


def test_a_choice_over_two_sentences_makes_documents_the_clusters() -> None:
    far = choice("a", 7, 0, 2, right=(0,))
    arrays = choice_arrays(data(test=(DOCUMENTS, [far, *CHOICES])))
    assert arrays.cluster == "document"
    assert arrays.clusters["test"].tolist() == [1, 1, 1, 2, 2]
    # A context alone may reach over the border as well.
    wide = CHOICES[0]._replace(context=Span(4, 8))
    assert choice_arrays(data(test=(DOCUMENTS, [wide]))).cluster == "document"


def test_clusters_of_two_splits_stay_apart() -> None:
    arrays = choice_arrays(data(dev=(DOCUMENTS, CHOICES[:1]), test=(DOCUMENTS, CHOICES)))
    earned = {"dev": np.array([0.5]), "test": np.array([1.0, 0.0, 0.0, 1.0])}
    table = by_cluster(earned, arrays)
    assert table.tolist() == [[0.5, 1], [1.0, 2], [1.0, 2]]
    assert accuracies(earned) == {
        "accuracy": table[:, 0].sum() / table[:, 1].sum(),
        "accuracy_on_dev": 0.5,
        "accuracy_on_test": 0.5,
    }
    interval = bootstrap_interval(lambda sums: sums[..., 0] / sums[..., 1], table)
    assert interval is not None and interval.low == interval.high == 0.5


def test_a_split_without_a_choice_does_no_harm() -> None:
    arrays = choice_arrays(data(dev=(DOCUMENTS, []), test=(DOCUMENTS, CHOICES)))
    assert len(arrays.splits["dev"]) == 0
    alone = choice_arrays(data(test=(DOCUMENTS, CHOICES)))
    assert choice_baselines(alone, "noun")["first noun"] == {"accuracy": 0.5}
    assert choice_baselines(arrays, "noun")["first noun"] == {
        "accuracy": 0.5,
        "accuracy_on_test": 0.5,
    }


def test_the_hash_tells_text_and_choices() -> None:
    base = choice_arrays(data(test=(DOCUMENTS, CHOICES))).data_hash
    assert base == choice_arrays(data(test=(DOCUMENTS, CHOICES))).data_hash
    wrong = CHOICES[0]._replace(candidates=CHOICES[0].candidates[::-1])
    others: list[ChoiceData] = [
        data(dev=(DOCUMENTS, CHOICES)),
        data(test=(DOCUMENTS, CHOICES[1:])),
        data(test=(DOCUMENTS, [wrong, *CHOICES[1:]])),
        data(test=(DOCUMENTS, [CHOICES[0]._replace(context=None), *CHOICES[1:]])),
        data(test=([text("a", 6, 4), text("b", 6)], CHOICES)),
        replace(data(test=(DOCUMENTS, CHOICES)), task="pick.v2"),
    ]
    assert len({base, *(choice_arrays(other).data_hash for other in others)}) == 1 + len(others)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (choice("c", 1), "names the document 'c'"),
        (choice("b", 4), r"the span \(4, 6\) is empty or outside"),
        (choice("b", 3, 5), r"the span \(5, 6\)"),
        (choice("b", 3)._replace(target=Span(3, 3)), r"the span \(3, 3\)"),
    ],
)
def test_a_choice_outside_its_document_is_refused(wrong: Any, what: str) -> None:
    with pytest.raises(DataError, match=what):
        choice_arrays(data(test=(DOCUMENTS, [wrong])))
    with pytest.raises(DataError, match="two documents have one id"):
        choice_arrays(data(test=([DOCUMENTS[0], DOCUMENTS[0]], [])))


def test_baselines_of_the_example() -> None:
    found = choice_baselines(choice_arrays(data(test=(DOCUMENTS, CHOICES))), "noun")
    assert found == {
        "closest noun": {"accuracy": 3 / 4},
        "first noun": {"accuracy": 2 / 4},
        "random noun": {"accuracy": pytest.approx((1 / 2 + 1 + 0 + 1) / 4)},
    }


def test_baselines_are_a_plain_count_and_the_mean_of_one_over_the_candidates() -> None:
    choices = []
    for _ in range(200):
        nouns = sorted(RANDOM.choice(28, size=int(RANDOM.integers(1, 7)), replace=False).tolist())
        choices.append(choice("long", 28, *nouns, right=(int(RANDOM.choice(nouns)),)))
    found = choice_baselines(choice_arrays(data(test=([text("long", 30)], choices))), "name")
    last = np.mean([each.candidates[-1].right for each in choices])
    first = np.mean([each.candidates[0].right for each in choices])
    expected = np.mean([1 / len(each.candidates) for each in choices])
    assert 0.2 < expected < 0.8
    assert found["closest name"]["accuracy"] == pytest.approx(last)
    assert found["first name"]["accuracy"] == pytest.approx(first)
    assert found["random name"]["accuracy"] == pytest.approx(expected)


def test_the_closest_may_stand_behind_the_target() -> None:
    # Distances 3 and 1 behind; then one on each side as far: either at random.
    behind = choice("long", 5, 1, 7, right=(7,))
    even = choice("long", 5, 3, 7, right=(7,))
    found = choice_baselines(choice_arrays(data(test=([text("long", 30)], [behind, even]))), "noun")
    assert found["closest noun"]["accuracy"] == (1 + 0.5) / 2
