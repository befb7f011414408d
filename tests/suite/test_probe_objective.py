"""A judge says what the pipeline says of dev, and never looks at test."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch

from layerwise.core.errors import DataError, UsageError
from layerwise.encoders.bilm import BiLM, build_settings, initialise
from layerwise.encoders.checkpoint import save_encoder
from layerwise.suite.config import RunConfig
from layerwise.suite.pipeline import evaluate
from layerwise.suite.probe_objective import ProbeJudge
from layerwise.tasks.base import Corpus
from layerwise.tasks.corpora import load_corpus

Config = Callable[..., RunConfig]


@pytest.fixture
def model() -> BiLM:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        built = BiLM(build_settings("cell", "tiny", {"dim": 8, "layers": 2, "cell": "rnn"}))
        initialise(built)
    return built


@pytest.mark.parametrize("task", ["pos", "morph:Number", "arc"])
def test_it_is_the_best_dev_score_of_the_pipeline(
    task: str, model: BiLM, corpus: Path, config: Config, tmp_path: Path
) -> None:
    save_encoder(tmp_path / "encoder", model, {})
    outcome = evaluate(config(encoder=(f"local:{tmp_path / 'encoder'}",), task=(task,)))
    assert len(outcome.records) == 3
    best = max(record.dev_scores[record.metric] for record in outcome.records)
    assert ProbeJudge(task, str(corpus), most=10**6)(model) == pytest.approx(1 - best, abs=1e-9)
    assert 0 < best < 1


class Poisoned(dict[str, Any]):
    """Splits of which one must not be touched."""

    def __getitem__(self, name: str) -> Any:
        return self._refuse() if name == "test" else super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        return self._refuse() if name == "test" else super().get(name, default)

    def _refuse(self, *rest: Any) -> NoReturn:
        raise AssertionError("the test split was read")

    def __iter__(self) -> Iterator[str]:
        self._refuse()

    items = values = keys = __len__ = _refuse  # type: ignore[assignment]


def test_it_never_touches_the_test_split(
    model: BiLM, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = ProbeJudge("pos", str(corpus))
    read = load_corpus(str(corpus))
    poisoned = Corpus(read.name, Poisoned(dict(read.splits)), read.facts)
    monkeypatch.setattr("layerwise.suite.probe_objective.load_corpus", lambda name: poisoned)
    judge = ProbeJudge("pos", "poisoned")
    assert judge(model) == clean(model) and judge.identity == clean.identity
    with pytest.raises(AssertionError, match="the test split was read"):
        dict(poisoned.splits.items())


def test_another_test_split_gives_the_same_loss(
    model: BiLM, corpus: Path, make_corpus: Callable[..., Path], tmp_path: Path
) -> None:
    other = make_corpus(tmp_path / "other", seed=1)
    before = ProbeJudge("pos", str(corpus))
    (corpus / "tiny-test.conllu").write_bytes((other / "tiny-test.conllu").read_bytes())
    after = ProbeJudge("pos", str(corpus))
    assert before(model) == after(model) and before.identity == after.identity


def test_few_targets_are_learnt_from_and_scored(model: BiLM, corpus: Path) -> None:
    whole, small = ProbeJudge("pos", str(corpus)), ProbeJudge("pos", str(corpus), most=20)
    splits = small._arrays.splits
    assert len(splits["train"].labels) == 20
    assert 20 <= len(splits["dev"].labels) < len(whole._arrays.splits["dev"].labels)
    assert len(small._documents["train"]) < len(whole._documents["train"])
    assert small.identity != whole.identity
    assert small(model) == ProbeJudge("pos", str(corpus), most=20)(model)


def test_the_model_stays_as_it_was(model: BiLM, corpus: Path) -> None:
    model.train()
    before = [weight.clone() for weight in model.parameters()]
    state = torch.random.get_rng_state()
    ProbeJudge("pos", str(corpus))(model)
    assert model.training and all(weight.requires_grad for weight in model.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_model_that_burst_is_the_worst(model: BiLM, corpus: Path) -> None:
    with torch.no_grad():
        next(model.forward_stack.parameters()).fill_(math.nan)
    assert ProbeJudge("pos", str(corpus))(model) == math.inf


def test_what_cannot_be_judged_is_told(corpus: Path) -> None:
    with pytest.raises(UsageError, match="tree-distance has no labels for a linear probe"):
        ProbeJudge("tree-distance", str(corpus))
    with pytest.raises(UsageError, match="no such task"):
        ProbeJudge("poss", str(corpus))
    with pytest.raises(DataError, match="coref"):
        ProbeJudge("coref", str(corpus))
