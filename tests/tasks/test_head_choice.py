"""The choice of heads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwise.core.errors import UsageError
from layerwise.core.types import Document, Sentence
from layerwise.tasks.base import NO_HEAD, AnnotatedDocument, Corpus, Word
from layerwise.tasks.conllu import ConlluFile
from layerwise.tasks.head_choice import HeadChoice
from layerwise.tasks.preparation import prepare


def document(forms: str, heads: Sequence[int], name: str = "d") -> AnnotatedDocument:
    words = forms.split()
    return AnnotatedDocument(
        Document(name, (Sentence.from_words(words),)),
        tuple(Word(w, "", "", "", {}, h, "dep") for w, h in zip(words, heads, strict=True)),
    )


def test_every_other_word_is_a_candidate() -> None:
    annotated = document("the dog barks", [1, 2, NO_HEAD])
    found = [
        [(t.span1.start, t.span2.start if t.span2 else -1, t.label) for t in choice]
        for choice in HeadChoice().candidates(annotated)
    ]
    assert found == [[(0, 1, "yes"), (0, 2, "no")], [(1, 0, "no"), (1, 2, "yes")]]


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 8), st.sampled_from([1, 3]), st.randoms(use_true_random=False))
def test_training_takes_the_head_and_a_sample_of_the_candidates(size, ratio, rng) -> None:  # type: ignore[no-untyped-def]
    heads = [NO_HEAD, *(rng.randrange(i) for i in range(1, size))]
    annotated = document(" ".join("w" * size), heads)
    task = HeadChoice(str(ratio))
    choices = list(task.candidates(annotated))
    assert [Counter(t.label for t in choice) for choice in choices] == [
        Counter(yes=1, no=size - 2) for _ in range(size - 1)
    ]
    targets = list(task.targets(annotated))
    assert set(targets) <= {t for choice in choices for t in choice}
    assert len(set(targets)) == len(targets)
    labels = Counter((t.span1.start, t.label) for t in targets)
    for word in range(1, size):
        assert labels[word, "yes"] == 1
        assert labels[word, "no"] == min(ratio, size - 2)


def test_guesses() -> None:
    train = document("the big dog barks .", [2, 2, 3, NO_HEAD, 3], "train")
    test = document("The dog barks .", [1, 2, NO_HEAD, 2], "test")
    data = prepare(HeadChoice(), Corpus("c", {"train": (train,), "dev": (train,), "test": (test,)}))
    assert data.metric == "choice_accuracy" and data.positive == "yes"
    assert data.groups == (0, 0, 0, 1, 1, 1, 2, 2, 2)
    called = {
        name: [
            (t.span1.start, t.span2.start)
            for t, label in zip(data.splits["test"].targets, labels, strict=True)
            if label == "yes" and t.span2
        ]
        for name, labels in data.guesses.items()
    }
    assert called["next word"] == [(0, 1), (1, 2)]  # behind the full stop there is none
    assert called["previous word"] == [(1, 0), (3, 2)]
    # the: two behind in train; dog: the next; the full stop: the one before.
    assert called["usual distance of the word"] == [(0, 2), (1, 2), (3, 2)]


def test_strata_of_length() -> None:
    for size, name in [
        (2, "2-9"),
        (9, "2-9"),
        (10, "10-19"),
        (20, "20-39"),
        (39, "20-39"),
        (40, ">=40"),
    ]:
        annotated = document(" ".join("w" * size), [NO_HEAD, *[0] * (size - 1)])
        (first, *_), *_ = HeadChoice().candidates(annotated)
        kinds = HeadChoice().strata(annotated, first)
        assert kinds == {
            "distance": "1",
            "direction": "backward",
            "dependent": "word",
            "length": name,
        }


def test_arguments_and_what_a_corpus_offers() -> None:
    assert HeadChoice("10").name == "head:10" and HeadChoice("10").facts["ratio"] == 10
    assert HeadChoice().name == "head" and HeadChoice().facts["ratio"] == 4
    with pytest.raises(UsageError, match="write head, or head:N"):
        HeadChoice("many")
    tree, lone = document("a b c", [1, NO_HEAD, 1]), document("a", [NO_HEAD])
    splits = {"train": (tree,), "dev": (tree,), "test": (tree,)}
    assert HeadChoice.available(Corpus("c", splits)) == ["head"]
    assert HeadChoice.available(Corpus("c", {**splits, "test": (lone,)})) == []


def test_real_data_against_heads_as_an_array(read_shared: Callable[[str], ConlluFile]) -> None:
    documents = read_shared("gum_open/gum_open-dev.conllu.gz").documents
    corpus = Corpus("c", {"train": documents[:2], "dev": documents[2:3], "test": documents[3:5]})
    data = prepare(HeadChoice(), corpus)
    heads = np.concatenate([[w.head for w in d.words] for d in documents[3:5]])
    places = np.concatenate([np.arange(len(d.words)) for d in documents[3:5]])
    choices = data.facts["counts"]["test"]["choices"]
    assert choices == (heads != NO_HEAD).sum()
    right = Counter(
        name
        for name, labels in data.guesses.items()
        for target, label in zip(data.splits["test"].targets, labels, strict=True)
        if target.label == label == "yes"
    )
    assert right["next word"] == (heads == places + 1).sum()
    assert right["previous word"] == ((heads == places - 1) & (heads != NO_HEAD)).sum()
