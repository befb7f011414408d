"""Tasks of several labels, of choices, of strata and of a natural prior, from text to records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from layerwise.core.errors import UsageError
from layerwise.core.types import Document, Sentence, Span, Target
from layerwise.results.records import Record
from layerwise.suite import measure as measure_module
from layerwise.suite.config import RunConfig
from layerwise.suite.pipeline import evaluate
from layerwise.suite.prepared import prepare_tasks
from layerwise.suite.scheme import Choices, OneLabel, SeveralLabels, scheme_of
from layerwise.tasks.aspects import Located
from layerwise.tasks.base import AnnotatedDocument, Corpus

Config = Callable[..., RunConfig]


class Task:
    name, version, positive, facts = "made-up", "v1", None, {"label": "made up"}


class Traits(Task):
    """What a word's first letter and its number are: two labels or, for nouns, three."""

    metric = "micro_f1"

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        for i, word in enumerate(document.words):
            labels = [word.upos, f"n={word.feats['Number']}"]
            labels += ["named"] if word.upos == "NOUN" else []
            yield Target(document.document.id, Span(i, i + 1), None, tuple(labels))


class LetterPairs(Task):
    """Does an earlier word of the sentence begin with the same letter?"""

    positive = "yes"

    def pairs(self, document: AnnotatedDocument) -> Iterator[list[Target]]:
        starts = document.document.sentence_starts
        for start, end in pairwise(starts):
            for i in range(start + 1, end):
                yield [self._pair(document, i, j) for j in range(start, i)]

    def _pair(self, document: AnnotatedDocument, i: int, j: int) -> Target:
        same = document.words[i].upos == document.words[j].upos
        spans = Span(i, i + 1), Span(j, j + 1)
        return Target(document.document.id, *spans, "yes" if same else "no")

    def control_key(self, document: AnnotatedDocument, target: Target) -> tuple[str, str]:
        assert target.span2 is not None
        first, second = (document.words[s.start].form[0] for s in (target.span1, target.span2))
        return first, second

    def strata(self, document: AnnotatedDocument, target: Target) -> dict[str, str]:
        return {"word": document.words[target.span1.start].upos}

    def guesses(self, train: Sequence[Located], test: Sequence[Located]) -> dict[str, list[str]]:
        near = [t.span1.start - t.span2.start == 1 for _, t in test if t.span2]
        return {"closest": ["yes" if each else "no" for each in near]}


class SameLetter(LetterPairs):
    """Choose the one that does."""

    metric = "choice_accuracy"

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        for choice in self.pairs(document):
            yield from choice[:2]

    def candidates(self, document: AnnotatedDocument) -> Iterator[list[Target]]:
        return self.pairs(document)


class Balanced(LetterPairs):
    """The same pairs without a choice: a sample, and all there are."""

    metric = "f1"

    def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
        for target in self.natural(document):
            if target.label == "yes" or target.span1.start % 3 == 0:
                yield target

    def natural(self, document: AnnotatedDocument) -> Iterator[Target]:
        for choice in self.pairs(document):
            yield from choice


def by_layer(records: list[Record]) -> dict[int, Record]:
    assert all(record.status == "ok" for record in records), records
    return {record.key.layer: record for record in records}


@pytest.fixture
def keep(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Keeps the test split's (scheme, joined probabilities, labels) of each measured task."""
    kept: list[Any] = []
    real = measure_module.scores_on_test

    def spy(joined: Any, labels: Any, arrays: Any) -> Any:
        kept.append((joined, labels, arrays))
        return real(joined, labels, arrays)

    monkeypatch.setattr(measure_module, "scores_on_test", spy)
    return kept


def test_several_labels_a_target(fake: Any, config: Config, register: Any, keep: Any) -> None:
    fake()
    register("task", "made-up", lambda argument: Traits())
    records = by_layer(evaluate(config(task=("made-up",), refits=2)).records)
    for joined, labels, arrays in keep:
        record = next(
            r
            for r in records.values()
            if np.isclose(r.scores["micro_f1"], f1_score(labels, joined > 0.5, average="micro"))
        )
        f1 = f1_score(labels, joined > 0.5, average=None, zero_division=0)
        for label, value in zip(arrays.classes, f1, strict=True):
            assert record.scores[f"f1[{label}]"] == pytest.approx(value)
    noise, letter = records[0], records[1]
    assert letter.scores["f1[NOUN]"] == letter.scores["f1[named]"] == 1 > noise.scores["f1[NOUN]"]
    assert letter.scores["micro_f1[form=unseen]"] == letter.scores["micro_f1"]
    interval = letter.interval
    assert interval and interval.low <= letter.scores["micro_f1"] <= interval.high
    assert letter.scores["selectivity"] == pytest.approx(
        letter.scores["micro_f1"] - letter.scores["control_micro_f1"]
    )
    assert letter.chosen["converged"] and len(letter.chosen["labels"]) == 6
    assert letter.baselines["majority"]["micro_f1"] < letter.scores["micro_f1"]
    assert "refits_sd_micro_f1" in letter.scores
    assert letter.dev_scores["micro_f1"] > noise.dev_scores["micro_f1"]


def test_a_code_for_several_labels_is_refused(fake: Any, config: Config, register: Any) -> None:
    fake()
    register("task", "made-up", lambda argument: Traits())
    with pytest.raises(UsageError, match="--codelength"):
        prepare_tasks(config(task=("made-up",), codelength=1))


def test_the_most_probable_candidate_is_taken(
    fake: Any, config: Config, register: Any, keep: Any
) -> None:
    fake()
    register("task", "made-up", lambda argument: SameLetter())
    records = by_layer(evaluate(config(task=("made-up",))).records)
    letter = records[1]
    for joined, labels, arrays in keep:
        hits = []
        for number in range(int(arrays.groups[-1]) + 1):
            own = arrays.groups == number
            yes = joined[own][:, arrays.positive]
            hits.append((labels[own] == arrays.positive)[yes == yes.max()].mean())
        assert np.isclose(
            [r.scores["choice_accuracy"] for r in records.values()], np.mean(hits)
        ).any()
    assert letter.counts["choices"] < letter.counts["targets"]
    # A choice without a right candidate is lost; the letters decide all the others.
    winnable = np.mean(
        [
            (labels[arrays.groups == number] == arrays.positive).any()
            for joined, labels, arrays in keep[:1]
            for number in range(int(arrays.groups[-1]) + 1)
        ]
    )
    assert letter.scores["choice_accuracy"] == pytest.approx(winnable)
    assert letter.scores["choice_accuracy"] > letter.baselines["closest"]["choice_accuracy"]
    strata = [name for name in letter.scores if name.startswith("choice_accuracy[word=")]
    sizes = [letter.counts[name.replace("choice_accuracy", "targets")] for name in strata]
    assert len(strata) == 3 and sum(sizes) == letter.counts["targets"]
    assert letter.interval and letter.interval.low <= winnable <= letter.interval.high
    assert {"selectivity", "control_choice_accuracy"} <= letter.scores.keys()


def test_a_balanced_sample_is_scored_at_the_natural_prior_too(
    fake: Any, config: Config, register: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake()
    register("task", "made-up", lambda argument: Balanced())
    kept: list[Any] = []
    real = measure_module.natural_scores

    def spy(probabilities: Any, arrays: Any) -> Any:
        kept.append((probabilities, arrays))
        return real(probabilities, arrays)

    monkeypatch.setattr(measure_module, "natural_scores", spy)
    records = by_layer(evaluate(config(task=("made-up",))).records)
    for probabilities, arrays in kept:
        gold = arrays.splits["natural"].labels == arrays.positive
        expected = average_precision_score(gold, probabilities[:, arrays.positive])
        found = [r.scores["natural_average_precision"] for r in records.values()]
        assert np.isclose(found, expected).any()
        assert records[0].scores["natural_prior"] == pytest.approx(gold.mean())
        # At the right prior as many are called yes as there are, about.
        rate, share = arrays.natural_rate, (arrays.splits["train"].labels == arrays.positive).mean()
        assert rate < share
    assert records[1].counts["natural_targets"] > records[1].counts["test_targets"]
    assert records[1].scores["natural_f1"] > records[0].scores["natural_f1"]


def test_a_group_stands_for_its_members(fake: Any, config: Config, register: Any) -> None:
    class Group(Task):
        def members(self, corpus: Corpus) -> list[str]:
            assert set(corpus.splits) == {"train", "dev", "test"}
            return ["morph:Number", "pos"]

    fake()
    register("task", "made-up", lambda argument: Group())
    prepared = prepare_tasks(config(task=("pos", "made-up")))
    assert [task.data.task for task in prepared] == ["pos.v1", "morph:Number.v1"]


def test_a_task_on_other_text_is_encoded_on_its_own(
    fake: Any, config: Config, register: Any
) -> None:
    class First(Task):
        """The part of speech of the first word of a document that has no other."""

        metric = "accuracy"

        def rewritten(self, document: AnnotatedDocument) -> Iterator[AnnotatedDocument]:
            text = Document(document.document.id, (Sentence.from_words([document.words[0].form]),))
            yield AnnotatedDocument(text, document.words[:1])

        def targets(self, document: AnnotatedDocument) -> Iterator[Target]:
            yield Target(document.document.id, Span(0, 1), None, document.words[0].upos)

    made = fake()
    register("task", "made-up", lambda argument: First())
    outcome = evaluate(config(task=("pos", "made-up")))
    assert made.calls == 2 * (10 + 4 + 6)  # each text once
    tasks = {record.key.task: record for record in outcome.records}
    assert tasks["made-up.v1"].counts["test_targets"] == 6


def test_strata_are_columns_where_they_are_asked_for(
    fake: Any, config: Config, command: Any, tmp_path: Path
) -> None:
    fake()
    evaluate(config())
    assert "form=unseen" not in command("show", tmp_path / "run", "-f", "csv").out
    shown = command("show", tmp_path / "run", "-f", "csv", "--strata").out
    head = shown.splitlines()[0]
    assert "accuracy[form=unseen]" in head and "accuracy[lemma=unseen]" in head


def test_kinds_of_task(fake: Any, config: Config, register: Any) -> None:
    fake()
    register("task", "made-up", lambda argument: {"": Traits, "x": SameLetter}[argument]())
    prepared = prepare_tasks(config(task=("made-up", "made-up:x", "pos")))
    kinds = [type(scheme_of(task.arrays)) for task in prepared]
    assert kinds == [SeveralLabels, Choices, OneLabel]
