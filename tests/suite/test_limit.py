"""A sample of training targets is uniform, the same every time, and told of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from layerwise.core.types import Document, Sentence, Span, Split, Target, TaskData
from layerwise.suite.config import RunConfig
from layerwise.suite.limit import limited
from layerwise.suite.pipeline import evaluate
from layerwise.suite.prepared import prepare_tasks

Config = Callable[..., RunConfig]


def task(size: int) -> TaskData:
    text = Document("d", (Sentence.from_words(f"w{i}" for i in range(size)),))
    targets = tuple(Target("d", Span(i, i + 1), None, "ab"[i % 2]) for i in range(size))
    split = Split((text,), targets)
    keys = tuple((f"w{i}",) for i in range(size))
    splits = {"train": split, "dev": split, "test": split}
    return TaskData("t.v1", "accuracy", splits, keys=dict.fromkeys(splits, keys))


def test_it_is_an_ordered_sample_with_its_keys() -> None:
    data = task(2000)
    small = limited(data, 500)
    targets = small.splits["train"].targets
    starts = np.array([target.span1.start for target in targets])
    assert len(set(starts.tolist())) == 500 and (np.diff(starts) > 0).all()
    assert small.keys["train"] == tuple((f"w{i}",) for i in starts)
    # A tenth of the text each holds about a tenth of the sample.
    assert np.abs(np.histogram(starts, 10, (0, 2000))[0] - 50).max() < 25
    assert small.splits["dev"] is data.splits["dev"] and small.splits["test"] is data.splits["test"]
    assert small.facts["train_targets"] == {"kept": 500, "of": 2000}
    assert limited(data, 500) == small


def test_enough_is_left_as_it_is() -> None:
    data = task(20)
    assert limited(data, 0) is data and limited(data, 20) is data and limited(data, 99) is data


def test_a_run_on_a_sample_is_another_unit(fake: Any, config: Config) -> None:
    fake()
    whole = evaluate(config()).records
    few = evaluate(config(train_targets=40)).records
    assert {r.counts["train_targets"] for r in few} == {40}
    assert {r.counts["test_targets"] for r in few} == {r.counts["test_targets"] for r in whole}
    assert {r.id for r in few}.isdisjoint(r.id for r in whole)
    assert {r.key.settings["train_targets"] for r in few} == {40}
    (prepared,) = prepare_tasks(config(train_targets=40))
    assert prepared.data.facts["train_targets"]["kept"] == 40
