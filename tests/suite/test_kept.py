"""What is kept beside a record gives its scores again, and words stand where they stood."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.results.predictions import read_predictions
from layerwise.results.targets import read_targets
from layerwise.suite.config import RunConfig
from layerwise.suite.pipeline import evaluate

from .test_scheme import SameLetter, Traits

Config = Callable[..., RunConfig]


def test_predictions_give_the_scores_again(
    fake: Any, config: Config, register: Any, tmp_path: Path
) -> None:
    fake()
    register("task", "made-up", lambda argument: {"": Traits, "x": SameLetter}[argument]())
    for record in evaluate(config(task=("pos", "made-up", "made-up:x"))).records:
        kept = read_predictions(tmp_path / "run", record.id)
        assert kept is not None
        score = record.scores[record.metric]
        if record.metric == "accuracy":
            assert (kept.gold == kept.predicted).mean() == pytest.approx(score)
            assert kept.of_gold is not None and kept.probability is not None
            assert -np.log(kept.of_gold).mean() == pytest.approx(
                record.scores["cross_entropy_nats"], rel=1e-4, abs=1e-6
            )
            assert (kept.of_gold <= kept.probability).all()
        elif record.metric == "micro_f1":
            assert kept.gold is not None and kept.predicted is not None
            hits = (kept.gold & kept.predicted).sum()
            assert 2 * hits / (kept.gold.sum() + kept.predicted.sum()) == pytest.approx(score)
        else:
            assert kept.credit is not None and kept.out_of is not None
            assert kept.credit.sum() / kept.out_of.sum() == pytest.approx(score)
        assert len(np.unique(kept.clusters)) == record.counts["clusters"] or record.metric == (
            "choice_accuracy"
        )


def test_targets_have_their_words(fake: Any, config: Config, tmp_path: Path) -> None:
    fake()
    record = evaluate(config()).records[0]
    found = read_targets(tmp_path / "run", record.key.data_hash)
    assert found is not None and found.classes == ("DET", "NOUN", "VERB")
    assert len(found.labels) == record.counts["test_targets"]
    for document, span, labels in zip(found.documents, found.spans1, found.labels, strict=True):
        words = [word for sentence in found.sentences[document] for word in sentence]
        first = words[span.start][0]  # which tells the part of speech
        assert labels == ({"n": "NOUN", "v": "VERB", "d": "DET"}[first],)


def test_what_is_not_there_or_damaged(fake: Any, config: Config, tmp_path: Path) -> None:
    fake()
    record = evaluate(config()).records[0]
    folder = tmp_path / "run"
    assert read_predictions(folder, "0" * 16) is None and read_targets(folder, "0" * 64) is None
    (folder / "predictions" / f"{record.id}.npz").write_bytes(b"PK torn")
    with pytest.raises(DataError, match="cannot be read"):
        read_predictions(folder, record.id)
    (folder / "targets" / f"{record.key.data_hash[:16]}.json").write_text("[]")
    with pytest.raises(DataError, match="is no list of targets"):
        read_targets(folder, record.key.data_hash)
    with pytest.raises(UsageError, match="outside"):
        read_predictions(folder, "../records")
