"""A label never reaches another word, and the arrays say of the targets what is so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from layerwise.core.errors import DataError
from layerwise.core.types import SPLITS, Document, Sentence, Span, Split, Target, TaskData
from layerwise.encoders.base import fingerprint_of
from layerwise.encoders.store import Store
from layerwise.probes.metrics import UNSEEN
from layerwise.suite.arrays import TaskArrays, to_arrays
from layerwise.suite.baselines import types_of
from layerwise.suite.fitting import rows_of


def document(id: str, lengths: list[int]) -> Document:
    words = iter(f"{id}.{i}" for i in range(sum(lengths)))
    return Document(id, tuple(Sentence.from_words(next(words) for _ in range(n)) for n in lengths))


class Places:
    """An encoder that tells of each word its document and its position in it."""

    name, layer_names, dim, parameters, final_norm = "places", ("places",), 2, 0, False
    fingerprint = fingerprint_of({}, "places")

    def encode(self, documents):
        for one in documents:
            number = float(one.id.removeprefix("d"))
            yield np.array([[[number, i] for i in range(len(one))]], dtype=np.float32)


@st.composite
def splits(draw: st.DrawFn, kind: str) -> Split:
    """Shuffled documents and shuffled targets: words, pairs, or long spans."""
    ids = draw(st.permutations(range(5)))[: draw(st.integers(1, 5))]
    lengths = st.lists(st.integers(1, 4), min_size=1, max_size=3)
    documents = tuple(document(f"d{i}", draw(lengths)) for i in ids)

    def span(within: Document) -> Span:
        start = draw(st.integers(0, len(within) - 1))
        end = draw(st.integers(start + 1, len(within))) if kind == "long" else start + 1
        return Span(start, end)

    targets = []
    for _ in range(draw(st.integers(1, 8))):
        one = draw(st.sampled_from(documents))
        second = span(one) if kind == "pair" else None
        targets.append(Target(one.id, span(one), second, draw(st.sampled_from("abc"))))
    return Split(documents, tuple(targets))


def task(train: Split, dev: Split | None = None, test: Split | None = None, **rest) -> TaskData:
    parts = {"train": train, "dev": dev or train, "test": test or train}
    return TaskData(**{"task": "made-up.v1", "metric": "accuracy", "splits": parts} | rest)


def rows(arrays: TaskArrays, split: Split, pooling: str) -> NDArray[np.float32]:
    """The features that the pipeline would give a probe, of the encoder of places."""
    vectors = np.concatenate(list(Places().encode(split.documents)), axis=1)[0]
    return rows_of(vectors, arrays.splits["test"], pooling)


@pytest.mark.parametrize("kind", ["word", "pair", "long"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_each_target_has_the_row_of_its_own_words(kind: str, data: st.DataObject) -> None:
    train, test = data.draw(splits(kind)), data.draw(splits(kind))
    arrays = to_arrays(task(train, test=test))
    first, last = rows(arrays, test, "first"), rows(arrays, test, "last")
    mean = rows(arrays, test, "mean")
    for i, target in enumerate(test.targets):
        number, span = float(target.document[1:]), target.span1
        assert first[i, :2].tolist() == [number, span.start]
        assert last[i, :2].tolist() == [number, span.end - 1]
        assert mean[i, :2] == pytest.approx([number, (span.start + span.end - 1) / 2])
        if target.span2 is not None:
            assert first[i, 2:4].tolist() == [number, target.span2.start]
        label = arrays.splits["test"].labels[i]
        assert (arrays.classes[label] if label != UNSEEN else None) == (
            target.label if target.label in {t.label for t in train.targets} else None
        )


def test_the_rows_are_right_through_the_store_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = tuple(document(f"d{i}", [3, 2]) for i in (4, 1, 3, 0))
    targets = tuple(
        Target(d.id, Span(i, i + 1), None, f"{d.id[1:]} {i}") for i in range(5) for d in documents
    )
    split = Split(documents, targets)
    arrays = to_arrays(task(split))
    stored = Store(tmp_path).activations(Places(), documents).layer(0)
    spans, labels = arrays.splits["test"].spans1, arrays.splits["test"].labels
    got = [f"{stored[start][0]:g} {stored[start][1]:g}" for start, _ in spans]
    assert got == [arrays.classes[label] for label in labels]


@pytest.mark.parametrize("kind", ["word", "pair", "long"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_clusters_are_sentences_unless_a_target_reaches_over_one(
    kind: str, data: st.DataObject
) -> None:
    train, test = data.draw(splits(kind)), data.draw(splits(kind))
    arrays = to_arrays(task(train, test=test))

    def sentences(split: Split, target: Target) -> set[tuple[str, int]]:
        one = next(d for d in split.documents if d.id == target.document)
        of_word = [number for number, s in enumerate(one.sentences) for _ in s.words]
        covered = [i for span in (target.span1, target.span2) if span for i in range(*span)]
        return {(one.id, of_word[i]) for i in covered}

    spread = any(len(sentences(s, t)) > 1 for s in (train, test) for t in s.targets)
    assert arrays.cluster == ("document" if spread else "sentence")
    expected = [t.document if spread else sentences(test, t).pop() for t in test.targets]
    got = arrays.splits["test"].clusters.tolist()
    for i in range(len(got)):
        for j in range(len(got)):
            assert (got[i] == got[j]) == (expected[i] == expected[j])


def test_a_gap_between_two_spans_reaches_over_a_sentence_too() -> None:
    one = document("d0", [2, 2])
    split = Split((one,), (Target("d0", Span(2, 3), Span(1, 2), "a"),))
    assert to_arrays(task(split)).cluster == "document"


def test_classes_are_those_of_train_and_other_labels_are_unseen() -> None:
    one = document("d0", [4])

    def split(labels: str) -> Split:
        return Split(
            (one,), tuple(Target("d0", Span(i, i + 1), None, x) for i, x in enumerate(labels))
        )

    arrays = to_arrays(task(split("cab"), split("ad"), split("zcbz"), positive="b"))
    assert arrays.classes == ["a", "b", "c"] and arrays.positive == 1
    assert arrays.splits["train"].labels.tolist() == [2, 0, 1]
    assert arrays.splits["dev"].labels.tolist() == [0, UNSEEN]
    assert arrays.splits["test"].labels.tolist() == [UNSEEN, 2, 1, UNSEEN]


def test_types_are_the_words_of_the_target() -> None:
    one = document("d0", [3, 2])
    split = Split(
        (one,),
        (
            Target("d0", Span(0, 2), Span(4, 5), "a"),
            Target("d0", Span(0, 1), Span(1, 2), "a"),
            Target("d0", Span(0, 2), Span(4, 5), "b"),
        ),
    )
    types = types_of(split)
    assert types[0] == types[2] != types[1]


class TestHash:
    one = document("d0", [3, 2])
    other = document("d1", [2])
    split = Split(
        (one, other),
        (Target("d0", Span(0, 2), Span(4, 5), "a"), Target("d1", Span(0, 1), Span(1, 2), "b")),
    )

    def of(self, split: Split, **rest: object) -> str:
        return to_arrays(task(self.split, test=split, **rest)).data_hash

    def target(self, **change: object) -> Split:
        first, *others = self.split.targets
        return replace(self.split, targets=(first._replace(**change), *others))

    def test_it_tells_every_label_span_word_and_border(self) -> None:
        words, a_word_more = document("d9", [3, 2]), document("d0", [3, 2, 1])
        borders = Document("d0", document("d0", [2, 3]).sentences)
        changed = [
            self.split,
            self.target(label="b"),
            self.target(span1=Span(0, 1)),
            self.target(span2=Span(3, 5)),
            self.target(document="d1", span1=Span(0, 2), span2=Span(1, 2)),
            replace(self.split, targets=self.split.targets[::-1]),
            replace(self.split, targets=self.split.targets[:1]),
            replace(self.split, documents=self.split.documents[::-1]),
            replace(self.split, documents=(a_word_more, self.other)),
            replace(self.split, documents=(borders, self.other)),
            replace(self.split, documents=(Document("d0", words.sentences), self.other)),
        ]
        assert len({self.of(split) for split in changed}) == len(changed)

    def test_it_tells_the_surface_of_a_word(self) -> None:
        glued = Sentence.from_words(self.other.words, [False, True])
        split = replace(self.split, documents=(self.one, Document("d1", (glued,))))
        assert self.of(split) != self.of(self.split)

    def test_it_tells_the_task_and_its_version(self) -> None:
        assert self.of(self.split, task="made-up.v2") != self.of(self.split)

    def test_it_tells_which_split_is_which(self) -> None:
        small = replace(self.split, targets=self.split.targets[:1])
        one = to_arrays(task(self.split, small, self.split)).data_hash
        assert one != to_arrays(task(self.split, self.split, small)).data_hash

    def test_nothing_else_matters(self) -> None:
        again = Split(
            (document("d0", [3, 2]), document("d1", [2])), tuple(t for t in self.split.targets)
        )
        facts = {"corpus": "another name", "data": {"read": "at another time"}}
        assert self.of(again, facts=facts, metric="macro_f1") == self.of(self.split)


ONE, TWO = document("d0", [3]), document("d1", [3])


@pytest.mark.parametrize(
    "fault, documents, targets",
    [
        ("outside the document 'd0'", (ONE, TWO), [Target("d0", Span(2, 4), None, "a")]),
        ("outside the document 'd0'", (ONE, TWO), [Target("d0", Span(3, 4), None, "a")]),
        ("outside the document 'd1'", (ONE, TWO), [Target("d1", Span(-1, 1), None, "a")]),
        ("empty", (ONE, TWO), [Target("d0", Span(1, 1), None, "a")]),
        ("outside", (ONE, TWO), [Target("d0", Span(0, 1), Span(3, 5), "a")]),
        ("one id", (ONE, document("d0", [2])), [Target("d0", Span(0, 1), None, "a")]),
        ("the document 'd7'", (ONE, TWO), [Target("d7", Span(0, 1), None, "a")]),
        (
            "some targets are pairs",
            (ONE, TWO),
            [Target("d0", Span(0, 1), None, "a"), Target("d0", Span(0, 1), Span(1, 2), "a")],
        ),
    ],
)
@pytest.mark.parametrize("place", SPLITS)
def test_a_target_that_could_reach_other_words_is_an_error(
    place: str, fault: str, documents: tuple[Document, ...], targets: list[Target]
) -> None:
    good = Split((ONE, TWO), (Target("d0", Span(0, 1), None, "a"),))
    parts = dict.fromkeys(SPLITS, good) | {place: Split(documents, tuple(targets))}
    with pytest.raises(DataError, match=fault) as caught:
        to_arrays(TaskData("made-up.v1", "accuracy", parts))
    assert f"made-up.v1, {place} split" in str(caught.value)


def test_a_positive_label_that_train_lacks_is_an_error() -> None:
    split = Split((ONE,), (Target("d0", Span(0, 1), None, "no"),))
    with pytest.raises(DataError, match="no target of train has the label 'yes'"):
        to_arrays(task(split, metric="f1", positive="yes"))
